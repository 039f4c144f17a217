import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { type TestUser, useServer } from "../support/testServer.ts"

describe("Lists, moves and batches over HTTP", () => {
  const server = useServer()

  const addList = async (me: TestUser, name = "home") => (await me.send("POST", "/v1/lists", { json: { name } })).body

  const titles = async (me: TestUser, query = "") =>
    (await me.send("GET", `/v1/todos?${query}`)).body.items.map(({ title }: { title: string }) => title)

  it("a list can be created, read, renamed, replaced, deleted and restored", async () => {
    const me = await server.user()
    const created = await me.send("POST", "/v1/lists", { json: { name: "home" } })
    const path = `/v1/lists/${created.body.id}`
    expect(created).toMatchObject({ status: 201, headers: { etag: '"1"', location: path }, body: { name: "home" } })
    expect(Object.keys(created.body).toSorted()).toEqual([
      "createdAt",
      "deletedAt",
      "id",
      "name",
      "position",
      "revision",
      "updatedAt"
    ])
    expect(await me.send("GET", path)).toMatchObject({ status: 200, headers: { etag: '"1"' }, body: created.body })
    const renamed = await me.send("PATCH", path, { json: { name: "work" }, headers: { "if-match": '"1"' } })
    expect(renamed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { name: "work", revision: 2 } })
    const stale = await me.send("PUT", path, { json: { name: "x" }, headers: { "if-match": '"1"' } })
    expect(stale).toMatchObject({ status: 412, headers: { etag: '"2"' }, body: { code: "revision-mismatch" } })
    expect((await me.send("DELETE", path)).status).toBe(204)
    expect(await me.send("GET", path)).toMatchObject({ status: 404, body: { code: "list-not-found" } })
    expect((await me.send("GET", "/v1/lists")).body).toEqual({ items: [], nextCursor: null })
    expect((await me.send("POST", `${path}/restore`)).body).toMatchObject({ name: "work", deletedAt: null })
  })

  it("a list with todos is deleted only with `todos=trash` or `todos=keep`", async () => {
    const me = await server.user()
    const { id } = await addList(me)
    await me.add({ listId: id })
    expect(await me.send("DELETE", `/v1/lists/${id}`)).toMatchObject({ status: 409, body: { code: "list-not-empty" } })
    expect((await me.send("GET", `/v1/lists/${id}`)).status).toBe(200)
  })

  it.each([
    ["keep", [], ["in it", "out of it"]],
    ["trash", ["in it"], ["out of it"]]
  ])("?todos=%s deletes a list that has todos", async (todos, trashed, left) => {
    const me = await server.user()
    const { id } = await addList(me)
    await me.add({ title: "in it", listId: id })
    await me.add({ title: "out of it" })
    expect((await me.send("DELETE", `/v1/lists/${id}?todos=${todos}`)).status).toBe(204)
    expect(await titles(me, "listId=none")).toEqual(left)
    expect(await titles(me, "deleted=true")).toEqual(trashed)
  })

  it("a move changes only the position of the todo", async () => {
    const me = await server.user()
    const [a, , c] = [await me.add({ title: "a" }), await me.add({ title: "b" }), await me.add({ title: "c" })]
    const moved = await me.send("POST", `/v1/todos/${c.id}/move`, { json: { before: a.id } })
    expect(moved).toMatchObject({ status: 200, headers: { etag: '"4"' }, body: { title: "c", revision: 4 } })
    expect(await titles(me)).toEqual(["c", "a", "b"])
    await me.send("POST", `/v1/todos/${c.id}/move`, { json: { after: a.id } })
    expect(await titles(me)).toEqual(["a", "c", "b"])
    const nowhere = await me.send("POST", `/v1/todos/${c.id}/move`, { json: { after: randomUUID() } })
    expect(nowhere.status).toBe(404)
    expect(await titles(me)).toEqual(["a", "c", "b"])
  })

  describe("a batch", () => {
    const batch = (me: TestUser, ...operations: ReadonlyArray<unknown>) =>
      me.send("POST", "/v1/todos/batch", { json: { operations } })

    it("a batch answers each operation with its todo, in order", async () => {
      const me = await server.user()
      const [a, b] = [await me.add({ title: "a" }), await me.add({ title: "b" })]
      const { body, status } = await batch(
        me,
        { op: "create", todo: { title: "c" } },
        { op: "update", id: a.id, patch: { title: "A" }, ifRevision: 1 },
        { op: "delete", id: b.id }
      )
      expect(status).toBe(200)
      expect(body).toMatchObject({
        results: [
          { index: 0, todo: { title: "c" } },
          { index: 1, todo: { id: a.id, title: "A" } },
          { index: 2, todo: { id: b.id, deletedAt: expect.any(String) } }
        ]
      })
      expect(await titles(me)).toEqual(["A", "c"])
    })

    it.each([
      ["a todo that is not there", () => ({ op: "delete", id: randomUUID() }), 404, "todo-not-found"],
      [
        "a list that is not there",
        () => ({ op: "create", todo: { title: "x", listId: randomUUID() } }),
        404,
        "list-not-found"
      ],
      [
        "a revision that has passed",
        (id: string) => ({ op: "update", id, patch: { title: "x" }, ifRevision: 7 }),
        412,
        "revision-mismatch"
      ]
    ])("a batch is refused whole for %s, with the index that failed", async (_, operation, status, code) => {
      const me = await server.user()
      const mine = await me.add({ title: "a" })
      const answer = await batch(
        me,
        { op: "create", todo: { title: "b" } },
        { op: "update", id: mine.id, patch: { completed: true }, ifRevision: 1 },
        operation(mine.id)
      )
      expect(answer).toMatchObject({ status, body: { code, errors: [{ pointer: "/operations/2" }] } })
      expect((await me.send("GET", "/v1/todos")).body.items).toEqual([mine])
    })
  })
})
