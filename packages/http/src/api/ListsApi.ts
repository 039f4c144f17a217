import {
  ListId,
  ListMove,
  ListPatch,
  ListQuery,
  ListTodos,
  NewList,
  Page,
  pageLimit,
  PageLimit,
  TodoList
} from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { idempotencyKey, ifMatch, ifNoneMatch, ifNothing, located, NotModified, tagged } from "./Headers.ts"
import {
  ConflictProblem,
  InvalidCursorProblem,
  InvalidInputProblem,
  keyErrors,
  ListNotEmptyProblem,
  ListNotFoundProblem,
  writeErrors
} from "./Problem.ts"
import { wholeNumber } from "./Query.ts"
import { Validation } from "./Validation.ts"

const id = { id: ListId }
const TaggedList = HttpApiSchema.WithHeaders(TodoList, tagged)
const CreatedList = HttpApiSchema.WithHeaders(TodoList.pipe(HttpApiSchema.status(201)), located)

/** The lists of the caller: the same verbs as todos. */
export class ListsApi extends HttpApiGroup.make("lists")
  .add(
    HttpApiEndpoint.get("list", "/v1/lists", {
      query: { ...ListQuery.fields, limit: wholeNumber(PageLimit, pageLimit.default) },
      success: Page(TodoList).annotate({ identifier: "ListPage" }),
      error: [InvalidCursorProblem, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "One page of lists"),

    HttpApiEndpoint.post("create", "/v1/lists", {
      headers: idempotencyKey,
      payload: NewList,
      success: CreatedList,
      error: [...keyErrors, ConflictProblem, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "Add a list"),

    HttpApiEndpoint.get("get", "/v1/lists/:id", {
      params: id,
      headers: ifNoneMatch,
      success: [TaggedList, NotModified],
      error: [ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "One list"),

    HttpApiEndpoint.put("put", "/v1/lists/:id", {
      params: id,
      headers: { ...ifMatch, ...ifNothing },
      payload: NewList,
      success: [TaggedList, CreatedList],
      error: [...writeErrors, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "Create a list under an id of the client, or replace it"),

    HttpApiEndpoint.patch("update", "/v1/lists/:id", {
      params: id,
      headers: ifMatch,
      payload: [ListPatch, ListPatch.pipe(HttpApiSchema.asJson({ contentType: "application/merge-patch+json" }))],
      success: TaggedList,
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Change some fields"),

    HttpApiEndpoint.delete("delete", "/v1/lists/:id", {
      params: id,
      headers: ifMatch,
      query: { todos: Schema.optionalKey(ListTodos) },
      success: HttpApiSchema.NoContent,
      error: [...writeErrors, ListNotFoundProblem, ListNotEmptyProblem]
    }).annotate(OpenApi.Summary, "Put a list into the trash, and say what becomes of its todos"),

    HttpApiEndpoint.post("restore", "/v1/lists/:id/restore", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      success: TaggedList,
      error: [...writeErrors, ...keyErrors, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Take a list out of the trash"),

    HttpApiEndpoint.post("move", "/v1/lists/:id/move", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      payload: ListMove,
      success: TaggedList,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Put a list right before or behind another one")
  )
  .middleware(Validation)
  .middleware(Authorization) {}
