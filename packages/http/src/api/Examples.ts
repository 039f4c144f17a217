/**
 * An example of every body in the OpenAPI document, by the name of its schema. The bodies of requests can be sent as they
 * are, in this order: `PUT` with the ids first, `move` later.
 */
import { describe, type ProblemCode } from "./Problem.ts"

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

/** The `detail` of each problem, and the members that only this problem has. */
const problems: Partial<Record<ProblemCode, readonly [detail: string, members?: object]>> = {
  "malformed-request": ["The request cannot be read: malformed JSON, or a malformed header"],
  "invalid-cursor": ["The cursor was not made for this user and this query"],
  unauthorized: ["The credentials are not valid"],
  "user-disabled": ["The user is disabled"],
  "todo-not-found": ["There is no such todo"],
  "list-not-found": ["There is no such list"],
  conflict: ["The id belongs to something in the trash; restore it first", { reason: "in-trash" }],
  "list-not-empty": ["The list holds todos; say whether they go to the trash with it or stay without a list"],
  "idempotency-key-in-use": ["A request with this idempotency key is still running"],
  "cursor-expired": ["What came after the cursor is no longer kept in full; start again without a cursor"],
  "revision-mismatch": ["The resource has changed since the revision that was given"],
  "payload-too-large": ["The body is larger than this server reads"],
  "unsupported-media-type": ["The body must be JSON in UTF-8, and not compressed"],
  "invalid-input": [
    "The input breaks a rule",
    { errors: [{ pointer: "/title", message: "Expected text with at least one character that is not white space" }] }
  ],
  "idempotency-key-reused": ["The idempotency key belongs to another request"],
  "rate-limited": ["Too many requests; wait before the next one"],
  internal: ["Something went wrong on our side; the request id leads to it"],
  unavailable: ["The database cannot answer at the moment", { outcome: "not-applied" }]
}

/** The examples by the name of their schema. */
export const examples: Record<string, { readonly value: unknown }> = Object.fromEntries([
  ...Object.entries(bodies).map(([name, value]) => [name, { value }]),
  ...Object.entries(problems).map(([code, [detail, members]]) => [
    `Problem-${code}`,
    {
      value: { ...describe(code as ProblemCode, detail), ...members, requestId: "5b2d3f0e-5c6e-4b0f-9d0a-0c5f3a1b7e11" }
    }
  ])
])
