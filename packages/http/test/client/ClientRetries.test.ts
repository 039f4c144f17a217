import { type ClientOptions, createClient } from "@todo/http/client/promise"
import { describe, expect, it } from "vitest"
import { clientFailure } from "../support/clientFailure.ts"
import { type Fate, flakyProxy } from "../support/flakyProxy.ts"
import { useServer } from "../support/testServer.ts"

describe("The client, on a bad connection,", () => {
  const server = useServer()

  const connect = async (options: Partial<ClientOptions> = {}) => {
    const [me, proxy] = [await server.user(), await flakyProxy(server)]
    const client = createClient({ url: proxy.url, token: me.token, ...options })
    return { client, me, proxy }
  }

  const titles = async ({
    send
  }: {
    send: (method: string, path: string) => Promise<{ body: { items: Array<{ title: string }> } }>
  }) => (await send("GET", "/v1/todos?limit=200")).body.items.map(({ title }) => title)

  it.each<[Fate]>([
    ["lost before"],
    ["lost after"],
    ["cut"],
    ["hangs"],
    [{ status: 502, body: "<html>" }],
    [{ status: 503 }],
    [{ status: 504 }],
    [{ status: 429 }]
  ])("the client creates once if the first request ends as %j", async (fate) => {
    const { client, me, proxy } = await connect(fate === "hangs" ? { timeout: "2 seconds" } : {})
    proxy.next(fate)
    const todo = await client.todos.create({ title: "Buy milk" })
    expect(todo).toMatchObject({ title: "Buy milk", revision: 1 })
    expect(await titles(me)).toEqual(["Buy milk"])
    const keys = proxy.passed.map(({ headers }) => headers["idempotency-key"])
    expect(keys).toEqual([expect.stringMatching(/^[\da-f]{32}$/), keys[0]])
  })

  it("the client never creates twice, and loses nothing, in 60 creates with every pair of failures", async () => {
    const { client, me, proxy } = await connect()
    const fates: ReadonlyArray<Fate> = [undefined, "lost before", "lost after", "cut", { status: 503 }]
    const keys: Array<unknown> = []
    proxy.otherwise = ({ headers: { "idempotency-key": key } }) => {
      keys.push(key)
      const [nth, attempt] = [new Set(keys).size, keys.filter((known) => known === key).length]
      return [fates[nth % 5], fates[Math.floor(nth / 5) % 5]][attempt - 1]
    }
    const wanted = Array.from({ length: 60 }, (_, n) => `${n}`)
    const created = await Promise.all(wanted.map((title) => client.todos.create({ title })))
    expect(created.map(({ title }) => title)).toEqual(wanted)
    expect((await titles(me)).toSorted()).toEqual(wanted.toSorted())
    expect([new Set(keys).size, proxy.passed.length > 120]).toEqual([60, true])
  })

  it("the client applies a batch, a move and a restore once", async () => {
    const { client, me, proxy } = await connect()
    proxy.next("lost after")
    const [one, two] = await client.todos.batch([
      { op: "create", todo: { title: "one" } },
      { op: "create", todo: { title: "two" } }
    ])
    expect(await titles(me)).toEqual(["one", "two"])
    proxy.next("lost after")
    await client.todos.move(one?.id ?? "", { after: two?.id ?? "" })
    expect(await titles(me)).toEqual(["two", "one"])
    await client.todos.delete(two?.id ?? "", { overwrite: true })
    proxy.next("lost after")
    expect(await client.todos.restore(two?.id ?? "")).toMatchObject({ deletedAt: null, revision: 5 })
  })

  describe("repeats a write that names its revision", () => {
    it.each<[Fate]>([["lost before"], ["lost after"], ["cut"]])(
      "an update that names its revision is repeated: %s",
      async (fate) => {
        const { client, proxy } = await connect()
        const todo = await client.todos.create({
          title: "a",
          due: { dateTime: "2026-12-01T10:00:00", timeZone: "UTC" }
        })
        proxy.next(fate)
        const patch = {
          title: "b",
          tags: ["x", "y"],
          due: { timeZone: "Europe/Paris", dateTime: "2026-12-01T10:00:00" }
        }
        expect(await client.todos.update(todo, patch)).toMatchObject({ ...patch, revision: 2 })
      }
    )

    it.each<[Fate]>([["lost before"], ["lost after"], ["cut"]])(
      "a put in place of a revision is repeated: %s",
      async (fate) => {
        const { client, proxy } = await connect()
        const todo = await client.todos.create({ title: "a", tags: ["x"] })
        proxy.next(fate)
        expect(await client.todos.put(todo, { title: "b" })).toMatchObject({ title: "b", tags: [], revision: 2 })
      }
    )

    it.each<[Fate]>([["lost before"], ["lost after"], ["cut"]])(
      "a put under an id of its own is repeated: %s",
      async (fate) => {
        const { client, proxy } = await connect()
        proxy.next(fate)
        const put = client.todos.put(crypto.randomUUID(), { title: "b" }, { ifAbsent: true })
        expect(await put).toMatchObject({ title: "b", revision: 1 })
      }
    )

    it.each<[Fate]>([["lost before"], ["lost after"]])(
      "a delete that names its revision is repeated: %s",
      async (fate) => {
        const { client, me, proxy } = await connect()
        const todo = await client.todos.create({ title: "a" })
        proxy.next(fate)
        expect(await client.todos.delete(todo)).toBeUndefined()
        expect(await titles(me)).toEqual([])
      }
    )
  })

  it("an applied update succeeds, also if others have changed other fields since", async () => {
    const { client, me, proxy } = await connect()
    const todo = await client.todos.create({ title: "a" })
    proxy.next("lost after")
    const update = client.todos.update(todo, { title: "b" })
    await expect.poll(() => titles(me)).toEqual(["b"])
    await me.send("PATCH", `/v1/todos/${todo.id}`, { json: { priority: "high" } })
    expect(await update).toMatchObject({ title: "b", priority: "high", revision: 3 })
  })

  it("an applied update fails if others have changed the same fields", async () => {
    const { client, me, proxy } = await connect()
    const todo = await client.todos.create({ title: "a" })
    proxy.next("lost after")
    const update = clientFailure(client.todos.update(todo, { title: "b" }))
    await expect.poll(() => titles(me)).toEqual(["b"])
    await me.send("PATCH", `/v1/todos/${todo.id}`, { json: { title: "c" } })
    expect(await update).toMatchObject({ code: "revision-mismatch", current: { title: "c", revision: 3 } })
  })

  it("an applied put fails if others have set fields that it leaves out", async () => {
    const { client, me, proxy } = await connect()
    const todo = await client.todos.create({ title: "a" })
    proxy.next("lost after")
    const put = clientFailure(client.todos.put(todo, { title: "b" }))
    await expect.poll(() => titles(me)).toEqual(["b"])
    await me.send("PATCH", `/v1/todos/${todo.id}`, { json: { priority: "high" } })
    expect(await put).toMatchObject({ code: "revision-mismatch", current: { title: "b", priority: "high" } })
  })

  it.each<[Fate]>([
    ["lost before"],
    ["lost after"],
    [{ status: 502 }],
    [{ status: 503 }],
    [problem("unavailable", 503, { outcome: "unknown" })]
  ])("a write with `overwrite` is not repeated: %j", async (fate) => {
    const { client, proxy } = await connect()
    const todo = await client.todos.create({ title: "a" })
    for (const call of [
      () => client.todos.update(todo, { title: "b" }, { overwrite: true }),
      () => client.todos.put(todo.id, { title: "b" }, { overwrite: true }),
      () => client.todos.update(todo.id, { title: "b" }, { ifRevision: "*" }),
      () => client.todos.update(todo.id, { title: "b" }, { ifRevision: [1, 2, 3, 4, 5, 6] }),
      () => client.todos.delete(todo.id, { overwrite: true })
    ]) {
      const before = proxy.passed.length
      proxy.next(fate)
      await clientFailure(call())
      expect(proxy.passed.length).toBe(before + 1)
    }
  })

  it.each<[Fate]>([[problem("unavailable", 503, { outcome: "not-applied" })], [problem("rate-limited", 429, {})]])(
    "a write with `overwrite` is repeated if the response says that nothing was applied: %j",
    async (fate) => {
      const { client, proxy } = await connect()
      const todo = await client.todos.create({ title: "a" })
      proxy.next(fate)
      expect(await client.todos.update(todo.id, { title: "b" }, { overwrite: true })).toMatchObject({ title: "b" })
    }
  )

  it.each([400, 401, 403, 404, 409, 410, 413, 415, 422, 500])(
    "the client does not repeat a request after %i",
    async (status) => {
      const { client, proxy } = await connect()
      proxy.next({ status })
      expect(await clientFailure(client.todos.create({ title: "a" }))).toMatchObject({
        _tag: "UnreadableResponse",
        status
      })
      expect(proxy.passed).toHaveLength(1)
    }
  )

  it("the client does not repeat a request after an unreadable response", async () => {
    const { client, proxy } = await connect()
    proxy.next({ status: 200, body: "<html>Please log in", headers: { "x-request-id": "r1" } })
    expect(await clientFailure(client.todos.create({ title: "a" }))).toMatchObject({
      code: "unreadable-answer",
      status: 200,
      requestId: "r1"
    })
    expect(proxy.passed).toHaveLength(1)
  })

  it("the client does not follow redirects, which may turn a POST into a GET", async () => {
    const { client, proxy } = await connect()
    proxy.next({ status: 301, headers: { location: `${server.url}/v1/todos` } })
    expect(await clientFailure(client.todos.create({ title: "a" }))).toMatchObject({
      code: "unreadable-answer",
      status: 301
    })
    expect(proxy.passed).toHaveLength(1)
  })

  it("the client waits while its own first attempt is running, and not for other calls", async () => {
    const { client, proxy } = await connect()
    const running = problem("idempotency-key-in-use", 409, {})
    proxy.next("lost before", running, undefined)
    expect(await client.todos.create({ title: "a" })).toMatchObject({ title: "a" })
    proxy.next(running)
    const asked = proxy.passed.length
    const other = client.todos.create({ title: "a" }, { idempotencyKey: "mine" })
    expect(await clientFailure(other)).toMatchObject({ code: "idempotency-key-in-use" })
    expect(proxy.passed.length).toBe(asked + 1)
  })

  it("the client waits as long as Retry-After says", async () => {
    const { client, proxy } = await connect()
    proxy.next({ status: 429, headers: { "retry-after": "1" } })
    const began = performance.now()
    expect(await client.todos.list()).toMatchObject({ items: [] })
    expect(performance.now() - began).toBeGreaterThan(990)
  })

  it("the client fails at once if Retry-After is too long", async () => {
    const { client, proxy } = await connect()
    proxy.next(problem("rate-limited", 429, {}, { "retry-after": "3600" }))
    expect(await clientFailure(client.todos.list())).toMatchObject({ code: "rate-limited", retryAfter: 3600 })
    proxy.next({ status: 503, headers: { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() } })
    expect(await clientFailure(client.todos.list())).toMatchObject({ code: "unreadable-answer", status: 503 })
    expect(proxy.passed).toHaveLength(2)
  })

  it("the client gives up after `times` repetitions", async () => {
    const { client, proxy } = await connect({ retry: { times: 2 } })
    proxy.otherwise = () => "lost before"
    expect(await clientFailure(client.todos.create({ title: "a" }))).toMatchObject({
      _tag: "NetworkError",
      code: "network-error",
      cause: expect.anything()
    })
    expect(proxy.passed).toHaveLength(3)
  })

  it("the client gives up after `within`", async () => {
    const { client, proxy } = await connect({ retry: { times: 1_000, within: "700 millis" } })
    proxy.otherwise = () => "lost before"
    expect(await clientFailure(client.todos.list())).toMatchObject({ code: "network-error" })
    expect(proxy.passed.length).toBeLessThan(6)
  })

  it("the signal stops the client while it waits for a response and between attempts", async () => {
    const { client, proxy } = await connect()
    const reason = new Error("enough")
    for (const fate of ["hangs", { status: 503, headers: { "retry-after": "20" } }] as const) {
      const abort = new AbortController()
      const asked = proxy.passed.length
      proxy.next(fate)
      const call = client.todos.create({ title: "a" }, { signal: abort.signal })
      await expect.poll(() => proxy.passed.length).toBe(asked + 1)
      abort.abort(reason)
      await expect(call).rejects.toBe(reason)
      await proxy.passed.at(-1)?.closed
      expect(proxy.passed.length).toBe(asked + 1)
    }
  })

  it("the client sends nothing if the signal has already aborted", async () => {
    const { client, proxy } = await connect()
    const reason = new Error("too late")
    await expect(client.todos.list({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(proxy.passed).toEqual([])
  })
})

/** A problem response like those of the server. */
function problem(code: string, status: number, members: object, headers: Record<string, string> = {}): Fate {
  return {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
    body: JSON.stringify({ type: `urn:todo:problem:${code}`, title: code, status, detail: code, code, ...members })
  }
}
