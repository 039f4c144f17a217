/**
 * An example of every body in the OpenAPI document, by the name of its schema. The bodies of requests can be sent as they
 * are, in this order: `PUT` with the ids first, `move` later.
 */
import * as Domain from "@todo/core/domain"
import { RateLimited, Unauthorized } from "./Problem.ts"
import { describe, details, type ProblemCode, problemTypes } from "./ProblemTypes.ts"

/** The id of the todo and of the list in the examples. */
export const exampleId = "0199ab00-0000-7000-8000-000000000001"
const otherId = "0199ab00-0000-7000-8000-000000000002"

const createdAt = "2026-11-23T06:00:00.000Z"

const newTodo = {
  title: "Buy milk",
  description: "Two litres",
  priority: "high",
  due: { date: "2026-12-01" },
  tags: ["home", "shop"]
}

const todo = {
  id: exampleId,
  ...newTodo,
  completed: false,
  completedAt: null,
  listId: null,
  position: "a0",
  revision: 42,
  createdAt,
  updatedAt: createdAt,
  deletedAt: null
}

const list = {
  id: exampleId,
  name: "Home",
  position: "a0",
  revision: 43,
  createdAt,
  updatedAt: createdAt,
  deletedAt: null
}

const bodies: Record<string, unknown> = {
  NewTodo: newTodo,
  TodoPatch: { completed: true, due: null },
  TodoMove: { after: otherId },
  TodoBatch: {
    operations: [
      { op: "create", todo: { title: "Buy bread", tags: ["shop"] } },
      { op: "create", todo: { title: "Call Mom", due: { dateTime: "2026-12-01T18:00:00", timeZone: "Europe/Paris" } } }
    ]
  },
  NewList: { name: "Home" },
  ListPatch: { name: "House" },
  ListMove: { after: otherId },
  Todo: todo,
  TodoPage: { items: [todo], nextCursor: null, total: 1 },
  TodoBatchResults: { results: [{ index: 0, todo }] },
  List: list,
  ListPage: { items: [list], nextCursor: null },
  ChangePage: {
    changes: [{ kind: "todo", id: exampleId, revision: 42, deleted: false, todo }],
    nextCursor: "MjAyNg",
    hasMore: false
  },
  Account: { id: "alice", revision: 43, counts: { open: 1, completed: 0, trashed: 0, lists: 1 } },
  Ok: { status: "ok" }
}

const invalidInput = new Domain.InvalidInput({ errors: [{ pointer: "/title", message: "is required" }] })

/** The errors behind the problems, which say what to do, and what their problems have besides. */
const errors: Partial<Record<ProblemCode, readonly [error: { readonly message: string }, members?: object]>> = {
  "invalid-cursor": [new Domain.InvalidCursor({})],
  unauthorized: [new Unauthorized({ reason: "invalid" })],
  "user-disabled": [new Domain.UserDisabled({})],
  "todo-not-found": [new Domain.TodoNotFound({})],
  "list-not-found": [new Domain.ListNotFound({})],
  conflict: [new Domain.Conflict({ reason: "in-trash" }), { reason: "in-trash" }],
  "list-not-empty": [new Domain.ListNotEmpty({})],
  "idempotency-key-in-use": [new Domain.IdempotencyKeyInUse({})],
  "cursor-expired": [new Domain.CursorExpired({})],
  "revision-mismatch": [new Domain.RevisionMismatch({ current: 42 })],
  "invalid-input": [invalidInput, { errors: invalidInput.errors }],
  "idempotency-key-reused": [new Domain.IdempotencyKeyReused({})],
  "rate-limited": [new RateLimited({ retryAfter: 1 })],
  unavailable: [new Domain.Unavailable({ outcome: "not-applied" }), { outcome: "not-applied" }]
}

/** The problems in the order of their statuses, but those that no operation documents. */
const problems = (Object.keys(problemTypes) as Array<ProblemCode>).flatMap((code) => {
  if (code === "route-not-found" || code === "method-not-allowed") return []
  const [error, members] = errors[code] ?? []
  const detail = error?.message ?? details[code as keyof typeof details]
  const requestId = "5b2d3f0e-5c6e-4b0f-9d0a-0c5f3a1b7e11"
  return [[`Problem-${code}`, { value: { ...describe(code, detail), ...members, requestId } }] as const]
})

/** The examples by the name of their schema. */
export const examples: Record<string, { readonly value: unknown }> = Object.fromEntries([
  ...Object.entries(bodies).map(([name, value]) => [name, { value }] as const),
  ...problems
])
