import { NewTodo, Page, Todo, TodoBatch, TodoId, TodoMove, TodoPatch, TodoQuery } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { IfMatch, IfNoneMatchAny } from "./Etag.ts"
import {
  ConflictProblem,
  InvalidCursorProblem,
  InvalidInputProblem,
  ListNotFoundProblem,
  RevisionMismatchProblem,
  TodoNotFoundProblem,
  UnavailableProblem,
  UserDisabledProblem
} from "./Problem.ts"
import { Validation } from "./Validation.ts"

const id = { id: TodoId }
const ifMatch = { "if-match": Schema.optionalKey(IfMatch) }
const tagged = { etag: Schema.String }
const TaggedTodo = HttpApiSchema.WithHeaders(Todo, tagged)
const CreatedTodo = HttpApiSchema.WithHeaders(Todo.pipe(HttpApiSchema.status(201)), {
  ...tagged,
  location: Schema.String
})

const BatchResults = Schema.Struct({
  results: Schema.Array(Schema.Struct({ index: Schema.Int, todo: Todo }))
}).annotate({ identifier: "TodoBatchResults" })

const readErrors = [UnavailableProblem, UserDisabledProblem] as const
const writeErrors = [...readErrors, RevisionMismatchProblem] as const

/** The todos of the caller. */
export class TodosApi extends HttpApiGroup.make("todos")
  .add(
    HttpApiEndpoint.get("list", "/v1/todos", {
      query: TodoQuery.fields,
      success: Page(Todo).annotate({ identifier: "TodoPage" }),
      error: [...readErrors, InvalidCursorProblem, InvalidInputProblem]
    }).annotate(OpenApi.Summary, "One page of todos"),

    HttpApiEndpoint.post("create", "/v1/todos", {
      payload: NewTodo,
      success: CreatedTodo,
      error: [...readErrors, InvalidInputProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Add a todo"),

    HttpApiEndpoint.get("get", "/v1/todos/:id", {
      params: id,
      success: TaggedTodo,
      error: [...readErrors, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "One todo"),

    HttpApiEndpoint.put("put", "/v1/todos/:id", {
      params: id,
      headers: { ...ifMatch, "if-none-match": Schema.optionalKey(IfNoneMatchAny) },
      payload: NewTodo,
      success: [TaggedTodo, CreatedTodo],
      error: [...writeErrors, InvalidInputProblem, ListNotFoundProblem, ConflictProblem]
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
      headers: ifMatch,
      success: TaggedTodo,
      error: [...writeErrors, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "Take a todo out of the trash"),

    HttpApiEndpoint.post("move", "/v1/todos/:id/move", {
      params: id,
      headers: ifMatch,
      payload: TodoMove,
      success: TaggedTodo,
      error: [...writeErrors, InvalidInputProblem, TodoNotFoundProblem]
    }).annotate(OpenApi.Summary, "Put a todo right before or behind another one"),

    HttpApiEndpoint.post("batch", "/v1/todos/batch", {
      payload: TodoBatch,
      success: BatchResults,
      error: [...writeErrors, InvalidInputProblem, TodoNotFoundProblem, ListNotFoundProblem]
    }).annotate(OpenApi.Summary, "Create, update and delete up to 100 todos: all or none")
  )
  .middleware(Validation)
  .middleware(Authorization) {}
