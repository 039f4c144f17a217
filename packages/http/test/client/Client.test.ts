import { randomUUID } from "node:crypto"
import type { IfRevision as Expected } from "@todo/core/domain"
import { type IfRevision, make, type Todo, type TodoOperation } from "@todo/http/client"
import { type ClientOptions, createClient } from "@todo/http/client/promise"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { clientFailure } from "../support/clientFailure.ts"
import { flakyProxy } from "../support/flakyProxy.ts"
import { type TestUser, useServer } from "../support/testServer.ts"

describe("The client of promises", () => {
  const server = useServer()

  const connect = async (options: Partial<ClientOptions> = {}) => {
    const [me, proxy] = [await server.user(), await flakyProxy(server)]
    return { client: createClient({ url: proxy.url, token: me.token, ...options }), me, proxy }
  }

  it("the client creates, reads, changes, lists, deletes and restores a todo", async () => {
    const { client, me } = await connect()
    const created = await client.todos.create({ title: "Buy milk", due: { date: "2026-12-01" } })
    expect(created).toEqual((await me.send("GET", `/v1/todos/${created.id}`)).body)
    expect(await client.todos.get(created.id)).toEqual(created)
    const done = await client.todos.update(created, { completed: true, due: null })
    expect(done).toMatchObject({ title: "Buy milk", completed: true, due: null, revision: 2 })
    expect((await client.todos.list({ completed: true, tag: [], limit: 1, count: true })).total).toBe(1)
    expect(await client.todos.delete(done)).toBeUndefined()
    expect((await client.todos.list()).items).toEqual([])
    expect(await client.todos.restore(created.id)).toMatchObject({ completed: true, deletedAt: null, revision: 4 })
  })

  it("the client creates, changes and deletes lists with todos", async () => {
    const { client, me } = await connect()
    const home = await client.lists.create({ name: "home" })
    const work = await client.lists.put(randomUUID(), { name: "work" }, { ifAbsent: true })
    await client.lists.move(work.id, { before: home.id })
    const [one, two] = await client.todos.batch([
      { op: "create", todo: { title: "one", listId: home.id } },
      { op: "create", todo: { title: "two", tags: ["a", "b"] } }
    ])
    expect((await client.todos.list({ listId: home.id })).items).toEqual([one])
    expect((await client.todos.list({ listId: "none", tag: ["b", "a"], q: "two" })).items).toEqual([two])
    expect(await clientFailure(client.lists.delete(home))).toMatchObject({ code: "list-not-empty" })
    await client.lists.delete(home, { todos: "trash" })
    expect((await client.lists.list()).items.map(({ name }) => name)).toEqual(["work"])
    expect(await client.me()).toMatchObject({ id: me.id })
    const { changes, hasMore, nextCursor } = await client.changes.page({ limit: 500 })
    expect(changes.map(({ deleted, kind }) => `${kind} ${deleted}`).toSorted()).toEqual([
      "list false",
      "list true",
      "todo false",
      "todo true"
    ])
    expect([hasMore, (await client.changes.page({ since: nextCursor })).changes]).toEqual([false, []])
  })

  it("the client reads all pages, each when it is needed", async () => {
    const { client, me, proxy } = await connect()
    for (const title of ["a", "b", "c", "d", "e"]) await me.add({ title })
    const titles: Array<string> = []
    for await (const { title } of client.todos.all({ sort: "-title", limit: 2 })) titles.push(title)
    expect(titles).toEqual(["e", "d", "c", "b", "a"])
    expect(proxy.passed).toHaveLength(3)
    for await (const { title } of client.todos.all({ limit: 2 })) if (title === "b") break
    expect(proxy.passed).toHaveLength(4)
    const none = []
    for await (const todo of client.todos.all({ q: "nothing" })) none.push(todo)
    expect(none).toEqual([])
  })

  it("an error or the signal ends the reading of pages", async () => {
    const { client, me, proxy } = await connect()
    for (const title of ["a", "b", "c"]) await me.add({ title })
    const walk = async (signal: AbortSignal, each: () => void) => {
      for await (const _ of client.todos.all({ limit: 1 }, { signal })) each()
    }
    let read = 0
    await expect(
      walk(new AbortController().signal, () => {
        read++
        proxy.next({ status: 418 })
      })
    ).rejects.toMatchObject({ code: "unreadable-answer", status: 418 })
    expect(read).toBe(1)
    const abort = new AbortController()
    await expect(walk(abort.signal, () => abort.abort(new Error("enough")))).rejects.toThrow("enough")
  })

  describe("the token", () => {
    it("the token is requested before each request, and once more with the refused token after a 401", async () => {
      const { me } = await connect()
      const tokens = [me.token, "expired", me.token, "bad", "worse", me.token]
      const refused: Array<string | undefined> = []
      const token = async (old?: string) => {
        refused.push(old)
        return tokens.shift() ?? ""
      }
      const { client, proxy } = await connect({ token })
      await client.todos.list()
      await client.todos.create({ title: "a" })
      expect(await clientFailure(client.todos.list())).toMatchObject({ code: "unauthorized", _tag: "Unauthorized" })
      await client.todos.list()
      expect(refused).toEqual([undefined, undefined, "expired", undefined, "bad", undefined])
      expect(proxy.passed.map(({ status }) => status)).toEqual([200, 401, 201, 401, 401, 200])
    })

    it("a refused token is not sent again if it stays the same", async () => {
      const { client, proxy } = await connect({ token: "x.y.z" })
      expect(await clientFailure(client.todos.list())).toMatchObject({ code: "unauthorized" })
      expect(proxy.passed).toHaveLength(1)
    })

    it("a token that cannot be obtained is a TokenUnavailable", async () => {
      const cause = new Error("signed out")
      const { client, proxy } = await connect({ token: () => Promise.reject(cause) })
      expect(await clientFailure(client.todos.list())).toMatchObject({ code: "token-unavailable", cause })
      expect(proxy.passed).toEqual([])
    })

    it.each(["", "two words", "a\nb", "\u00fc"])(
      "the error for a malformed token does not contain it: %j",
      async (token) => {
        const { client, proxy } = await connect({ token })
        const error = await clientFailure(client.todos.list())
        expect([error.code, String(error.cause)]).toEqual([
          "token-unavailable",
          "Error: The value is not a bearer token"
        ])
        expect(proxy.passed).toEqual([])
      }
    )

    it("the token can be left out if requests are authenticated by other means", async () => {
      const { me } = await connect()
      const authenticated: typeof fetch = (url, init) =>
        fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${me.token}` } })
      const proxy = await flakyProxy(server)
      const client = createClient({ url: proxy.url, fetch: authenticated })
      const todo = await client.todos.create({ title: "a" })
      // Without a token the client cannot know the user, so it must not cache.
      for (let n = 0; n < 2; n++) expect(await client.todos.get(todo.id)).toEqual(todo)
      expect(proxy.passed.map(({ status }) => status)).toEqual([201, 200, 200])
    })
  })

  describe("entity tags", () => {
    const seen = (proxy: Awaited<ReturnType<typeof flakyProxy>>) =>
      proxy.passed
        .filter(({ method }) => method === "GET")
        .map(({ headers, status }) => [headers["if-none-match"], status])

    it("entity tags are cached: an unchanged todo is not sent again, and each read returns a new object", async () => {
      const { client, me, proxy } = await connect()
      const { id, ...todo } = await me.add()
      const [one, two] = [await client.todos.get(id), await client.todos.get(id)]
      expect(one).toEqual({ id, ...todo })
      expect(two).toEqual(one)
      expect(two).not.toBe(one)
      expect(two.tags).not.toBe(one.tags)
      await me.send("PATCH", `/v1/todos/${id}`, { json: { title: "b" } })
      expect((await client.todos.get(id)).title).toBe("b")
      expect(seen(proxy)).toEqual([
        [undefined, 200],
        ['"1"', 304],
        ['"1"', 200]
      ])
    })

    it("entity tags of written todos are cached too, until they are deleted", async () => {
      const { client, proxy } = await connect()
      const todo = await client.todos.create({ title: "a" })
      const list = await client.lists.create({ name: "a" })
      const done = await client.todos.update(todo, { completed: true })
      expect(await client.todos.get(todo.id)).toEqual(done)
      expect(await client.lists.get(list.id)).toEqual(list)
      await client.todos.delete(done)
      expect(await clientFailure(client.todos.get(todo.id))).toMatchObject({ code: "todo-not-found" })
      expect(seen(proxy)).toEqual([
        ['"3"', 304],
        ['"2"', 304],
        [undefined, 404]
      ])
    })

    it("entity tags are separate for each token, also with equal id and revision", async () => {
      const [one, two] = [await server.user(), await server.user()]
      let who: TestUser = one
      const { client, proxy } = await connect({ token: () => who.token })
      const id = randomUUID()
      for (const user of [one, two]) await user.send("PUT", `/v1/todos/${id}`, { json: { title: user.id } })
      for (const user of [one, two, one, two]) {
        who = user
        expect(await client.todos.get(id)).toMatchObject({ title: user.id, revision: 1 })
      }
      expect(seen(proxy).map(([, status]) => status)).toEqual([200, 200, 304, 304])
    })

    it("entity tags are limited to the most recently used", async () => {
      const { client, me, proxy } = await connect({ cache: 2 })
      const [a, b, c] = [await me.add(), await me.add(), await me.add()]
      for (const { id } of [a, b, a, c, a, b]) await client.todos.get(id)
      expect(seen(proxy).map(([, status]) => status)).toEqual([200, 200, 304, 200, 304, 200])
    })
  })

  describe("a write of a row that was read", () => {
    it("a write of a row that was read fails if the row has changed, with both versions", async () => {
      const { client, me, proxy } = await connect()
      const base = await client.todos.create({ title: "a" })
      const theirs = (await me.send("PATCH", `/v1/todos/${base.id}`, { json: { title: "theirs" } })).body
      const writes: ReadonlyArray<[() => Promise<unknown>, unknown]> = [
        [() => client.todos.update(base, { title: "mine" }), { title: "mine" }],
        [() => client.todos.put(base, { title: "mine" }), { title: "mine" }],
        [() => client.todos.delete(base), undefined]
      ]
      for (const [write, mine] of writes) {
        expect(await clientFailure(write())).toMatchObject({
          code: "revision-mismatch",
          _tag: "RevisionMismatch",
          status: 412,
          requestId: expect.any(String),
          base,
          mine,
          current: theirs
        })
      }
      expect(proxy.passed.findLast(({ method }) => method !== "GET")?.headers["if-match"]).toBe('"1"')
    })

    it("a failed write can be repeated with the versions of the error", async () => {
      const { client, me } = await connect()
      const base = await client.todos.create({ title: "a" })
      await me.send("PATCH", `/v1/todos/${base.id}`, { json: { priority: "high" } })
      const error = await clientFailure(client.todos.update(base, { title: "mine" }))
      if (error.code !== "revision-mismatch" || !error.current || !("title" in error.current)) throw error
      expect(await client.todos.update(error.current, { title: "mine" })).toMatchObject({
        title: "mine",
        priority: "high",
        revision: 3
      })
    })

    it("a write can overwrite with `overwrite: true`", async () => {
      const { client, me, proxy } = await connect()
      const base = await client.todos.create({ title: "a" })
      await me.send("PATCH", `/v1/todos/${base.id}`, { json: { title: "theirs" } })
      expect(await client.todos.update(base, { title: "mine" }, { overwrite: true })).toMatchObject({ title: "mine" })
      expect(proxy.passed.at(-1)?.headers).not.toHaveProperty("if-match")
      await client.todos.delete(base.id, { overwrite: true })
    })

    it("a write with an id expects the given revision", async () => {
      const { client, me } = await connect()
      const { id } = await me.add()
      expect(await client.todos.update(id, { title: "b" }, { ifRevision: 1 })).toMatchObject({ revision: 2 })
      expect(await clientFailure(client.todos.update(id, { title: "c" }, { ifRevision: 1 }))).toMatchObject({
        code: "revision-mismatch",
        base: undefined,
        mine: { title: "c" },
        current: { title: "b", revision: 2 }
      })
      expect(await clientFailure(client.todos.move(id, { after: randomUUID() }, { ifRevision: 1 }))).toMatchObject({
        code: "revision-mismatch"
      })
    })

    it("a write expects one of several revisions, or any", async () => {
      const { client, me, proxy } = await connect()
      const { id } = await me.add()
      const list = await client.lists.create({ name: "a" })
      const sent = () => proxy.passed.at(-1)?.headers["if-match"]
      expectTypeOf<IfRevision["ifRevision"]>().toEqualTypeOf<Expected>()
      expectTypeOf<Extract<TodoOperation, { op: "delete" }>["ifRevision"]>().toEqualTypeOf<Expected | undefined>()
      await client.todos.update(id, { title: "b" }, { ifRevision: [1, 7] })
      expect(sent()).toBe('"1", "7"')
      await client.todos.put(id, { title: "c" }, { ifRevision: "*" })
      expect(sent()).toBe("*")
      await client.lists.update(list.id, { name: "b" }, { ifRevision: [list.revision] })
      expect(sent()).toBe(`"${list.revision}"`)
      const never = client.todos.delete(id, { ifRevision: [] })
      expect(await clientFailure(never)).toMatchObject({ code: "revision-mismatch", current: { title: "c" } })
      expect(await clientFailure(client.todos.delete(randomUUID(), { ifRevision: "*" }))).toMatchObject({
        code: "todo-not-found"
      })
      const [row] = await client.todos.batch([
        { op: "update", id, patch: { title: "d" }, ifRevision: "*" },
        { op: "delete", id, ifRevision: [1, 99, 6] }
      ])
      expect(row).toMatchObject({ revision: 6 })
      await client.todos.restore(id, { ifRevision: 7 })
      for (const ifRevision of ["1", '"1"', -1, 1.5, Number.NaN, null, ["*"], {}, true]) {
        const wrong = client.todos.update(id, { title: "never" }, { ifRevision: ifRevision as never })
        await expect(wrong).rejects.toThrow(
          new TypeError('ifRevision: must be a revision, a list of revisions, or "*"')
        )
      }
    })

    it("a write fails if the row does not exist", async () => {
      const { client } = await connect()
      const put = client.todos.put(randomUUID(), { title: "a" }, { ifRevision: 3 })
      expect(await clientFailure(put)).toMatchObject({ code: "revision-mismatch", current: null })
    })

    it("a put creates with an id of the client, once", async () => {
      const { client } = await connect()
      const id = randomUUID()
      const created = await client.todos.put(id, { title: "mine" }, { ifAbsent: true })
      expect(await clientFailure(client.todos.put(id, { title: "again" }, { ifAbsent: true }))).toMatchObject({
        code: "revision-mismatch",
        current: created
      })
    })

    it("a batch names the operation with the mismatch, and the current row", async () => {
      const { client } = await connect()
      const todo = await client.todos.create({ title: "a" })
      const current = await client.todos.update(todo, { title: "b" })
      const late = { op: "update", id: todo.id, patch: { title: "c" }, ifRevision: 1 } as const
      const batch = client.todos.batch([{ op: "create", todo: { title: "x" } }, late])
      expect(await clientFailure(batch)).toMatchObject({ code: "revision-mismatch", mine: late, current })
      expect((await client.todos.list()).items).toEqual([current])
    })
  })

  it("the client sends a random idempotency key with each write that accepts one, or the given key", async () => {
    const { client, proxy } = await connect()
    await client.todos.create({ title: "a" })
    await client.todos.create({ title: "a" })
    const one = await client.todos.create({ title: "a" }, { idempotencyKey: "mine" })
    expect(await client.todos.create({ title: "a" }, { idempotencyKey: "mine" })).toEqual(one)
    expect(await clientFailure(client.todos.create({ title: "b" }, { idempotencyKey: "mine" }))).toMatchObject({
      code: "idempotency-key-reused"
    })
    const keys = proxy.passed.map(({ headers }) => headers["idempotency-key"])
    expect(keys.slice(2)).toEqual(["mine", "mine", "mine"])
    expect(new Set(keys).size).toBe(3)
    expect((await client.todos.list()).items).toHaveLength(3)
  })

  describe("errors", () => {
    it("errors are discriminated by code, and have its members and the request id", async () => {
      const { client, me } = await connect()
      const listId = randomUUID()
      const calls: Record<string, () => Promise<unknown>> = {
        "todo-not-found": () => client.todos.get(randomUUID()),
        "list-not-found": () => client.todos.create({ title: "a", listId }),
        "invalid-cursor": () => client.todos.list({ cursor: "x" }),
        "invalid-input": () => client.todos.create({ title: " ", priority: "urgent" as "high" })
      }
      for (const [code, call] of Object.entries(calls)) {
        const error = await clientFailure(call())
        expect(error).toMatchObject({ code, requestId: expect.stringMatching(/^[\w-]{36}$/), problem: { code } })
        expect(error.message).toBe("problem" in error ? error.problem.detail : "")
      }
      const invalid = await clientFailure(client.todos.create({ title: " ", priority: "urgent" as "high" }))
      if (invalid.code !== "invalid-input") throw invalid
      expect(invalid.problem.errors.map(({ pointer }) => pointer)).toEqual(["/title", "/priority"])
      const todo = await me.add()
      await me.send("DELETE", `/v1/todos/${todo.id}`)
      const conflict = await clientFailure(client.todos.put(todo.id, { title: "b" }, { overwrite: true }))
      if (conflict.code !== "conflict") throw conflict
      expect(conflict.problem.reason).toBe("in-trash")
    })

    it("errors include a failed connection and a response outside of the contract", async () => {
      const nowhere = createClient({ url: "http://127.0.0.1:1", retry: { times: 0 } })
      expect(await clientFailure(nowhere.me())).toMatchObject({ code: "network-error", _tag: "NetworkError" })
      const { me } = await connect()
      const elsewhere = createClient({ url: `${server.url}/else/where/`, token: me.token })
      expect(await clientFailure(elsewhere.me())).toMatchObject({ code: "route-not-found", status: 404 })
    })
  })

  it("a mistake of the caller is not a NetworkError", async () => {
    const { client, proxy } = await connect()
    const nonsense = client.todos.create({ title: "a" }, { idempotencyKey: "a\nb" })
    await expect(nonsense).rejects.toBeInstanceOf(TypeError)
    await expect(createClient({ url: "no address" }).me()).rejects.toBeInstanceOf(TypeError)
    expect(proxy.passed).toEqual([])
  })

  it("the client keeps the path that the API is mounted below", async () => {
    const { proxy } = await connect()
    proxy.next({ status: 200, body: "{}" }, { status: 200, body: "{}" })
    for (const url of [`${proxy.url}/api/todo`, new URL(`${proxy.url}/api/todo/`)]) await createClient({ url }).me()
    expect(proxy.passed.map(({ path }) => path)).toEqual(["/api/todo/v1/me", "/api/todo/v1/me"])
  })

  it.each(["", ".", "..", "../lists", "a/b?c#d", "%2e", "\ud800"])(
    "the id %j does not lead to another path",
    async (id) => {
      const { client, me } = await connect()
      await me.add()
      expect((await clientFailure(client.todos.get(id))).code).toBeOneOf(["invalid-input", "todo-not-found"])
      expect((await clientFailure(client.todos.delete(id, { overwrite: true }))).code).toBeOneOf([
        "invalid-input",
        "todo-not-found"
      ])
      expect((await client.todos.list()).items).toHaveLength(1)
    }
  )

  it("calls outside of the contract, and writes without a precondition, do not compile", () => {
    const client = createClient({ url: "" })
    const mistakes = (id: string, todo: Todo) => [
      // @ts-expect-error -- the precondition is missing
      client.todos.update(id, { title: "a" }),
      // @ts-expect-error -- the precondition is missing
      client.todos.delete(id),
      // @ts-expect-error -- the precondition is missing
      client.todos.put(id, { title: "a" }),
      // @ts-expect-error -- `ifAbsent` is not for updates
      client.todos.update(id, { title: "a" }, { ifAbsent: true }),
      // @ts-expect-error -- the title is missing
      client.todos.create({ titel: "a" }),
      // @ts-expect-error -- the order does not exist
      client.todos.list({ sort: "colour" }),
      // @ts-expect-error -- `todos` is only for lists
      client.todos.delete(todo, { todos: "keep" }),
      // @ts-expect-error -- reads have no idempotency key
      client.todos.get(id, { idempotencyKey: "a" })
    ]
    expect(mistakes).toBeTypeOf("function")
    expectTypeOf(client.todos.get).returns.resolves.toEqualTypeOf<Todo>()
  })
})

describe("The client of Effects", () => {
  const server = useServer()

  const connect = async () => {
    const [me, proxy] = [await server.user(), await flakyProxy(server)]
    return { client: make({ url: proxy.url, token: Effect.succeed(Redacted.make(me.token)) }), me, proxy }
  }

  it("the client of Effects has the same calls and streams, and errors with the same tags as the core", async () => {
    const { client, proxy } = await connect()
    proxy.next("lost after")
    const program = Effect.gen(function* () {
      const todo = yield* client.todos.create({ title: "a" })
      yield* client.todos.update(todo, { title: "theirs" })
      const current = yield* client.todos.update(todo, { title: "mine" }).pipe(
        Effect.map((todo): string | undefined => todo.title),
        Effect.catchTag("RevisionMismatch", ({ base, current, mine }) =>
          Effect.succeed(`${base?.title} ${mine.title} ${current?.title}`)
        )
      )
      const absent = yield* client.todos.get(randomUUID()).pipe(
        Effect.map(() => "there"),
        Effect.catchTag("TodoNotFound", ({ code, requestId }) => Effect.succeed(`${code} ${typeof requestId}`))
      )
      const all = yield* Stream.runCollect(client.todos.all({ limit: 1 }))
      return { current, absent, titles: all.map(({ title }) => title) }
    })
    expect(await Effect.runPromise(program)).toEqual({
      current: "a mine theirs",
      absent: "todo-not-found string",
      titles: ["theirs"]
    })
  })

  it("the client requests the token again after a 401", async () => {
    const { me } = await connect()
    const tokens = ["expired", me.token]
    const token = Effect.sync(() => Redacted.make(tokens.shift() ?? ""))
    expect(await Effect.runPromise(make({ url: server.url, token }).me())).toMatchObject({ id: me.id })
  })

  it("the client sends the span of the caller, if there is one", async () => {
    const { client, proxy } = await connect()
    const { traceId } = await Effect.runPromise(
      Effect.withSpan(
        Effect.tap(Effect.currentSpan, () => client.me()),
        "host"
      )
    )
    await Effect.runPromise(client.me())
    const [traced, plain] = proxy.passed
    expect(traced?.headers["traceparent"]).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`))
    expect(plain?.headers).not.toHaveProperty("traceparent")
  })

  it("the client aborts its request when it is interrupted", async () => {
    const { client, proxy } = await connect()
    proxy.next("hangs")
    const call = Effect.runFork(client.todos.create({ title: "a" }))
    await expect.poll(() => proxy.passed.length).toBe(1)
    await Effect.runPromise(Fiber.interrupt(call))
    await proxy.passed[0]?.closed
    expect(proxy.passed).toHaveLength(1)
  })

  it("calls of the client fail only with the errors of the contract", () => {
    const { todos } = make({ url: "" })
    type ErrorOf<Call extends (...given: never) => Effect.Effect<unknown, unknown>> = Effect.Error<ReturnType<Call>>
    type Anything =
      | "Unauthorized"
      | "UserDisabled"
      | "RateLimited"
      | "Unavailable"
      | "MalformedRequest"
      | "InvalidInput"
      | "PayloadTooLarge"
      | "UnsupportedMediaType"
      | "Internal"
      | "RouteNotFound"
      | "MethodNotAllowed"
      | "NetworkError"
      | "UnreadableResponse"
      | "TokenUnavailable"
    expectTypeOf<ErrorOf<typeof todos.get>["_tag"]>().toEqualTypeOf<Anything | "TodoNotFound">()
    expectTypeOf<ErrorOf<typeof todos.update>["_tag"]>().toEqualTypeOf<
      Anything | "TodoNotFound" | "ListNotFound" | "RevisionMismatch" | "Conflict"
    >()
    expectTypeOf<ErrorOf<typeof todos.create>["_tag"]>().toEqualTypeOf<
      Anything | "ListNotFound" | "Conflict" | "IdempotencyKeyInUse" | "IdempotencyKeyReused"
    >()
    expect(todos.get).toBeTypeOf("function")
  })
})
