/* oxlint-disable vitest/expect-expect -- compare asserts */
import { randomUUID } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import { routes } from "../support/routes.ts"
import { type Answer, type Sent, type TestUser, useServer } from "../support/testServer.ts"

/** A request that carries an id, in its path or elsewhere. */
interface Attempt {
  readonly method: string
  readonly path: string
  readonly sent?: Sent
}

/** `own` is the id of a todo and of a list of the caller. */
type Cases = (id: string, own: string) => ReadonlyArray<Attempt>

const todo = { title: "mine" }
const list = { name: "mine" }
const ifMatch = { headers: { "if-match": '"1"' } }

/** The requests of every route with an id in its path. A route without a case fails a test below. */
const pathCases: Record<string, Cases> = {
  "GET /v1/todos/:id": (id) => [
    { method: "GET", path: `/v1/todos/${id}` },
    { method: "GET", path: `/v1/todos/${id}`, sent: { headers: { "if-none-match": '"1"' } } },
    { method: "HEAD", path: `/v1/todos/${id}` }
  ],
  "PUT /v1/todos/:id": (id) => [
    { method: "PUT", path: `/v1/todos/${id}`, sent: { json: todo, ...ifMatch } },
    { method: "PUT", path: `/v1/todos/${id}`, sent: { json: todo, headers: { "if-match": "*" } } },
    { method: "PUT", path: `/v1/todos/${id}`, sent: { json: todo, headers: { "if-none-match": "*" } } },
    { method: "PUT", path: `/v1/todos/${id}`, sent: { json: todo } }
  ],
  "PATCH /v1/todos/:id": (id) => [
    { method: "PATCH", path: `/v1/todos/${id}`, sent: { json: todo } },
    { method: "PATCH", path: `/v1/todos/${id}`, sent: { json: {} } },
    { method: "PATCH", path: `/v1/todos/${id}`, sent: { json: todo, ...ifMatch } }
  ],
  "DELETE /v1/todos/:id": (id) => [
    { method: "DELETE", path: `/v1/todos/${id}` },
    { method: "DELETE", path: `/v1/todos/${id}`, sent: ifMatch }
  ],
  "POST /v1/todos/:id/restore": (id) => [
    { method: "POST", path: `/v1/todos/${id}/restore` },
    { method: "POST", path: `/v1/todos/${id}/restore`, sent: ifMatch }
  ],
  "POST /v1/todos/:id/move": (id, own) => [
    { method: "POST", path: `/v1/todos/${id}/move`, sent: { json: { before: own } } },
    { method: "POST", path: `/v1/todos/${id}/move`, sent: { json: { after: own }, ...ifMatch } }
  ],
  "GET /v1/lists/:id": (id) => [
    { method: "GET", path: `/v1/lists/${id}` },
    { method: "GET", path: `/v1/lists/${id}`, sent: { headers: { "if-none-match": '"3"' } } }
  ],
  "PUT /v1/lists/:id": (id) => [
    { method: "PUT", path: `/v1/lists/${id}`, sent: { json: list, ...ifMatch } },
    { method: "PUT", path: `/v1/lists/${id}`, sent: { json: list } }
  ],
  "PATCH /v1/lists/:id": (id) => [
    { method: "PATCH", path: `/v1/lists/${id}`, sent: { json: list } },
    { method: "PATCH", path: `/v1/lists/${id}`, sent: { json: list, ...ifMatch } }
  ],
  "DELETE /v1/lists/:id": (id) => [
    { method: "DELETE", path: `/v1/lists/${id}` },
    { method: "DELETE", path: `/v1/lists/${id}?todos=trash` },
    { method: "DELETE", path: `/v1/lists/${id}?todos=keep`, sent: ifMatch }
  ],
  "POST /v1/lists/:id/restore": (id) => [{ method: "POST", path: `/v1/lists/${id}/restore` }],
  "POST /v1/lists/:id/move": (id, own) => [
    { method: "POST", path: `/v1/lists/${id}/move`, sent: { json: { after: own } } }
  ]
}

/** The routes that take the id of a todo or a list elsewhere. */
const inputCases: Record<string, Cases> = {
  "GET /v1/todos": (id) => [
    { method: "GET", path: `/v1/todos?listId=${id}` },
    { method: "GET", path: `/v1/todos?listId=${id}&deleted=true&count=true` },
    { method: "GET", path: `/v1/todos?q=${id}` },
    { method: "GET", path: `/v1/todos?cursor=${id}` }
  ],
  "GET /v1/lists": (id) => [{ method: "GET", path: `/v1/lists?cursor=${id}` }],
  "GET /v1/changes": (id) => [
    { method: "GET", path: `/v1/changes?since=${id}` },
    { method: "GET", path: "/v1/changes", sent: { headers: { "last-event-id": id } } }
  ],
  "POST /v1/lists/:id/move": (id, own) => [
    { method: "POST", path: `/v1/lists/${own}/move`, sent: { json: { before: id } } },
    { method: "POST", path: `/v1/lists/${own}/move`, sent: { json: { after: id } } }
  ],
  "POST /v1/todos": (id) => [{ method: "POST", path: "/v1/todos", sent: { json: { ...todo, listId: id } } }],
  "PUT /v1/todos/:id": (id, own) => [
    { method: "PUT", path: `/v1/todos/${own}`, sent: { json: { ...todo, listId: id } } }
  ],
  "PATCH /v1/todos/:id": (id, own) => [{ method: "PATCH", path: `/v1/todos/${own}`, sent: { json: { listId: id } } }],
  "POST /v1/todos/:id/move": (id, own) => [
    { method: "POST", path: `/v1/todos/${own}/move`, sent: { json: { before: id } } },
    { method: "POST", path: `/v1/todos/${own}/move`, sent: { json: { after: id } } }
  ],
  "POST /v1/todos/batch": (id, own) =>
    [
      { op: "update", id, patch: todo },
      { op: "update", id: own, patch: { listId: id } },
      { op: "delete", id },
      { op: "create", todo: { ...todo, listId: id } }
    ].map((operation) => ({ method: "POST", path: "/v1/todos/batch", sent: { json: { operations: [operation] } } }))
}

/** A response without its request id, times and the requested id, which always differ. */
const comparable = ({ headers, status, text }: Answer, asked: string) => {
  const { date: _date, "x-request-id": requestId = "", ...rest } = headers
  const plain = (part: string) =>
    part
      .replaceAll(asked, "ASKED")
      .replaceAll(requestId, "REQUEST")
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "NOW")
  return { status, headers: JSON.parse(plain(JSON.stringify(rest))), text: plain(text) }
}

/** Removes the length of a response with a cursor. Cursors are bound to their user, so those of two users differ in length. */
const withoutUser = (answer: Answer, { id }: TestUser): Answer => {
  const text = answer.text.replaceAll(id, "USER").replaceAll(/"nextCursor":"[\w-]+"/g, '"nextCursor":"CURSOR"')
  const { "content-length": _length, ...headers } = answer.headers
  return { ...answer, text, headers: text.includes("CURSOR") ? headers : answer.headers }
}

describe("Isolation", () => {
  const server = useServer()
  let owner: TestUser
  /** The rows of the owner: a todo, a todo in the trash, and a list. */
  let foreign: { readonly todo: string; readonly trashed: string; readonly list: string }

  const rows = () =>
    server.sql(
      `select to_jsonb(t)::text as row from todo.todos t where owner_id = $1
       union all select to_jsonb(l)::text from todo.lists l where owner_id = $1
       union all select to_jsonb(u)::text from todo.users u where id = $1 order by 1`,
      owner.id
    )

  beforeAll(async () => {
    owner = await server.user()
    const [{ id }, trashed] = [await owner.add({ title: "secret" }), await owner.add({ title: "trashed" })]
    await owner.send("DELETE", `/v1/todos/${trashed.id}`)
    const list = (await owner.send("POST", "/v1/lists", { json: { name: "secret list" } })).body.id
    await owner.add({ title: "secret in a list", listId: list })
    foreign = { todo: id, trashed: trashed.id, list }
  })

  /** Compares two users with equal histories: one requests a row of the owner, the other an unknown id. */
  const compare = async (id: string, attempts: Cases) => {
    const before = await rows()
    expect(before.length).toBe(5)
    const random = randomUUID()
    const [some, none] = [await server.user(), await server.user()]
    const own = randomUUID()
    for (const user of [some, none]) {
      await user.send("PUT", `/v1/todos/${own}`, { json: { title: "own" } })
      await user.send("PUT", `/v1/lists/${own}`, { json: { name: "own" } })
    }
    const asked = attempts(id, own)
    const control = attempts(random, own)
    expect(asked.length).toBeGreaterThan(0)
    for (const [index, { method, path, sent }] of asked.entries()) {
      const other = control[index]
      const answer = await some.send(method, path, sent)
      const nothing = await none.send(method, other?.path ?? "", other?.sent)
      expect(comparable(withoutUser(answer, some), id)).toEqual(comparable(withoutUser(nothing, none), random))
      expect(answer.status, `${method} ${path}`).toBeLessThan(500)
      expect(answer.text).not.toMatch(/secret|trashed/)
      expect(answer.text).not.toContain(owner.id)
    }
    expect(await rows()).toEqual(before)
  }

  const known = (cases: Record<string, unknown>) =>
    routes.map(({ method, path }) => `${method} ${path}`).filter((route) => route in cases)

  it("every route with an id has a case in this test", () => {
    const withId = routes.filter(({ path }) => path.includes(":")).map(({ method, path }) => `${method} ${path}`)
    expect(withId.length).toBeGreaterThan(4)
    expect(withId.filter((route) => !(route in pathCases))).toEqual([])
  })

  describe.each(known(pathCases))("%s", (route) => {
    it.each(["todo", "trashed", "list"] as const)("another user's %s is answered like an unknown id", (kind) =>
      compare(foreign[kind], pathCases[route] ?? (() => []))
    )
  })

  describe.each(known(inputCases))("%s, an id in its input", (route) => {
    it.each(["todo", "trashed", "list"] as const)("another user's %s is answered like an unknown id", (kind) =>
      compare(foreign[kind], inputCases[route] ?? (() => []))
    )
  })

  it("the owner gets other responses than for an unknown id, so the tests above can fail", async () => {
    for (const attempt of [
      { method: "GET", path: `/v1/todos/${foreign.todo}` },
      { method: "PATCH", path: `/v1/todos/${foreign.todo}`, sent: { json: {} } },
      { method: "PUT", path: `/v1/todos/${foreign.todo}`, sent: { json: todo, headers: { "if-none-match": "*" } } }
    ]) {
      const random = randomUUID()
      const answer = await owner.send(attempt.method, attempt.path, attempt.sent)
      const nothing = await owner.send(attempt.method, `/v1/todos/${random}`, attempt.sent)
      expect(comparable(answer, foreign.todo)).not.toEqual(comparable(nothing, random))
    }
  })

  it("a page has only the caller's todos, also if another user has more that match", async () => {
    const other = await server.user()
    const mine = await other.add()
    for (const query of ["", "sort=-createdAt", "completed=false", "listId=none", "limit=200"]) {
      expect((await other.send("GET", `/v1/todos?${query}`)).body).toEqual({ items: [mine], nextCursor: null })
    }
  })

  it("two users can use the same id", async () => {
    const [one, two] = [await server.user(), await server.user()]
    const path = `/v1/todos/${randomUUID()}`
    expect((await one.send("PUT", path, { json: { title: "one" } })).status).toBe(201)
    expect((await two.send("PUT", path, { json: { title: "two" }, headers: { "if-none-match": "*" } })).status).toBe(
      201
    )
    expect((await one.send("DELETE", path)).status).toBe(204)
    expect((await two.send("GET", path)).body).toMatchObject({ title: "two", revision: 1 })
  })

  it("users with similar ids are different users", async () => {
    const name = `user-${randomUUID()}`
    const ids = [
      name,
      ` ${name}`,
      `${name} `,
      name.toUpperCase(),
      `${name}%`,
      `${name}\u00e9`,
      `${name}e\u0301`,
      `${name}'--`
    ]
    const users = await Promise.all(ids.map((id) => server.user(id)))
    for (const [index, user] of users.entries()) await user.add({ title: `of ${index}` })
    for (const [index, user] of users.entries()) {
      const { items } = (await user.send("GET", "/v1/todos")).body
      expect(items.map(({ title }: { title: string }) => title)).toEqual([`of ${index}`])
    }
  })

  it("concurrent users are never mixed up", async () => {
    const users = await Promise.all(Array.from({ length: 20 }, () => server.user()))
    const todos = await Promise.all(users.map((user) => user.add({ title: user.id })))
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const user = users[index % 20]
        const theirs = todos[(index + 1 + (index % 19)) % 20]
        const [list, one] = await Promise.all([
          user?.send("GET", "/v1/todos"),
          user?.send("GET", `/v1/todos/${theirs.id}`)
        ])
        const seen = list?.body.items.map(({ title }: { title: string }) => title)
        return { seen, expected: [user?.id], status: one?.status, own: theirs.title === user?.id }
      })
    )
    for (const { expected, own, seen, status } of answers) {
      expect(seen).toEqual(expected)
      expect(status).toBe(own ? 200 : 404)
    }
  })
})
