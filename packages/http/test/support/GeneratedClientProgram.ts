/**
 * A program that uses only a client generated from the OpenAPI document. It is text, because `api.d.ts` exists only after
 * the test has generated it.
 */
export const program = `
import assert from "node:assert/strict"
import createClient from "openapi-fetch"
import type { components, paths } from "./api.d.ts"

const [baseUrl = "", token = ""] = process.argv.slice(2)
// The content types to choose from: pages of changes, not the stream.
const client = createClient<paths, \`application/\${string}json\`>({ baseUrl, headers: { authorization: \`Bearer \${token}\` } })

type Todo = components["schemas"]["Todo"]

/** The data of a response that is not an error. */
const must = <A>({ data, error }: { data?: A; error?: unknown }): A => {
  assert.equal(error, undefined)
  assert(data !== undefined)
  return data
}

const created = await client.POST("/v1/todos", {
  params: { header: { "idempotency-key": "once" } },
  body: { title: "Buy milk", due: { date: "2026-12-01" }, priority: "high", tags: ["home", "shop"] }
})
const todo: Todo = must(created)
const path = { id: todo.id }
assert.equal(created.response.status, 201)
assert.deepEqual(must(await client.GET("/v1/todos/{id}", { params: { path } })), todo)

const header = { "if-match": created.response.headers.get("etag") ?? "" }
const done = must(
  await client.PATCH("/v1/todos/{id}", { params: { path, header }, body: { completed: true, due: null } })
)
assert.deepEqual([done.completed, done.due, done.title], [true, null, "Buy milk"])

const stale = await client.PATCH("/v1/todos/{id}", { params: { path, header }, body: { title: "x" } })
assert(stale.error?.code === "revision-mismatch")
const status: 412 = stale.error.status
assert.equal(stale.response.status, status)
assert.equal(stale.response.headers.get("etag"), '"2"')

const unknown = await client.GET("/v1/todos/{id}", { params: { path: { id: crypto.randomUUID() } } })
assert(unknown.error?.code === "todo-not-found")

const invalid = await client.POST("/v1/todos", { body: { title: " " } })
assert(invalid.error?.code === "invalid-input")
assert.deepEqual(invalid.error.errors.map(({ pointer }) => pointer), ["/title"])

const { results } = must(
  await client.POST("/v1/todos/batch", {
    body: {
      operations: [
        { op: "create", todo: { title: "b", tags: ["home"] } },
        { op: "create", todo: { title: "c" } },
        { op: "update", id: todo.id, patch: { title: "a" }, ifRevision: 2 }
      ]
    }
  })
)
assert.deepEqual(results.map(({ todo: { title } }) => title), ["b", "c", "a"])

const list = async (query: NonNullable<paths["/v1/todos"]["get"]["parameters"]["query"]>) => {
  const { items, nextCursor, total } = must(await client.GET("/v1/todos", { params: { query } }))
  return { titles: items.map(({ title }) => title), nextCursor, total }
}
assert.deepEqual((await list({ tag: ["home", "shop"], completed: true, priority: "high" })).titles, ["a"])
assert.deepEqual((await list({ completed: false, sort: "-title" })).titles, ["c", "b"])
const first = await list({ sort: "title", limit: 2, count: true })
assert.deepEqual([first.titles, first.total], [["a", "b"], 3])
assert.deepEqual((await list({ sort: "title", limit: 2, cursor: first.nextCursor ?? "" })).titles, ["c"])

const lists = must(await client.POST("/v1/lists", { body: { name: "home" } }))
must(await client.POST("/v1/todos/{id}/move", { params: { path }, body: { after: results[1]?.todo.id ?? "" } }))
const { response } = await client.DELETE("/v1/lists/{id}", {
  params: { path: { id: lists.id }, query: { todos: "keep" } }
})
assert.equal(response.status, 204)

const page = must(await client.GET("/v1/changes", { params: { query: { limit: 500 } } }))
const kept = page.changes.flatMap((change) => (change.kind === "todo" ? [change.todo.title] : []))
assert.deepEqual(kept, ["b", "c", "a"])
assert(page.changes.some((change) => change.kind === "list" && change.deleted && change.list.name === "home"))
assert.deepEqual(must(await client.GET("/v1/changes", { params: { query: { since: page.nextCursor } } })).changes, [])

const refused = await createClient<paths>({ baseUrl }).GET("/v1/me")
assert(refused.error?.code === "unauthorized")
assert(refused.error.requestId === refused.response.headers.get("x-request-id"))

// Calls outside of the document do not compile. If one did, its expected error would be missing.
export const mistakes = () => [
  // @ts-expect-error -- the title is missing
  client.POST("/v1/todos", { body: { titel: "x" } }),
  // @ts-expect-error -- the order does not exist
  client.GET("/v1/todos", { params: { query: { sort: "colour" } } }),
  // @ts-expect-error -- a number
  client.GET("/v1/todos", { params: { query: { limit: "10" } } }),
  // @ts-expect-error -- a boolean
  client.GET("/v1/todos", { params: { query: { completed: "true" } } }),
  // @ts-expect-error -- the route does not exist
  client.GET("/v1/todo"),
  // @ts-expect-error -- the code does not exist
  refused.error.code === "revision-mismatched"
]
console.log("done")
`
