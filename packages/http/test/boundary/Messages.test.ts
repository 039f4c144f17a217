import { beforeAll, describe, expect, it } from "vitest"
import { type TestUser, useServer } from "../support/testServer.ts"

type Errors = ReadonlyArray<readonly [pointer: string, message: string]>

const id = "019ab000-0000-7000-8000-000000000000"
const uuid = "must be a UUID"
const title = "must be a string of 1 to 500 characters"
const due = "must be null, {date} or {dateTime, timeZone}"
const move = "must be {before} or {after}"
const operation = "must be an object with op create, update or delete"
const revisions = "must be a revision, an array of revisions, or *"
const upTo = (limit: number) => `must be a whole number from 1 to ${limit}`

/** Invalid bodies, the errors of each, and the `detail` of the problem. */
const bodies: ReadonlyArray<readonly [route: string, body: unknown, errors: Errors, detail: string]> = [
  ["POST /v1/todos", {}, [["/title", "is required"]], "title is required"],
  ["POST /v1/todos", [], [["", "must be an object"]], "the input must be an object"],
  ["POST /v1/todos", null, [["", "must be an object"]], "the input must be an object"],
  ["POST /v1/todos", { title: 1 }, [["/title", title]], `title ${title}`],
  ["POST /v1/todos", { title: null }, [["/title", title]], `title ${title}`],
  ["POST /v1/todos", { title: "" }, [["/title", title]], `title ${title}`],
  ["POST /v1/todos", { title: "x".repeat(501) }, [["/title", title]], `title ${title}`],
  [
    "POST /v1/todos",
    { title: " " },
    [["/title", "must have a character that is not white space"]],
    "title must have a character that is not white space"
  ],
  [
    "POST /v1/todos",
    { title: "a\u0000" },
    [["/title", "must not contain U+0000 or unpaired surrogates"]],
    "title must not contain U+0000 or unpaired surrogates"
  ],
  ["POST /v1/todos", { title: "x", titel: "secret" }, [["/titel", "unknown field"]], "unknown field"],
  ["POST /v1/todos", { title: "x", "<b>": 1 }, [["", "unknown field"]], "unknown field"],
  [
    "POST /v1/todos",
    { titel: "x" },
    [
      ["/titel", "unknown field"],
      ["/title", "is required"]
    ],
    "title is required (and 1 more)"
  ],
  ["PATCH /v1/todos/ID", { due: 1 }, [["/due", due]], `due ${due}`],
  ["PATCH /v1/todos/ID", { due: "2026-12-01" }, [["/due", due]], `due ${due}`],
  ["PATCH /v1/todos/ID", { due: [] }, [["/due", due]], `due ${due}`],
  ["PATCH /v1/todos/ID", { due: {} }, [["/due/date", "is required"]], "due/date is required"],
  [
    "PATCH /v1/todos/ID",
    { due: { dateTime: "2026-12-01T09:00:00" } },
    [["/due/timeZone", "is required"]],
    "due/timeZone is required"
  ],
  [
    "PATCH /v1/todos/ID",
    { due: { date: "1 May" } },
    [["/due/date", "must be a date, YYYY-MM-DD"]],
    "due/date must be a date, YYYY-MM-DD"
  ],
  [
    "PATCH /v1/todos/ID",
    { due: { date: "2026-02-30" } },
    [["/due/date", "must be a date that exists, in the years 1 to 9999"]],
    "due/date must be a date that exists, in the years 1 to 9999"
  ],
  [
    "PATCH /v1/todos/ID",
    { due: { dateTime: "2026-12-01T09:00:00Z", timeZone: "Mars" } },
    [
      ["/due/dateTime", "must be a date and time without an offset, YYYY-MM-DDTHH:MM:SS"],
      ["/due/timeZone", "must be the name of a time zone of the IANA database"]
    ],
    "due/dateTime must be a date and time without an offset, YYYY-MM-DDTHH:MM:SS (and 1 more)"
  ],
  [
    "PATCH /v1/todos/ID",
    { priority: "urgent", completed: "yes", listId: 1, description: 1 },
    [
      ["/description", "must be null or a string of at most 10,000 characters"],
      ["/completed", "must be true or false"],
      ["/priority", "must be one of none, low, medium, high"],
      ["/listId", "must be null or a UUID"]
    ],
    "description must be null or a string of at most 10,000 characters (and 3 more)"
  ],
  [
    "PATCH /v1/todos/ID",
    { priority: null },
    [["/priority", "must be one of none, low, medium, high"]],
    "priority must be one of none, low, medium, high"
  ],
  [
    "PATCH /v1/todos/ID",
    { completed: null },
    [["/completed", "must be true or false"]],
    "completed must be true or false"
  ],
  [
    "PATCH /v1/todos/ID",
    { tags: "a" },
    [["/tags", "must be an array of at most 20 tags"]],
    "tags must be an array of at most 20 tags"
  ],
  [
    "PATCH /v1/todos/ID",
    { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) },
    [["/tags", "must be an array of at most 20 tags"]],
    "tags must be an array of at most 20 tags"
  ],
  [
    "PATCH /v1/todos/ID",
    { tags: ["a", "a"] },
    [["/tags", "must not have the same tag twice"]],
    "tags must not have the same tag twice"
  ],
  [
    "PATCH /v1/todos/ID",
    { tags: ["a", 1] },
    [["/tags/1", "must be a string of 1 to 50 characters"]],
    "tags/1 must be a string of 1 to 50 characters"
  ],
  [
    "POST /v1/lists",
    { name: "" },
    [["/name", "must be a string of 1 to 200 characters"]],
    "name must be a string of 1 to 200 characters"
  ],
  ["PATCH /v1/lists/ID", { title: "x" }, [["/title", "unknown field"]], "unknown field"],
  ["POST /v1/todos/ID/move", {}, [["", move]], `the input ${move}`],
  ["POST /v1/todos/ID/move", { before: id, after: id }, [["", move]], `the input ${move}`],
  ["POST /v1/lists/ID/move", { after: "x" }, [["/after", uuid]], `after ${uuid}`],
  ["POST /v1/todos/batch", {}, [["/operations", "is required"]], "operations is required"],
  [
    "POST /v1/todos/batch",
    { operations: [] },
    [["/operations", "must be an array of 1 to 100 operations"]],
    "operations must be an array of 1 to 100 operations"
  ],
  [
    "POST /v1/todos/batch",
    { operations: [{ op: "add" }] },
    [["/operations/0", operation]],
    `operations/0 ${operation}`
  ],
  [
    "POST /v1/todos/batch",
    {
      operations: [
        { op: "create", todo: { title: "x" } },
        { op: "create", todo: {} }
      ]
    },
    [["/operations/1/todo/title", "is required"]],
    "operations/1/todo/title is required"
  ],
  [
    "POST /v1/todos/batch",
    { operations: [{ op: "delete", id, ifRevision: "1" }] },
    [["/operations/0/ifRevision", revisions]],
    `operations/0/ifRevision ${revisions}`
  ]
]

const queries: ReadonlyArray<readonly [path: string, pointer: string, message: string]> = [
  ["/v1/todos?limit=0", "/query/limit", upTo(200)],
  ["/v1/todos?limit=1e1", "/query/limit", upTo(200)],
  ["/v1/todos?limit=1&limit=2", "/query/limit", upTo(200)],
  ["/v1/changes?limit=501", "/query/limit", upTo(500)],
  ["/v1/todos?completed=yes", "/query/completed", "must be true or false"],
  ["/v1/todos?priority=urgent", "/query/priority", "must be one of none, low, medium, high"],
  ["/v1/todos?due=soon", "/query/due", "must be one of overdue, today, upcoming, none"],
  ["/v1/todos?listId=inbox", "/query/listId", "must be a UUID or none"],
  ["/v1/todos?tag=", "/query/tag/0", "must be a string of 1 to 50 characters"],
  [
    "/v1/todos?dueFrom=soon",
    "/query/dueFrom",
    "must be a date, YYYY-MM-DD, or a time with an offset, YYYY-MM-DDTHH:MM:SSZ"
  ],
  ["/v1/todos?timeZone=Mars", "/query/timeZone", "must be the name of a time zone of the IANA database"],
  ["/v1/todos?q=%20", "/query/q", "must have a character that is not white space"],
  ["/v1/todos?cursor=a&cursor=b", "/query/cursor", "must be a string"],
  [
    "/v1/lists?sort=name",
    "/query/sort",
    "must be one of position, createdAt, updatedAt, -position, -createdAt, -updatedAt"
  ],
  ["/v1/todos/42", "/path/id", uuid],
  ["/v1/lists/42", "/path/id", uuid]
]

const headers: ReadonlyArray<readonly [method: string, name: string, value: string, detail: string]> = [
  ["PATCH", "if-match", "42", 'if-match must be * or a list of entity tags such as "42"'],
  ["GET", "if-none-match", "x", 'if-none-match must be * or a list of entity tags such as "42"'],
  ["PUT", "if-none-match", '"42"', "if-none-match must be *"],
  ["POST", "idempotency-key", "a b", "idempotency-key must be 1 to 255 visible ASCII characters"]
]

describe("Messages of invalid input", () => {
  const server = useServer()
  let me: TestUser
  beforeAll(async () => {
    me = await server.user()
  })

  it.each(bodies)("the response to %s %j says what to do", async (route, json, errors, detail) => {
    const [method = "", path = ""] = route.replace("ID", id).split(" ")
    const { body, status } = await me.send(method, path, { json })
    expect(status).toBe(422)
    expect(body.errors.map((error: { pointer: string; message: string }) => [error.pointer, error.message])).toEqual(
      errors
    )
    expect(body.detail).toBe(detail)
  })

  it.each(queries)("the response to GET %s says what to do", async (path, pointer, message) => {
    const { body, status } = await me.send("GET", path)
    expect(status).toBe(422)
    expect(body).toMatchObject({ errors: [{ pointer, message }], detail: `${pointer.slice(1)} ${message}` })
  })

  it.each(["/v1/todos?limits=1", "/v1/me?limits=1"])(
    "GET %s names no parameter outside of the pointer",
    async (path) => {
      const { body } = await me.send("GET", path)
      expect(body).toMatchObject({
        errors: [{ pointer: "/query/limits", message: "unknown field" }],
        detail: "unknown field"
      })
    }
  )

  it.each(headers)("the response to %s with %s: %s says what to do", async (method, name, value, detail) => {
    const path = method === "POST" ? "/v1/todos" : `/v1/todos/${id}`
    const sent = method === "GET" ? {} : { json: { title: "x" } }
    const { body, status } = await me.send(method, path, { ...sent, headers: { [name]: value } })
    expect({ status, code: body.code, detail: body.detail }).toEqual({ status: 400, code: "malformed-request", detail })
  })

  it("the detail names the first of many errors, and counts the others", async () => {
    const json = { operations: Array.from({ length: 30 }, () => ({ op: "create", todo: {} })) }
    const { body } = await me.send("POST", "/v1/todos/batch", { json })
    expect(body.errors).toHaveLength(20)
    expect(body.detail).toBe("operations/0/todo/title is required (and 19 more)")
  })
})
