import {
  NewTodo,
  Page,
  pageLimit,
  PageLimit,
  Todo,
  TodoBatch,
  TodoId,
  TodoMove,
  TodoPatch,
  TodoQuery
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
  ListNotFoundProblem,
  TodoNotFoundProblem,
  writeErrors
} from "./Problem.ts"
import { integerParameter } from "./integerParameter.ts"
import { Validation } from "./Validation.ts"

const id = { id: TodoId.annotateKey({ description: "The id of the todo: a UUID" }) }
const TodoWithEtag = HttpApiSchema.WithHeaders(Todo, etagHeader)
const CreatedTodo = HttpApiSchema.WithHeaders(Todo.pipe(HttpApiSchema.status(201)), createdHeaders)

const BatchResults = Schema.Struct({
  results: Schema.Array(
    Schema.Struct({
      index: Schema.Int.annotateKey({ description: "The place of the operation in the batch, from 0" }),
      todo: Todo.annotateKey({ description: "The todo after the operation" })
    })
  ).annotateKey({ description: "One result for each operation, in the same order" })
}).annotate({ identifier: "TodoBatchResults", description: "What the operations of a batch did" })

/** The endpoints of the caller's todos. */
export class TodosApi extends HttpApiGroup.make("todos")
  .add(
    HttpApiEndpoint.get("list", "/v1/todos", {
      query: { ...TodoQuery.fields, limit: integerParameter(PageLimit, pageLimit.default) },
      success: Page(Todo).annotate({ identifier: "TodoPage", description: "A page of todos" }),
      error: [InvalidCursorProblem, InvalidInputProblem]
    })
      .annotate(OpenApi.Summary, "One page of todos")
      .annotate(
        OpenApi.Description,
        "The todos that meet all conditions, in the order that `sort` gives. To read on, pass `nextCursor` as `cursor` with the same conditions and order, until it is `null`."
      ),

    HttpApiEndpoint.post("create", "/v1/todos", {
      headers: idempotencyKey,
      payload: NewTodo,
      success: CreatedTodo,
      error: [...keyErrors, ConflictProblem, InvalidInputProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Add a todo")
      .annotate(
        OpenApi.Description,
        "The server makes the id. With an `Idempotency-Key`, a repeated request gets the first answer again for 24 hours."
      ),

    HttpApiEndpoint.get("get", "/v1/todos/:id", {
      params: id,
      headers: ifNoneMatch,
      success: [TodoWithEtag, NotModified],
      error: [TodoNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "One todo")
      .annotate(
        OpenApi.Description,
        "A todo in the trash is not found. With `If-None-Match`, an unchanged todo is answered 304 without a body."
      ),

    HttpApiEndpoint.put("put", "/v1/todos/:id", {
      params: id,
      headers: { ...ifMatch, ...ifNoneMatchAny },
      payload: NewTodo,
      success: [TodoWithEtag, CreatedTodo],
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Create a todo under an id of the client, or replace it")
      .annotate(
        OpenApi.Description,
        "A new id creates a todo and is answered 201. Otherwise the todo is replaced: each field that is left out gets its default. `If-None-Match: *` only creates, `If-Match` only replaces."
      ),

    HttpApiEndpoint.patch("update", "/v1/todos/:id", {
      params: id,
      headers: ifMatch,
      payload: [TodoPatch, TodoPatch.pipe(HttpApiSchema.asJson({ contentType: "application/merge-patch+json" }))],
      success: TodoWithEtag,
      error: [...writeErrors, InvalidInputProblem, TodoNotFoundProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Change some fields: absent keeps, null clears")
      .annotate(
        OpenApi.Description,
        "A JSON Merge Patch (RFC 7396) of the fields that a client may set. With `If-Match`, the change is made only if the todo is still at that revision. A patch that changes nothing leaves the revision as it is."
      ),

    HttpApiEndpoint.delete("delete", "/v1/todos/:id", {
      params: id,
      headers: ifMatch,
      success: HttpApiSchema.NoContent,
      error: [...writeErrors, TodoNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Put a todo into the trash")
      .annotate(OpenApi.Description, "A todo in the trash can be restored until it is purged."),

    HttpApiEndpoint.post("restore", "/v1/todos/:id/restore", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      success: TodoWithEtag,
      error: [...writeErrors, ...keyErrors, TodoNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Take a todo out of the trash")
      .annotate(
        OpenApi.Description,
        "The todo comes back with a new revision, and without a list if its list is gone."
      ),

    HttpApiEndpoint.post("move", "/v1/todos/:id/move", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      payload: TodoMove,
      success: TodoWithEtag,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, TodoNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Put a todo right before or behind another one")
      .annotate(OpenApi.Description, "Changes `position` only. The other todo must be the same user's."),

    HttpApiEndpoint.post("batch", "/v1/todos/batch", {
      headers: idempotencyKey,
      payload: TodoBatch,
      success: BatchResults,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, TodoNotFoundProblem, ListNotFoundProblem]
    })
      .annotate(OpenApi.Summary, "Create, update and delete up to 100 todos, all or none")
      .annotate(
        OpenApi.Description,
        "The operations are applied in their order, in one transaction. If one fails, none happens, and `errors[].pointer` of the problem names it."
      )
  )
  // The last one is the outermost: a request is authenticated before it is validated.
  .middleware(Validation)
  .middleware(Authorization)
  .annotate(OpenApi.Description, "The todos of the user who sends the request") {}
