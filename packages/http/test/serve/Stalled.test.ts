import { describe, expect, it } from "vitest"
import {
  bearer,
  exchange,
  expectAnsweredOrUnavailable,
  load,
  percentile,
  type Sample,
  statuses
} from "../support/load.ts"
import { answers, gate, settings, start, useDatabase } from "../support/program.ts"
import { logInLongRuns } from "../support/longRun.ts"

/** The request timeout of the server, and the tolerance for a slow machine. */
const deadline = 2_000
const slack = 1_000

describe("A network to the database that goes silent", () => {
  const urls = useDatabase()

  const begin = async (more = {}) => {
    const database = await gate(urls.DATABASE_URL)
    await database.open()
    const limits = { TODO_REQUEST_TIMEOUT: `${deadline} millis`, ...more }
    const program = start({ ...settings, DATABASE_URL: database.url, ...limits })
    const address = await program.address()
    await answers(address, "/readyz", 200)
    return { address, database, program }
  }

  it("each request ends by its deadline while the network is silent, and later requests succeed", async () => {
    const { address, database } = await begin()
    const clients = await load(address, { rate: 50, patience: deadline + slack })
    /** Waits until more than so many requests have ended in this way. */
    const untilEnded = async (count: number, so: (sample: Sample) => boolean) => {
      await expect.poll(() => clients.ended().filter(so).length, { timeout: 30_000 }).toBeGreaterThan(count)
    }
    await untilEnded(20, ({ status }) => status === 200)
    database.stall()
    const unavailable = untilEnded(50, ({ status }) => status === 503)
    expect(await exchange(address, { path: "/livez" })).toMatchObject({ status: 200 })
    const ready = await exchange(address, { path: "/readyz" })
    expect(ready).toMatchObject({ status: 503 })
    expect(ready.milliseconds).toBeLessThan(2_000 + slack)
    await unavailable
    expect(await exchange(address, { path: "/livez" })).toMatchObject({ status: 200 })
    database.resume()
    await answers(address, "/readyz", 200)
    // Requests sent 2 s after the silence are all answered.
    const later = performance.now() + 2_000
    await untilEnded(10, ({ began }) => began > later)
    const samples = await clients.stop()
    logInLongRuns(statuses(samples), `slowest ${Math.round(percentile(samples, 100))} ms`)
    expectAnsweredOrUnavailable(samples)
    expect(samples.filter(({ began, status }) => began > later && status === 503)).toEqual([])

    // Every connection of the pool works again.
    const headers = await bearer()
    const all = await Promise.all(Array.from({ length: 40 }, () => exchange(address, { path: "/v1/me", headers })))
    expect(statuses(all)).toEqual({ 200: 40 })
  })

  it("requests are answered 503 if connections open but stay silent from the beginning", async () => {
    const database = await gate(urls.DATABASE_URL)
    await database.open()
    database.stall()
    const program = start({ ...settings, DATABASE_URL: database.url, TODO_REQUEST_TIMEOUT: `${deadline} millis` })
    const address = await program.address()
    const headers = await bearer()
    const asked = Array.from({ length: 30 }, () =>
      exchange(address, { path: "/v1/todos", headers, patience: deadline + slack })
    )
    const samples = await Promise.all(asked)
    expect(statuses(samples)).toEqual({ 503: 30 })
    expectAnsweredOrUnavailable(samples)
    expect(await exchange(address, { path: "/livez" })).toMatchObject({ status: 200 })
    database.resume()
    await answers(address, "/readyz", 200)
    expect((await exchange(address, { path: "/v1/todos", headers })).status).toBe(200)
  })

  it.each([
    ["requests end before it does", "4 seconds", 5_000],
    ["requests are still waiting", "1 second", 2_000]
  ])("a silent network does not delay the shutdown: %s", async (_, drain, most) => {
    const { address, database, program } = await begin({ TODO_DRAIN_TIMEOUT: drain })
    const headers = await bearer()
    const ask = () => Promise.all(Array.from({ length: 20 }, () => exchange(address, { path: "/v1/me", headers })))
    await ask()
    database.stall()
    const waiting = ask()
    // The server reads requests in the order in which they arrive.
    await answers(address, "/livez", 200)
    const told = performance.now()
    program.kill("SIGTERM")
    expect(await program.ended).toBe(0)
    logInLongRuns(`ended after ${Math.round(performance.now() - told)} ms`)
    expect(performance.now() - told).toBeLessThan(most + slack)
    const samples = await waiting
    expect(statuses(samples)).toEqual({ 503: 20 })
    expectAnsweredOrUnavailable(samples)
  })
})
