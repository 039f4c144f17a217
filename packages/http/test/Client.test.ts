import { randomUUID } from "node:crypto"
import { ListId, make, TodoId } from "@todo/http/client"
import { Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { describe, expect, it } from "vitest"
import { useServer } from "./testServer.ts"

describe("The typed client", () => {
  const server = useServer()

  const connect = async (token?: string) =>
    Effect.runPromise(
      make({ url: server.url, token: Effect.succeed(Redacted.make(token ?? (await server.user()).token)) })
    )

  /** The error that an effect fails with. */
  const failure = <A, E>(effect: Effect.Effect<A, E>): Promise<E> => Effect.runPromise(Effect.flip(effect))

  const anyId = () => ({ id: TodoId.make(randomUUID()) })

  it("takes a todo round: create, get, change, list, delete, restore", async () => {
    const { todos } = await connect()
    const program = Effect.gen(function* () {
      const created = yield* todos.create({ headers: {}, payload: { title: "Buy milk", due: { date: "2026-12-01" } } })
      expect(created.headers).toEqual({ etag: '"1"', location: `/v1/todos/${created.body.id}` })
      const params = { id: created.body.id }
      expect((yield* todos.get({ params, headers: {} })).body).toEqual(created.body)

      const headers = { "if-match": [created.body.revision] }
      const done = yield* todos.update({ params, headers, payload: { completed: true, due: null } })
      expect(done.body).toMatchObject({ title: "Buy milk", completed: true, due: null, revision: 2 })
      expect((yield* todos.list({ query: { completed: true, tag: [], limit: 1 } })).items).toEqual([done.body])

      yield* todos.delete({ params, headers: { "if-match": "*" } })
      expect((yield* todos.list({ query: {} })).items).toEqual([])
      return (yield* todos.restore({ params, headers: {} })).body
    })
    expect(await Effect.runPromise(program)).toMatchObject({ completed: true, deletedAt: null, revision: 4 })
  })

  it("puts under an id of its own, once", async () => {
    const { todos } = await connect()
    const put = todos.put({ params: anyId(), headers: { "if-none-match": "*" }, payload: { title: "mine" } })
    expect((await Effect.runPromise(put)).headers).toMatchObject({ etag: '"1"', location: expect.any(String) })
    expect(await failure(put)).toMatchObject({ _tag: "RevisionMismatch", current: 1 })
  })

  it("walks along the cursor", async () => {
    const { todos } = await connect()
    const program = Effect.gen(function* () {
      for (const title of ["a", "b", "c"]) yield* todos.create({ headers: {}, payload: { title } })
      const first = yield* todos.list({ query: { limit: 2 } })
      return yield* todos.list({ query: { limit: 2, cursor: first.nextCursor ?? "" } })
    })
    expect(await Effect.runPromise(program)).toMatchObject({ items: [{ title: "c" }], nextCursor: null })
  })

  it("asks for the token before each request", async () => {
    const me = await server.user()
    const tokens = [me.token, "expired", me.token]
    const client = await Effect.runPromise(
      make({ url: server.url, token: Effect.sync(() => Redacted.make(tokens.shift() ?? "")) })
    )
    const list = client.todos.list({ query: {} })
    expect((await Effect.runPromise(list)).items).toEqual([])
    expect(await failure(list)).toMatchObject({ _tag: "Unauthorized" })
    expect((await Effect.runPromise(list)).items).toEqual([])
  })

  it("asks the system without a token", async () => {
    const { system } = await connect("none")
    expect(await Effect.runPromise(system.ready())).toEqual({ status: "ok" })
  })

  describe("gives back the errors of the core", () => {
    it("TodoNotFound", async () => {
      const { todos } = await connect()
      expect(await failure(todos.get({ params: anyId(), headers: {} }))).toMatchObject({ _tag: "TodoNotFound" })
    })

    it("ListNotFound", async () => {
      const { todos } = await connect()
      const listId = ListId.make(randomUUID())
      expect(await failure(todos.create({ headers: {}, payload: { title: "a", listId } }))).toMatchObject({
        _tag: "ListNotFound"
      })
    })

    it("RevisionMismatch with the current revision, and none where there is no row", async () => {
      const { todos } = await connect()
      const { body } = await Effect.runPromise(todos.create({ headers: {}, payload: { title: "a" } }))
      const payload = { title: "b" }
      const headers = { "if-match": [7, 8] }
      const stale = todos.update({ params: { id: body.id }, headers, payload })
      expect(await failure(stale)).toMatchObject({ _tag: "RevisionMismatch", current: 1 })
      const absent = todos.put({ params: anyId(), headers, payload })
      expect(await failure(absent)).toMatchObject({ _tag: "RevisionMismatch", current: null })
    })

    it("Conflict with its reason", async () => {
      const { todos } = await connect()
      const { body } = await Effect.runPromise(todos.create({ headers: {}, payload: { title: "a" } }))
      const params = { id: body.id }
      await Effect.runPromise(todos.delete({ params, headers: {} }))
      const put = todos.put({ params, headers: {}, payload: { title: "b" } })
      expect(await failure(put)).toMatchObject({ _tag: "Conflict", reason: "in-trash" })
    })

    it("InvalidInput with all errors", async () => {
      // An older client may know fewer rules than the server: its request is replaced on the way.
      const { todos } = await connect()
      const tampered: typeof fetch = (url, init) =>
        fetch(url, { ...init, body: '{"title":" ","priority":"urgent"}', duplex: "half" } as RequestInit)
      const create = todos.create({ headers: {}, payload: { title: "a" } })
      expect(await failure(Effect.provideService(create, FetchHttpClient.Fetch, tampered))).toMatchObject({
        _tag: "InvalidInput",
        errors: [
          { pointer: "/title", message: expect.any(String) },
          { pointer: "/priority", message: expect.any(String) }
        ]
      })
    })

    it("InvalidCursor", async () => {
      const { todos } = await connect()
      expect(await failure(todos.list({ query: { cursor: "x" } }))).toMatchObject({ _tag: "InvalidCursor" })
    })

    it("Unauthorized with its reason", async () => {
      const { todos } = await connect("x.y.z")
      expect(await failure(todos.list({ query: {} }))).toMatchObject({ _tag: "Unauthorized", reason: "invalid" })
    })

    it("UserDisabled", async () => {
      const me = await server.user()
      await me.add()
      await server.sql("update todo.users set disabled_at = now() where id = $1", me.id)
      const { todos } = await connect(me.token)
      expect(await failure(todos.create({ headers: {}, payload: { title: "a" } }))).toMatchObject({
        _tag: "UserDisabled"
      })
    })
  })

  it("does not send what its own schema refuses", async () => {
    const { todos } = await connect()
    expect(await failure(todos.create({ headers: {}, payload: { title: "" } }))).toMatchObject({ _tag: "SchemaError" })
  })
})
