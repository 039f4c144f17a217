import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { bearer, exchange, expectAnsweredOrUnavailable, load, percentile, statuses } from "../support/load.ts"
import { stoppablePostgres } from "../support/stoppablePostgres.ts"
import { answers, settings, start } from "../support/program.ts"
import { logInLongRuns, long } from "../support/longRun.ts"

const away = long ? 15_000 : 4_000

describe("A database that is stopped", () => {
  it("a server whose database is stopped is live, not ready, and ready within two seconds after the database starts", async () => {
    const database = await stoppablePostgres()
    const program = start({ ...settings, DATABASE_URL: database.url })
    const address = await program.address()
    const headers = await bearer()
    const ask = () => exchange(address, { path: "/v1/todos", headers })
    expect(await exchange(address, { path: "/livez" })).toMatchObject({ status: 200 })
    expect(await exchange(address, { path: "/readyz" })).toMatchObject({ status: 503 })
    expectAnsweredOrUnavailable([await ask()])
    await database.start()
    const started = performance.now()
    await answers(address, "/readyz", 200)
    logInLongRuns(`ready ${Math.round(performance.now() - started)} ms after the start of the database`)
    expect((await ask()).status).toBe(200)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it(
    `requests under load get only answers and 503s while the database is away for ${away / 1_000} s, and answers within two seconds after it is back`,
    { timeout: 120_000 },
    async () => {
      const database = await stoppablePostgres()
      await database.start()
      const program = start({ ...settings, DATABASE_URL: database.url })
      const address = await program.address()
      await answers(address, "/readyz", 200)
      const clients = await load(address, { rate: 100, patience: 12_000 })
      await expect.poll(() => clients.ended().length, { timeout: 30_000 }).toBeGreaterThan(100)
      await database.stop()
      const stopped = performance.now()
      await sleep(away)
      expect(await exchange(address, { path: "/livez" })).toMatchObject({ status: 200 })
      const returning = performance.now()
      await database.start()
      await answers(address, "/readyz", 200)
      const ready = performance.now()
      const later = returning + 2_000
      await expect
        .poll(() => clients.ended().filter(({ began }) => began > later).length, { timeout: 30_000 })
        .toBeGreaterThan(50)
      const samples = await clients.stop()
      const during = samples.filter(({ began }) => began > stopped && began < returning - 1_000)
      logInLongRuns(
        statuses(samples),
        `while away: p99 ${Math.round(percentile(during, 99))} ms; ready after ${Math.round(ready - returning)} ms`
      )
      expectAnsweredOrUnavailable(samples)
      expect(statuses(during)).toEqual({ 503: during.length })
      expect(samples.filter(({ began, status }) => began > later && status === 503)).toEqual([])
    }
  )
})
