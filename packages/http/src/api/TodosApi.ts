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
import { idempotencyKey, ifMatch, ifNoneMatch, ifNothing, located, NotModified, tagged } from "./Headers.ts"
import {
  ConflictProblem,
  InvalidCursorProblem,
  InvalidInputProblem,
  keyErrors,
  ListNotFoundProblem,
  TodoNotFoundProblem,
  writeErrors
} from "./Problem.ts"
import { wholeNumber } from "./Query.ts"
import { Validation } from "./Validation.ts"

const id = { id: TodoId }
const TaggedTodo = HttpApiSchema.WithHeaders(Todo, tagged)
const CreatedTodo = HttpApiSchema.WithHeaders(Todo.pipe(HttpApiSchema.status(201)), located)

const BatchResults = Schema.Struct({
  results: Schema.Array(Schema.Struct({ index: Schema.Int, todo: Todo }))
}).annotate({ identifier: "TodoBatchResults" })

/** The todos of the caller. */
export class TodosApi extends HttpApiGroup.make("todos")
  .add(
    HttpApiEndpoint.get("list", "/v1/todos", {
      query: { ...TodoQuery.fields, limit: wholeNumber(PageLimit, pageLimit.default) },
      success: Page(Todo).annotate({ identifier: "TodoPage" }),
      error: [InvalidCursorProblem, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "One page of todos"),

    HttpApiEndpoint.post("create", "/v1/todos", {
      headers: idempotencyKey,
      payload: NewTodo,
      success: CreatedTodo,
      error: [...keyErrors, ConflictProblem, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Add a todo"),

    HttpApiEndpoint.get("get", "/v1/todos/:id", {
      params: id,
      headers: ifNoneMatch,
      success: [TaggedTodo, NotModified],
      error: [TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "One todo"),

    HttpApiEndpoint.put("put", "/v1/todos/:id", {
      params: id,
      headers: { ...ifMatch, ...ifNothing },
      payload: NewTodo,
      success: [TaggedTodo, CreatedTodo],
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Create a todo under an id of the client, or replace it"),

    HttpApiEndpoint.patch("update", "/v1/todos/:id", {
      params: id,
      headers: ifMatch,
      payload: [TodoPatch, TodoPatch.pipe(HttpApiSchema.asJson({ contentType: "application/merge-patch+json" }))],
      success: TaggedTodo,
      error: [...writeErrors, InvalidInputProblem, TodoNotFoundProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Change some fields: absent keeps, null clears"),

    HttpApiEndpoint.delete("delete", "/v1/todos/:id", {
      params: id,
      headers: ifMatch,
      success: HttpApiSchema.NoContent,
      error: [...writeErrors, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "Put a todo into the trash"),

    HttpApiEndpoint.post("restore", "/v1/todos/:id/restore", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      success: TaggedTodo,
      error: [...writeErrors, ...keyErrors, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "Take a todo out of the trash"),

    HttpApiEndpoint.post("move", "/v1/todos/:id/move", {
      params: id,
      headers: { ...ifMatch, ...idempotencyKey },
      payload: TodoMove,
      success: TaggedTodo,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "Put a todo right before or behind another one"),

    HttpApiEndpoint.post("batch", "/v1/todos/batch", {
      headers: idempotencyKey,
      payload: TodoBatch,
      success: BatchResults,
      error: [...writeErrors, ...keyErrors, InvalidInputProblem, TodoNotFoundProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Create, update and delete up to 100 todos: all or none")
  )
  .middleware(Validation)
  .middleware(Authorization) {}
