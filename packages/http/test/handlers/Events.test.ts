import { describe, expect, it } from "vitest"
import { newUser, useServers } from "../support/liveServer.ts"
import { now, request } from "../support/testServer.ts"
import { logInLongRuns, long } from "../support/longRun.ts"

/** The statement that all streams of a server share. */
const tick = "calls.seen"

describe("Live events over HTTP", () => {
  const servers = useServers()

  it("event streams begin with a retry hint, and send each change with its cursor as id, as the pages have it", async () => {
    const server = await servers.start()
    const me = await newUser()
    const add = (title: string) => me.send(server, "POST", "/v1/todos", { json: { title } })
    const first = await add("Line\nbreaks\r\nand ü\u2028 and  id: x")
    const live = await me.follow(server)
    expect(live.status).toBe(200)
    expect(live.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no"
    })
    await live.until(1)
    const list = await me.send(server, "POST", "/v1/lists", { json: { name: "home" } })
    await live.until(2)
    await me.send(server, "DELETE", `/v1/todos/${first.body.id}`)
    const events = await live.until(3)
    expect(live.text()).toMatch(/^retry: \d+\nevent: /)
    expect(events.map(({ event, change: { deleted, id, kind } }) => [event, kind, id, deleted])).toEqual([
      ["change", "todo", first.body.id, false],
      ["change", "list", list.body.id, false],
      ["change", "todo", first.body.id, true]
    ])
    const { body } = await me.send(server, "GET", "/v1/changes")
    expect(events.slice(1).map(({ change }) => change)).toEqual(body.changes)
    for (const [n, { id }] of events.entries()) {
      const { body } = await me.send(server, "GET", `/v1/changes?since=${id}`)
      expect(body.changes.map(({ revision }: { revision: number }) => revision)).toEqual([2, 3].slice(n))
    }
  })

  it("event streams resume after Last-Event-ID, which overrides since", async () => {
    const server = await servers.start()
    const me = await newUser()
    for (const title of ["a", "b", "c"]) await me.send(server, "POST", "/v1/todos", { json: { title } })
    const all = await (await me.follow(server)).until(3)
    const [one, two] = all.map(({ id }) => id)
    expect(await (await me.follow(server, { lastEventId: one })).until(2)).toEqual(all.slice(1))
    expect(await (await me.follow(server, { since: two ?? "" })).until(1)).toEqual(all.slice(2))
    expect(await (await me.follow(server, { since: two ?? "", lastEventId: one })).until(2)).toEqual(all.slice(1))
    const { body } = await me.send(server, "GET", "/v1/changes?limit=2")
    expect(await (await me.follow(server, { since: body.nextCursor })).until(1)).toEqual(all.slice(2))
  })

  it("event streams resume after ?lastEventId= for clients that cannot set headers; the header overrides it, and an empty id is ignored", async () => {
    const server = await servers.start()
    const me = await newUser()
    for (const title of ["a", "b", "c"]) await me.send(server, "POST", "/v1/todos", { json: { title } })
    const all = await (await me.follow(server)).until(3)
    const [one, two] = all.map(({ id }) => encodeURIComponent(id))
    const follow = async (search: string, lastEventId?: string) =>
      (await me.follow(server, { search, lastEventId })).until(1).then(([first]) => first)
    expect(await follow(`?lastEventId=${two}`)).toEqual(all[2])
    expect(await follow(`?since=${one}&lastEventId=${two}`)).toEqual(all[2])
    expect(await follow(`?lastEventId=${one}`, all[1]?.id)).toEqual(all[2])
    expect(await follow("?lastEventId=", "")).toEqual(all[0])
    expect(await follow(`?since=${one}&lastEventId=`, "")).toEqual(all[1])
    const { body } = await me.send(server, "GET", `/v1/changes?since=${one}&lastEventId=${two}`)
    expect(body.changes).toEqual(all.slice(2).map(({ change }) => change))
  })

  it("event streams cut at 20 random moments and resumed by the last id add up to the pages", async () => {
    const server = await servers.start()
    const me = await newUser()
    const got: Array<{ id: string; change: { revision: number; id: string } }> = []
    const stop = new AbortController()
    const writer = async () => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const { body } = await me.send(server, "POST", "/v1/todos", { json: { title: `${n}` } })
        if (n % 3 === 0) await me.send(server, "DELETE", `/v1/todos/${body.id}`)
      }
    }
    const written = Promise.all([writer(), writer()])
    for (let cut = 0; cut < 20; cut++) {
      const live = await me.follow(server, { lastEventId: got.at(-1)?.id })
      await new Promise((resume) => setTimeout(resume, Math.random() * 60))
      live.cut()
      got.push(...live.events())
    }
    stop.abort()
    await written
    const { body: me_ } = await me.send(server, "GET", "/v1/me")
    const rest = await me.follow(server, { lastEventId: got.at(-1)?.id })
    const last = () => rest.events().at(-1)?.change.revision ?? got.at(-1)?.change.revision
    await expect.poll(last, { timeout: 30_000 }).toBe(me_.revision)
    got.push(...rest.events())

    const revisions = got.map(({ change }) => change.revision)
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
    const folded = [...new Map(got.map(({ change }) => [change.id, change])).values()]
    const { body } = await me.send(server, "GET", "/v1/changes?limit=500")
    expect(body.hasMore).toBe(false)
    expect(folded.toSorted((a, b) => a.revision - b.revision)).toEqual(body.changes)
  })

  it("event streams that cannot begin are answered with problems: 400, 401, 410", async () => {
    const server = await servers.start()
    const [me, other] = [await newUser(), await newUser()]
    const { body } = await me.send(server, "POST", "/v1/todos", { json: { title: "a" } })
    const [event] = await (await me.follow(server)).until(1)
    const accept = { accept: "text/event-stream" }
    const ask = (user: typeof me, headers: Record<string, string>, search = "") =>
      user.send(server, "GET", `/v1/changes${search}`, { headers: { ...accept, ...headers } })

    const invalid = {
      status: 400,
      headers: { "content-type": "application/problem+json" },
      body: { code: "invalid-cursor" }
    }
    expect(await ask(me, { "last-event-id": "x" })).toMatchObject(invalid)
    expect(await ask(me, {}, "?since=x")).toMatchObject(invalid)
    expect(await ask(other, { "last-event-id": event?.id ?? "" })).toMatchObject(invalid)
    expect((await ask(me, { "last-event-id": "x".repeat(3_000) })).status).toBeOneOf([400, 422])
    expect(await request(`${server.url}/v1/changes`, "GET", { headers: accept })).toMatchObject({ status: 401 })

    await me.send(server, "DELETE", `/v1/todos/${body.id}`)
    await servers.sql("delete from todo.todos where owner_id = $1", me.id)
    await servers.sql("update todo.users set horizon = revision where id = $1", me.id)
    expect(await ask(me, { "last-event-id": event?.id ?? "" })).toMatchObject({
      status: 410,
      headers: { "content-type": "application/problem+json" },
      body: { code: "cursor-expired" }
    })
  })

  it("event streams are not opened for HEAD: the response ends", async () => {
    const server = await servers.start()
    const me = await newUser()
    const sent = { headers: { accept: "text/event-stream" } }
    const answer = await Promise.race([
      me.send(server, "HEAD", "/v1/changes", sent),
      new Promise<never>((_, reject) => setTimeout(() => reject(new Error("no answer in 3 s")), 3_000))
    ])
    expect(answer.status).toBeLessThan(500)
    await expect.poll(() => quiet(server), { timeout: 30_000, interval: 700 }).toBe(true)
  })

  it("event streams end when the token expires", async () => {
    const server = await servers.start()
    const expires = now() + 4
    const me = await newUser(undefined, expires)
    await me.send(server, "POST", "/v1/todos", { json: { title: "a" } })
    const live = await me.follow(server)
    await live.until(1)
    expect(await live.ended).toBe("end")
    expect(Date.now() / 1_000).toBeGreaterThanOrEqual(expires - 0.1)
    // Streams do not have the tolerance of 5 s that requests have.
    expect(Date.now() / 1_000).toBeLessThan(expires + 4)
  })

  /** Whether the server has not read changes for 0.5 s. */
  const quiet = async (server: { count: (part: string) => number }) => {
    const before = server.count(tick)
    await new Promise((resume) => setTimeout(resume, 600))
    return server.count(tick) === before
  }

  it("event streams release everything when the client disconnects, also if it does so at once", async () => {
    const server = await servers.start()
    const me = await newUser()
    const live = await Promise.all(Array.from({ length: 20 }, () => me.follow(server)))
    expect(await quiet(server)).toBe(false)
    for (const { cut } of live) cut()
    const url = `${server.url}/v1/changes`
    const headers = { accept: "text/event-stream", authorization: me.authorization }
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const abort = new AbortController()
        const asked = fetch(url, { headers, signal: abort.signal }).catch(() => undefined)
        setTimeout(() => abort.abort(), n / 2)
        await asked
      })
    )
    await expect.poll(() => quiet(server), { timeout: 10_000, interval: 10 }).toBe(true)
  })

  /** 30 MB of changes, in 30 pages. */
  const much = async (server: { url: string }, me: Awaited<ReturnType<typeof newUser>>) => {
    await me.send(server, "POST", "/v1/todos", { json: { title: "a", description: "x".repeat(10_000) } })
    await servers.sql(
      `insert into todo.todos select (jsonb_populate_record(t, jsonb_build_object(
         'id', gen_random_uuid(), 'revision', n, 'position', 'b' || n))).*
       from todo.todos t cross join generate_series(2, 3000) n where owner_id = $1`,
      me.id
    )
    await servers.sql("update todo.users set revision = 3000 where id = $1", me.id)
  }

  it("event streams are not buffered for a client that does not read", async () => {
    const server = await servers.start()
    const me = await newUser()
    await much(server, me)
    await me.follow(server, { reads: false })
    const pages = () => server.count("0::bigint as revision")
    let before = -1
    while (before !== pages()) {
      before = pages()
      await new Promise((resume) => setTimeout(resume, 700))
    }
    logInLongRuns(`${before} of 30 pages read ahead`)
    expect(before).toBeLessThan(25)
    const reader = await me.follow(server)
    await expect.poll(() => reader.events().length, { timeout: 15_000, interval: 100 }).toBe(3_000)
  })

  it.runIf(long)(
    "event streams end for a client that does not read, in two minutes or so",
    { timeout: 200_000 },
    async () => {
      const server = await servers.start()
      const me = await newUser()
      await much(server, me)
      await me.follow(server, { reads: false })
      expect(await quiet(server)).toBe(false)
      const began = performance.now()
      await expect.poll(() => quiet(server), { timeout: 180_000, interval: 1_000 }).toBe(true)
      logInLongRuns(`ended after ${Math.round((performance.now() - began) / 1_000)} s`)
    }
  )

  it.runIf(long)("event streams send a comment every 15 s, so that no proxy closes them", async () => {
    const server = await servers.start()
    const live = await (await newUser()).follow(server)
    await expect.poll(() => live.text(), { timeout: 17_000 }).toMatch(/\n:\n$/)
  })
})

describe("Many idle streams", () => {
  const servers = useServers()

  it("idle streams of 300 users in one process cost little", async () => {
    const server = await servers.start()
    const users = await Promise.all(Array.from({ length: 300 }, () => newUser()))
    const streams = await Promise.all(users.map((user) => user.follow(server)))
    const [first] = users
    await first?.send(server, "POST", "/v1/todos", { json: { title: "a" } })
    await streams[0]?.until(1)
    const [used, began] = [process.cpuUsage(), performance.now()]
    await new Promise((resume) => setTimeout(resume, 3_000))
    const { system, user } = process.cpuUsage(used)
    const share = (user + system) / 1_000 / (performance.now() - began)
    logInLongRuns(`300 idle streams: ${(share * 100).toFixed(1)} % of a core, clients included`)
    expect(share).toBeLessThan(0.3)
    expect(streams.slice(1).every(({ events }) => events().length === 0)).toBe(true)
  })
})
