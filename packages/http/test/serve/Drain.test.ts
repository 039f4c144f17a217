import { once } from "node:events"
import { connect } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { loadBalancer, healthInterval } from "../support/loadBalancer.ts"
import { lockUser, waitingForLock } from "../support/lockUser.ts"
import { newUser } from "../support/liveServer.ts"
import { bearer, exchange, load, type Sample, statuses } from "../support/load.ts"
import { answers, settings, start, useDatabase } from "../support/program.ts"
import { logInLongRuns, long } from "../support/longRun.ts"

/** The load in requests per second. */
const rate = long ? 200 : 30

/** The first failed requests. */
const failed = (samples: ReadonlyArray<Sample>) =>
  samples
    .filter(({ status }) => status !== 200 && status !== 201)
    .map(({ began, method, status, text }) => ({ began: Math.round(began), method, status, text }))
    .slice(0, 5)

/** For what happens soon, also on a busy machine. */
const patient = { timeout: 30_000, interval: 20 }

/** Runs the function once, when its result is first needed. */
const lazy = <A>(run: () => Promise<A>) => {
  let result: Promise<A> | undefined
  return () => (result ??= run())
}

describe("A server that gets a signal to stop", () => {
  const urls = useDatabase()
  const begin = async (more: Record<string, string> = {}) => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, ...more })
    const address = await program.address()
    await answers(address, "/readyz", 200)
    return { address, program }
  }

  /** Sends only these bytes. Returns the response when the server closes the connection. */
  const silent = (address: string, bytes: string) => {
    const socket = connect(Number(new URL(address).port), "127.0.0.1", () => socket.write(bytes))
    let received = ""
    socket.setEncoding("latin1").on("data", (part) => (received += part))
    socket.on("error", () => {})
    onTestFinished(() => void socket.destroy())
    return once(socket, "close").then(() => received)
  }

  /** What happened when a server under load got the signal. The first test runs it, and the others read its result. */
  const drained = lazy(async () => {
    const [delay, timeout] = [4_000, 5_000]
    const { address, program } = await begin({
      DATABASE_URL: urls.unlimited,
      TODO_DRAIN_DELAY: `${delay} millis`,
      TODO_DRAIN_TIMEOUT: `${timeout} millis`
    })
    const me = await newUser()
    const post = (title: string) =>
      exchange(address, {
        agent: false,
        headers: { authorization: me.authorization },
        method: "POST",
        path: "/v1/todos",
        json: { title }
      })
    await post("first")
    const streams = await Promise.all(Array.from({ length: 5 }, () => me.follow({ url: address })))
    const halfHeaders = silent(address, "GET /livez HTTP/1.1\r\nHost: x\r\n")
    const halfBody = silent(
      address,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nAuthorization: ${me.authorization}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`
    )
    const idle = silent(address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    const unused = silent(address, "")
    const release = await lockUser(urls.admin, me.id)
    const slow = Promise.all(Array.from({ length: 5 }, (_, n) => post(`slow ${n}`)))
    await expect.poll(() => waitingForLock(urls.admin), patient).toBeGreaterThan(0)
    const clients = await load(address, { rate })
    await expect.poll(clients.sent, patient).toBeGreaterThan(rate / 2)

    program.kill("SIGTERM")
    const told = performance.now()
    await answers(address, "/readyz", 503)
    const notReady = performance.now() - told
    await release()
    const inFlight = await slow
    const ends = await Promise.all(streams.map(({ ended }) => ended))
    const refused = async () => (await exchange(address, { path: "/livez", agent: false })).status
    await expect.poll(refused, patient).toBe("ECONNREFUSED")
    const closed = performance.now() - told
    const code = await program.ended
    const took = performance.now() - told
    const samples = await clients.stop()
    logInLongRuns(statuses(samples), `not ready after ${notReady.toFixed()} ms, ended after ${took.toFixed()} ms`)
    return {
      closed,
      code,
      delay,
      ends,
      inFlight,
      notReady,
      stderr: program.stderr(),
      timeout,
      took,
      halfSent: await Promise.all([halfHeaders, halfBody]),
      idle: await Promise.all([idle, unused]),
      /** The requests that began before the server stopped listening. */
      answered: samples.filter(({ began }) => began < told + delay - 500),
      /** Those of them that began when the server was not ready any more. */
      late: samples.filter(({ began }) => began > told + notReady && began < told + delay - 500)
    }
  })

  it("a server is not ready after SIGTERM, and listens until the drain delay ends", async () => {
    const { closed, delay, notReady } = await drained()
    expect(notReady).toBeLessThan(delay)
    expect(closed).toBeGreaterThan(delay - 100)
  })

  it("requests in flight are answered after SIGTERM", async () => {
    const { inFlight } = await drained()
    expect(inFlight.map(({ headers, status }) => [status, headers["connection"]])).toEqual(
      inFlight.map(() => [201, "close"])
    )
  })

  it("requests that arrive during the drain delay are answered, and their connections are closed", async () => {
    const { answered, late } = await drained()
    expect(answered.length).toBeGreaterThan(rate)
    expect(failed(answered)).toEqual([])
    expect(late.length).toBeGreaterThan(20)
    expect(late.filter(({ headers }) => headers["connection"] !== "close")).toEqual([])
  })

  it("event streams end after SIGTERM", async () => {
    const { ends } = await drained()
    expect(ends).toEqual(ends.map(() => "end"))
  })

  it("half-sent requests are refused after SIGTERM", async () => {
    const [halfHeaders, halfBody] = (await drained()).halfSent
    expect(halfHeaders).toBe("")
    expect(halfBody).toMatch(/^(HTTP\/1\.1 503 |$)/)
  })

  it("idle connections are closed after SIGTERM", async () => {
    const [idle, unused] = (await drained()).idle
    expect(idle).toMatch(/^HTTP\/1\.1 200 /)
    expect(unused).toBe("")
  })

  it("the process exits with 0 before the drain timeout ends, and prints no error", async () => {
    const { code, delay, stderr, timeout, took } = await drained()
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(took).toBeLessThan(delay + timeout + 1_000)
  })

  it("a second signal ends the server at once", async () => {
    const { address, program } = await begin({ DATABASE_URL: urls.unlimited })
    const me = await newUser()
    const headers = { authorization: me.authorization }
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    await post()
    const release = await lockUser(urls.admin, me.id)
    const waiting = post()
    await expect.poll(() => waitingForLock(urls.admin), patient).toBe(1)
    program.kill("SIGTERM")
    await expect
      .poll(async () => (await exchange(address, { path: "/livez", agent: false })).status, { interval: 20 })
      .toBe("ECONNREFUSED")
    // A signal within a second of the first is a duplicate that npm forwards.
    let ended = false
    void program.ended.then(() => (ended = true))
    const again = () => {
      program.kill("SIGTERM")
      return ended
    }
    await expect.poll(again, { interval: 50, timeout: 5_000 }).toBe(true)
    expect(await program.ended).toBe(130)
    expect(await waiting).toMatchObject({ status: expect.stringMatching(/ECONNRESET|socket hang up/) })
    await release()
  })

  it("requests in flight are answered 503 at the drain timeout", async () => {
    const { address, program } = await begin({ DATABASE_URL: urls.unlimited, TODO_DRAIN_TIMEOUT: "1 second" })
    const me = await newUser()
    const headers = { authorization: me.authorization }
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    await post()
    const release = await lockUser(urls.admin, me.id)
    const waiting = post()
    await expect.poll(() => waitingForLock(urls.admin), patient).toBe(1)
    program.kill("SIGTERM")
    const told = performance.now()
    expect(await program.ended).toBe(0)
    expect(performance.now() - told).toBeLessThan(3_000)
    expect(await waiting).toMatchObject({ status: 503, headers: { "retry-after": "1", connection: "close" } })
    await release()
  })

  it("no request fails in a rolling restart behind a load balancer", { timeout: 180_000 }, async () => {
    const delay = { TODO_DRAIN_DELAY: `${healthInterval * 10} millis` }
    const front = await loadBalancer()
    let running = await Promise.all([begin(delay), begin(delay)])
    for (const { address } of running) await front.add(address)
    const clients = await load(front.url, { rate: rate / 2 })
    await expect.poll(clients.sent, patient).toBeGreaterThan(rate / 4)
    for (let replaced = 0; replaced < 3; replaced++) {
      const [old, ...rest] = running
      const next = await begin(delay)
      await front.add(next.address)
      old?.program.kill("SIGTERM")
      expect(await old?.program.ended).toBe(0)
      running = [...rest, next]
    }
    const samples = await clients.stop()
    logInLongRuns(`3 replaced: ${JSON.stringify(statuses(samples))}`)
    expect(samples.length).toBeGreaterThan(rate * 3)
    expect(failed(samples)).toEqual([])
  })

  it("connections without a request do not delay the end", async () => {
    const { address, program } = await begin()
    const headers = await bearer()
    expect((await exchange(address, { path: "/v1/me", headers })).status).toBe(200)
    const unused = silent(address, "")
    await answers(address, "/livez", 200)
    const told = performance.now()
    program.kill("SIGTERM")
    expect(await program.ended).toBe(0)
    expect(await unused).toBe("")
    expect(performance.now() - told).toBeLessThan(2_000)
  })
})
