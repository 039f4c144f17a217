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
import {
  idempotencyKey,
  ifMatch,
  ifNoneMatch,
  ifNoneMatchAny,
  createdHeaders,
  NotModified,
  etagHeader
} from "./Headers.ts"
import {
  ConflictProblem,
  InvalidCursorProblem,
  InvalidInputProblem,
  keyErrors,
  ListNotEmptyProblem,
  ListNotFoundProblem,
  writeErrors
} from "./Problem.ts"
import { integerParameter } from "./integerParameter.ts"
import { Validation } from "./Validation.ts"

const id = { id: ListId.annotateKey({ description: "The id of the list: a UUID" }) }
const ListWithEtag = HttpApiSchema.WithHeaders(TodoList, etagHeader)
const CreatedList = HttpApiSchema.WithHeaders(TodoList.pipe(HttpApiSchema.status(201)), createdHeaders)

/** The endpoints of the caller's lists. They are those of todos, without the batch. */
export class ListsApi extends HttpApiGroup.make("lists")
  .add(
    HttpApiEndpoint.get("list", "/v1/lists", {
      query: { ...ListQuery.fields, limit: integerParameter(PageLimit, pageLimit.default) },
      success: Page(TodoList).annotate({ identifier: "ListPage", description: "A page of lists" }),
      error: [InvalidCursorProblem, InvalidInputProblem]
    })
      .annotate(OpenApi.Summary, "One page of lists")
      .annotate(
        OpenApi.Description,
        "The lists in the order that `sort` gives. To read on, pass `nextCursor` as `cursor`, until it is `null`."
      ),

    HttpApiEndpoint.post("create", "/v1/lists", {
      headers: idempotencyKey,
      payload: NewList,
      success: CreatedList,
      error: [...keyErrors, ConflictProblem, InvalidInputProblem]
    })
      .annotate(OpenApi.Summary, "Add a list")
      .annotate(
        OpenApi.Description,
        "The server makes the id. With an `Idempotency-Key`, a repeated request gets the first answer again for 24 hours."
      ),

    HttpApiEndpoint.get("get", "/v1/lists/:id", {
      params: id,
      headers: ifNoneMatch,
      success: [ListWithEtag, NotModified],
      error: [ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "One list")
      .annotate(
        OpenApi.Description,
        "A list in the trash is not found. With `If-None-Match`, an unchanged list is answered 304 without a body."
      ),

    HttpApiEndpoint.put("put", "/v1/lists/:id", {
      params: id,
      headers: { ...ifMatch, ...ifNoneMatchAny },
      payload: NewList,
      success: [ListWithEtag, CreatedList],
      error: [...writeErrors, InvalidInputProblem]
    })
      .annotate(OpenApi.Summary, "Create a list under an id of the client, or replace it")
      .annotate(
        OpenApi.Description,
        "A new id creates a list and is answered 201. Otherwise the list is replaced. `If-None-Match: *` only creates, `If-Match` only replaces."
      ),

    HttpApiEndpoint.patch("update", "/v1/lists/:id", {
      params: id,
      headers: ifMatch,
      payload: [ListPatch, ListPatch.pipe(HttpApiSchema.asJson({ contentType: "application/merge-patch+json" }))],
      success: ListWithEtag,
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Change some fields")
      .annotate(
        OpenApi.Description,
        "A JSON Merge Patch (RFC 7396) of the fields that a client may set. With `If-Match`, the change is made only if the list is still at that revision."
      ),

    HttpApiEndpoint.delete("delete", "/v1/lists/:id", {
      params: id,
      headers: ifMatch,
      query: { todos: Schema.optionalKey(ListTodos) },
      success: HttpApiSchema.NoContent,
      error: [...writeErrors, ListNotFoundProblem, ListNotEmptyProblem]
    })
      .annotate(OpenApi.Summary, "Put a list into the trash, with or without its todos")
      .annotate(
        OpenApi.Description,
        "`todos=trash` puts the todos of the list into the trash too; `todos=keep` keeps them without a list. A list that holds no todos needs neither."
      ),

    HttpApiEndpoint.post("restore", "/v1/lists/:id/restore", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      success: ListWithEtag,
      error: [...writeErrors, ...keyErrors, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Take a list out of the trash")
      .annotate(
        OpenApi.Description,
        "The list comes back, with a new revision. Todos that went into the trash with it stay there."
      ),

    HttpApiEndpoint.post("move", "/v1/lists/:id/move", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      payload: ListMove,
      success: ListWithEtag,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Put a list right before or behind another one")
      .annotate(OpenApi.Description, "Changes `position` only. The other list must be the same user's.")
  )
  .middleware(Validation)
  .middleware(Authorization)
  .annotate(OpenApi.Description, "The lists that todos can be in") {}
