import { once } from "node:events"
import { connect } from "node:net"
import { make } from "@todo/http/client"
import { Duration, Effect, Fiber, Redacted, Stream } from "effect"
import { describe, expect, it, onTestFinished } from "vitest"
import { newUser, useServers } from "../support/liveServer.ts"
import { gate } from "../support/program.ts"
import { logInLongRuns } from "../support/longRun.ts"

/** The duration of an action in milliseconds. */
const duration = async (promise: Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await promise
  return performance.now() - began
}

describe("Two servers on one database", () => {
  const servers = useServers()
  const both = async () => [await servers.start(), await servers.start()] as const

  it("a write through one server appears in the streams of the other within a second, 20 times", async () => {
    const [one, two] = await both()
    const me = await newUser()
    const live = await me.follow(two)
    const delays: Array<number> = []
    for (let n = 1; n <= 20; n++) {
      const { body } = await me.send(one, "POST", "/v1/todos", { json: { title: `${n}` } })
      const began = performance.now()
      const events = await live.until(n)
      delays.push(performance.now() - began)
      expect(events.at(-1)?.change.todo).toEqual(body)
    }
    logInLongRuns(`seen after ${Math.round(Math.max(...delays))} ms at most`)
    expect(Math.max(...delays)).toBeLessThan(1_000)
  })

  it("an event id of one server resumes a stream at the other, and a page cursor does too", async () => {
    const [one, two] = await both()
    const me = await newUser()
    for (const title of ["a", "b"]) await me.send(one, "POST", "/v1/todos", { json: { title } })
    const [first, second] = await (await me.follow(one)).until(2)
    expect(await (await me.follow(two, { lastEventId: first?.id })).until(1)).toEqual([second])
    const { body } = await me.send(two, "GET", `/v1/changes?since=${first?.id}`)
    expect(body.changes).toEqual([second?.change])
  })

  it("a key that was used through one server gives the same answer through the other", async () => {
    const [one, two] = await both()
    const me = await newUser()
    const post = (server: typeof one) =>
      me.send(server, "POST", "/v1/todos", { json: { title: "a" }, headers: { "idempotency-key": "k" } })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => post(n % 2 === 0 ? one : two)))
    const created = answers.filter(({ status }) => status === 201)
    expect(answers.filter(({ status }) => status !== 201 && status !== 409)).toEqual([])
    const last = await post(two)
    for (const { text } of created) expect(text).toBe(last.text)
    expect((await me.send(one, "GET", "/v1/todos?count=true")).body.total).toBe(1)
  })

  it("100 PATCHes through both servers with one ETag: one 200, 99 of 412 with the current ETag, which is the next", async () => {
    const [one, two] = await both()
    const me = await newUser()
    const { body, headers } = await me.send(one, "POST", "/v1/todos", { json: { title: "a" } })
    expect(headers["etag"]).toBe('"1"')
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        me.send(n % 2 === 0 ? one : two, "PATCH", `/v1/todos/${body.id}`, {
          json: { title: `by ${n}` },
          headers: { "if-match": '"1"' }
        })
      )
    )
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    for (const answer of answers) expect(answer.headers["etag"]).toBe('"2"')
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(answer).toMatchObject({ status: 412, body: { code: "revision-mismatch" } })
    }
    expect((await me.send(two, "GET", `/v1/todos/${body.id}`)).body).toEqual(won[0]?.body)
  })

  it("a server that is stopped ends its streams at once, and a client resumes at the other without a gap", async () => {
    const [one, two] = await both()
    const me = await newUser()
    const add = (title: string) => me.send(two, "POST", "/v1/todos", { json: { title } })
    const live = await Promise.all(Array.from({ length: 10 }, () => me.follow(one)))
    await add("a")
    await Promise.all(live.map((stream) => stream.until(1)))
    const stopped = duration(one.stop())
    const ends = Promise.all(live.map(({ ended }) => ended))
    expect(await duration(ends)).toBeLessThan(1_000)
    expect(await ends).toEqual(live.map(() => "end"))
    expect(await stopped).toBeLessThan(2_000)
    const { body } = await add("b")
    const rest = await me.follow(two, { lastEventId: live[0]?.events().at(-1)?.id })
    const events = await rest.until(1)
    expect(events.map(({ change }) => change.id)).toEqual([body.id])
  })

  it("a subscription of the typed client survives 15 broken connections, and misses and repeats nothing", async () => {
    const [one, two] = await both()
    const me = await newUser()
    const way = await gate(one.url)
    await way.open()
    const got: Array<number> = []
    const changes = make({ url: way.url, token: Effect.succeed(Redacted.make(me.token)) }).subscribe()
    const following = Effect.runFork(
      Stream.runForEach(changes, ({ change }) => Effect.sync(() => got.push(change.revision)))
    )
    onTestFinished(() => Effect.runPromise(Fiber.interrupt(following)))
    let written = 0
    for (let cut = 0; cut < 15; cut++) {
      for (let n = 0; n < 4; n++, written++) await me.send(two, "POST", "/v1/todos", { json: { title: "a" } })
      await expect.poll(() => got.length, { timeout: 15_000 }).toBeGreaterThan(cut % 3 > 0 ? written - 4 : -1)
      await way.close()
      await way.open()
    }
    await expect.poll(() => got.length, { timeout: 15_000 }).toBe(written)
    expect(got).toEqual(Array.from({ length: written }, (_, n) => n + 1))
  })

  it("a server that is stopped does not wait for connections that never sent anything", async () => {
    const server = await servers.start(Duration.seconds(2))
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1")
    await once(socket, "connect")
    await (await newUser()).send(server, "GET", "/v1/me")
    const took = await duration(server.stop())
    socket.destroy()
    expect(took).toBeLessThan(1_000)
  })
})
