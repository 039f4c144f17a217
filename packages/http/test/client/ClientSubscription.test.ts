import { type ClientOptions, createClient, type LiveChange, type SubscribeOptions } from "@todo/http/client/promise"
import { describe, expect, it, onTestFinished } from "vitest"
import { type Fate, flakyProxy, type Passed } from "../support/flakyProxy.ts"
import { claims, now, sign, useServer } from "../support/testServer.ts"

const isStream = ({ headers }: Passed) => headers.accept === "text/event-stream"

describe("A subscription", () => {
  const server = useServer()

  const connect = async (options: Partial<ClientOptions> = {}) => {
    const [me, proxy] = [await server.user(), await flakyProxy(server)]
    return { client: createClient({ url: proxy.url, token: me.token, ...options }), me, proxy }
  }

  /** Collects changes until the end of the test at the latest. */
  const collect = (client: ReturnType<typeof createClient>, options: SubscribeOptions = {}) => {
    const abort = new AbortController()
    const got: Array<LiveChange> = []
    const ended = (async () => {
      for await (const live of client.subscribe({ ...options, signal: abort.signal })) got.push(live)
    })().catch((error: unknown) => error)
    onTestFinished(async () => {
      abort.abort()
      await ended
    })
    const revisions = () => got.map(({ change }) => change.revision)
    return {
      got,
      ended,
      abort: (reason: unknown) => abort.abort(reason),
      revisions,
      /** Waits for all revisions up to this one, each once and in order. */
      upTo: async (last: number) => {
        await expect.poll(revisions, { timeout: 20_000, interval: 20 }).toContain(last)
        expect(revisions()).toEqual(Array.from({ length: last }, (_, n) => n + 1))
      }
    }
  }

  it("a subscription emits all changes, and each new one, over one connection", async () => {
    const { client, me, proxy } = await connect()
    const todo = await me.add()
    const live = collect(client)
    await live.upTo(1)
    await client.lists.create({ name: "home" })
    await client.todos.create({ title: "b" })
    await live.upTo(3)
    await client.todos.delete(todo)
    await expect.poll(live.revisions).toEqual([1, 2, 3, 4])
    expect(live.got.map(({ change }) => [change.kind, change.deleted])).toEqual([
      ["todo", false],
      ["list", false],
      ["todo", false],
      ["todo", true]
    ])
    expect(proxy.passed.filter(isStream)).toHaveLength(1)
  })

  it("a subscription begins after a saved cursor", async () => {
    const { client, me } = await connect()
    for (const title of ["a", "b", "c"]) await me.add({ title })
    const all = collect(client)
    await all.upTo(3)
    const [, two] = all.got
    const rest = collect(client, { since: two?.cursor ?? "" })
    await expect.poll(rest.revisions).toEqual([3])
  })

  it("a subscription survives 12 broken connections during writes: nothing is missing or repeated", async () => {
    const { client, me, proxy } = await connect()
    const live = collect(client)
    const written = new AbortController()
    const writer = async () => {
      while (!written.signal.aborted) await me.add()
    }
    const writing = Promise.all([writer(), writer()])
    for (let cut = 1; cut <= 12; cut++) {
      const streams = () => proxy.passed.filter(isStream)
      await expect.poll(() => streams().length, { timeout: 20_000, interval: 5 }).toBe(cut)
      const seen = live.got.length
      await expect.poll(() => live.got.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(seen)
      proxy.cut()
    }
    written.abort()
    await writing
    const { revision } = await client.me()
    await live.upTo(revision)
  })

  it.each<[string, Fate]>([
    ["are held back, headers and all", "hangs"],
    ["are held back behind their headers", "held back"],
    ["are refused by something in between", { status: 406, body: "no" }],
    ["are answered as something else", { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["are cut at once, each time", "lost before"],
    ["end at once, each time", { status: 200, headers: { "content-type": "text/event-stream" }, body: "" }]
  ])("a subscription polls pages if streams %s", async (_, fate) => {
    const { client, me, proxy } = await connect()
    proxy.otherwise = (passed) => (isStream(passed) ? fate : undefined)
    for (const title of ["a", "b", "c"]) await me.add({ title })
    const live = collect(client, { patience: "200 millis", pollEvery: "100 millis" })
    await live.upTo(3)
    await me.add()
    await live.upTo(4)
    expect(live.got.at(-1)?.cursor).toBe((await client.changes.page()).nextCursor)
  })

  it("a subscription changes from a stream to pages without a gap", async () => {
    const { client, me, proxy } = await connect()
    await me.add()
    const live = collect(client, { patience: "200 millis", pollEvery: "50 millis" })
    await live.upTo(1)
    proxy.otherwise = (passed) => (isStream(passed) ? "held back" : undefined)
    proxy.cut()
    const add = Array.from({ length: 10 }, (_, n) => ({ op: "create" as const, todo: { title: `${n}` } }))
    for (let n = 0; n < 3; n++) await client.todos.batch(add)
    await live.upTo(31)
    expect(proxy.passed.filter(isStream)).toHaveLength(2)
    proxy.passed.length = 0
    await expect.poll(() => proxy.passed.length).toBeGreaterThan(2)
    expect(proxy.passed.every(({ path }) => path.startsWith("/v1/changes?since="))).toBe(true)
  })

  it("a subscription reconnects when a stream falls silent", async () => {
    const { client, me, proxy } = await connect()
    const live = collect(client, { silence: "300 millis", pollEvery: "50 millis" })
    for (let n = 1; n <= 3; n++) {
      await me.add()
      await live.upTo(n)
    }
    await expect.poll(() => proxy.passed.filter(isStream).length, { timeout: 30_000 }).toBeGreaterThan(1)
    await me.add()
    await live.upTo(4)
  })

  it("the signal stops a subscription and closes its connection", async () => {
    const { client, me, proxy } = await connect()
    await me.add()
    const live = collect(client)
    await live.upTo(1)
    const reason = new Error("enough")
    live.abort(reason)
    expect(await live.ended).toBe(reason)
    await proxy.passed[0]?.closed
    expect(proxy.passed).toHaveLength(1)
  })

  it("leaving the loop stops a subscription and closes its connection", async () => {
    const { client, me, proxy } = await connect()
    await me.add()
    for await (const { change } of client.subscribe()) if (change.kind === "todo") break
    await proxy.passed[0]?.closed
    expect(proxy.passed).toHaveLength(1)
  })

  it.each(["a stream", "pages"])(
    "a subscription fails with cursor-expired if it cannot resume without a gap, of %s",
    async (way) => {
      const { client, me, proxy } = await connect()
      if (way === "pages") proxy.otherwise = (passed) => (isStream(passed) ? { status: 406 } : undefined)
      const { id } = await me.add()
      const { nextCursor } = await client.changes.page()
      await me.send("DELETE", `/v1/todos/${id}`)
      await server.sql("delete from todo.todos where owner_id = $1", me.id)
      await server.sql("update todo.users set horizon = revision where id = $1", me.id)
      const live = collect(client, { since: nextCursor })
      expect(await live.ended).toMatchObject({ code: "cursor-expired", status: 410, requestId: expect.any(String) })
      expect(live.got).toEqual([])
    }
  )

  it("a subscription ends with an error that cannot be retried", async () => {
    const { client } = await connect()
    expect(await collect(client, { since: "x" }).ended).toMatchObject({ code: "invalid-cursor" })
    const stranger = createClient({ url: server.url, token: "x.y.z" })
    expect(await collect(stranger).ended).toMatchObject({ code: "unauthorized" })
  })

  it("a subscription continues with a new token when the old one expires", async () => {
    const { me } = await connect()
    const token = async () => sign({ ...claims(me.id), exp: now() + 2 })
    const { client, proxy } = await connect({ token })
    const live = collect(client)
    await me.add()
    await live.upTo(1)
    await expect.poll(() => proxy.passed.length, { timeout: 10_000 }).toBe(2)
    await me.add()
    await live.upTo(2)
  })

  it.each<[string, Fate]>([
    ["a page of a portal", { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["a page that is not there", { status: 404, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["JSON of something else", { status: 200, headers: { "content-type": "application/json" }, body: "{}" }]
  ])(
    "a subscription goes on after %s has answered in the server's place, and fails if that was there from the start",
    async (_, fate) => {
      const { client, me, proxy } = await connect()
      const live = collect(client, { pollEvery: "50 millis" })
      await me.add()
      await live.upTo(1)
      proxy.next(fate, fate, fate)
      proxy.cut()
      await me.add()
      await live.upTo(2)
      proxy.otherwise = () => fate
      expect(await collect(client).ended).toMatchObject({ code: "unreadable-answer" })
    }
  )

  it("a subscription survives a short lack of tokens, and fails if there is none from the start", async () => {
    let offline = false
    let refused = 0
    const given = await connect()
    const client = createClient({
      url: given.proxy.url,
      token: async () => {
        if (offline) {
          refused++
          throw new Error("offline")
        }
        return given.me.token
      }
    })
    const live = collect(client)
    await given.me.add()
    await live.upTo(1)
    offline = true
    given.proxy.cut()
    await given.me.add()
    await expect.poll(() => refused).toBeGreaterThan(1)
    offline = false
    await live.upTo(2)
    offline = true
    expect(await collect(client).ended).toMatchObject({ code: "token-unavailable" })
  })

  it("a subscription waits for Retry-After", async () => {
    const { client, me, proxy } = await connect()
    proxy.next({ status: 503, headers: { "retry-after": "1" } })
    await me.add()
    const began = performance.now()
    await collect(client).upTo(1)
    expect(performance.now() - began).toBeGreaterThan(990)
  })
})
