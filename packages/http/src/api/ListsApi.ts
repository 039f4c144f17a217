import { ListId, ListMove, ListPatch, ListQuery, ListTodos, NewList, Page, TodoList } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { IfMatch, IfNoneMatchAny } from "./Etag.ts"
import {
  ConflictProblem,
  InvalidCursorProblem,
  InvalidInputProblem,
  ListNotEmptyProblem,
  ListNotFoundProblem,
  RevisionMismatchProblem,
  UnavailableProblem,
  UserDisabledProblem
} from "./Problem.ts"
import { Validation } from "./Validation.ts"

const id = { id: ListId }
const ifMatch = { "if-match": Schema.optionalKey(IfMatch) }
const tagged = { etag: Schema.String }
const TaggedList = HttpApiSchema.WithHeaders(TodoList, tagged)
const CreatedList = HttpApiSchema.WithHeaders(TodoList.pipe(HttpApiSchema.status(201)), {
  ...tagged,
  location: Schema.String
})

const readErrors = [UnavailableProblem, UserDisabledProblem] as const
const writeErrors = [...readErrors, RevisionMismatchProblem] as const

/** The lists of the caller: the same verbs as todos. */
export class ListsApi extends HttpApiGroup.make("lists")
  .add(
    HttpApiEndpoint.get("list", "/v1/lists", {
      query: ListQuery.fields,
      success: Page(TodoList).annotate({ identifier: "ListPage" }),
      error: [...readErrors, InvalidCursorProblem, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "One page of lists"),

    HttpApiEndpoint.post("create", "/v1/lists", {
      payload: NewList,
      success: CreatedList,
      error: [...readErrors, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "Add a list"),

    HttpApiEndpoint.get("get", "/v1/lists/:id", {
      params: id,
      success: TaggedList,
      error: [...readErrors, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "One list"),

    HttpApiEndpoint.put("put", "/v1/lists/:id", {
      params: id,
      headers: { ...ifMatch, "if-none-match": Schema.optionalKey(IfNoneMatchAny) },
      payload: NewList,
      success: [TaggedList, CreatedList],
      error: [...writeErrors, InvalidInputProblem, ConflictProblem]
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
      headers: ifMatch,
      success: TaggedList,
      error: [...writeErrors, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Take a list out of the trash"),

    HttpApiEndpoint.post("move", "/v1/lists/:id/move", {
      params: id,
      headers: ifMatch,
      payload: ListMove,
      success: TaggedList,
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Put a list right before or behind another one")
  )
  .middleware(Validation)
  .middleware(Authorization) {}
