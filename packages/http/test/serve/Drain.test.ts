import { once } from "node:events"
import { Agent } from "node:http"
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it, onTestFinished } from "vitest"
import { loadBalancer, healthInterval } from "../support/loadBalancer.ts"
import { lockUser } from "../support/lockUser.ts"
import { newUser } from "../support/liveServer.ts"
import { bearer, exchange, load, type Sample, statuses } from "../support/load.ts"
import { answers, settings, start, useDatabase } from "../support/program.ts"

const long = process.env["TODO_TEST_LONG"] === "1"

/** The load in requests per second. */
const rate = long ? 200 : 30

/** The first failed requests. */
const failed = (samples: ReadonlyArray<Sample>) =>
  samples
    .filter(({ status }) => status !== 200 && status !== 201)
    .map(({ began, method, status, text }) => ({ began: Math.round(began), method, status, text }))
    .slice(0, 5)

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

  it("a server under load first becomes not ready, then answers requests in flight, ends its streams, and ends in time", async () => {
    const [delay, drain] = [4_000, 5_000]
    const { address, program } = await begin({
      TODO_DRAIN_DELAY: `${delay} millis`,
      TODO_DRAIN_TIMEOUT: `${drain} millis`
    })
    const me = await newUser()
    const send = (path: string, json?: unknown) =>
      exchange(address, {
        path,
        headers: { authorization: me.authorization },
        agent: false,
        ...(json !== undefined && { method: "POST", json })
      })
    expect((await send("/v1/todos", { title: "first" })).status).toBe(201)
    const streams = await Promise.all(Array.from({ length: 5 }, () => me.follow({ url: address })))
    const halfHeaders = silent(address, "GET /livez HTTP/1.1\r\nHost: x\r\n")
    const halfBody = silent(
      address,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nAuthorization: ${me.authorization}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`
    )
    const idle = silent(address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    const unused = silent(address, "")
    const agent = new Agent({ keepAlive: true })
    const clients = await load(address, { rate, agent })
    const release = await lockUser(urls.admin, me.id)
    const slow = Promise.all(Array.from({ length: 5 }, (_, n) => send("/v1/todos", { title: `slow ${n}` })))
    await sleep(500)

    program.kill("SIGTERM")
    const told = performance.now()
    await answers(address, "/readyz", 503)
    const noticed = performance.now()
    expect(noticed - told).toBeLessThan(delay)
    await release()
    for (const answer of await slow) {
      expect(answer).toMatchObject({ status: 201, headers: { connection: "close" } })
    }
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(streams.map(() => "end"))
    const refused = async () => (await exchange(address, { path: "/livez", agent: false })).status
    await expect.poll(refused, { interval: 20, timeout: 5_000 }).toBe("ECONNREFUSED")
    const closed = performance.now()
    expect(closed - told).toBeGreaterThan(delay - 100)

    expect(await program.ended).toBe(0)
    const took = performance.now() - told
    const samples = await clients.stop()
    console.log(
      statuses(samples),
      `not ready after ${Math.round(noticed - told)} ms, ended after ${Math.round(took)} ms`
    )
    expect(took).toBeLessThan(delay + drain + 1_000)
    // Every request sent before the server stopped listening was answered.
    const before = samples.filter(({ began }) => began < told + delay - 500)
    expect(before.length).toBeGreaterThan(rate)
    expect(failed(before)).toEqual([])
    const during = before.filter(({ began }) => began > noticed)
    expect(during.length).toBeGreaterThan(20)
    expect(during.filter(({ headers }) => headers["connection"] !== "close")).toEqual([])
    // Half-sent requests and idle connections were closed; the latter had their response.
    expect(await halfHeaders).toBe("")
    expect(await halfBody).toMatch(/^(HTTP\/1\.1 503 |$)/)
    expect(await idle).toMatch(/^HTTP\/1\.1 200 /)
    expect(await unused).toBe("")
    expect(program.stderr()).toBe("")
  })

  it("a second signal ends the server at once", async () => {
    const { address, program } = await begin()
    const me = await newUser()
    const headers = { authorization: me.authorization }
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    await post()
    const release = await lockUser(urls.admin, me.id)
    const waiting = post()
    await sleep(300)
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
    const { address, program } = await begin({ TODO_DRAIN_TIMEOUT: "1 second" })
    const me = await newUser()
    const headers = { authorization: me.authorization }
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    await post()
    const release = await lockUser(urls.admin, me.id)
    const waiting = post()
    await sleep(300)
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
    await sleep(500)
    for (let replaced = 0; replaced < 3; replaced++) {
      const [old, ...rest] = running
      const next = await begin(delay)
      await front.add(next.address)
      old?.program.kill("SIGTERM")
      expect(await old?.program.ended).toBe(0)
      running = [...rest, next]
    }
    const samples = await clients.stop()
    console.log(`3 replaced: ${JSON.stringify(statuses(samples))}`)
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
