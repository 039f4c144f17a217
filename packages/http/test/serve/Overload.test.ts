import { setTimeout as sleep } from "node:timers/promises"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { beforeAll, describe, expect, it } from "vitest"
import { settings, start, useDatabase } from "../support/program.ts"
import { type Answer, claims, request, sign } from "../support/testServer.ts"
import { logInLongRuns } from "../support/longRun.ts"

/** The requests per second of one database connection, equal on every machine: a read of changes sleeps for 100 ms. */
const slow = ["create policy slow on todo.todos as restrictive for select using (pg_sleep(0.1)::text is not null)"]

const seconds = 6

describe("An overloaded server", () => {
  const urls = useDatabase()

  beforeAll(async () => {
    await Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(slow, (text) => sql.unsafe(text))).pipe(
        Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 }))
      )
    )
  })

  it("an overloaded server keeps its throughput, answers the excess 503 with Retry-After, and stays live", async () => {
    const program = start({
      ...settings,
      DATABASE_URL: urls.DATABASE_URL,
      TODO_DATABASE_POOL: "4"
    })
    const address = await program.address()
    const headers = { authorization: `Bearer ${await sign(claims("overload"))}` }
    const { status } = await request(`${address}/v1/todos`, "POST", { headers, json: { title: "a" } })
    expect(status).toBe(201)
    const get = () => request(`${address}/v1/changes`, "GET", { headers })

    /** The throughput per second with as many clients as connections in the pool (closed model). */
    let answered = 0
    const until = performance.now() + seconds * 1_000
    const loop = async () => {
      while (performance.now() < until) if ((await get()).status === 200) answered++
    }
    await Promise.all(Array.from({ length: 4 }, loop))
    const capacity = answered / seconds

    /** Sends twice that rate, whether or not earlier requests were answered (open model). */
    const begun = performance.now()
    const sent: Array<Promise<Answer & { readonly at: number }>> = []
    const pulses: Array<number> = []
    while (performance.now() - begun < 2 * seconds * 1_000) {
      const due = ((performance.now() - begun) / 1_000) * capacity * 2
      while (sent.length < due) sent.push(get().then((answer) => ({ ...answer, at: performance.now() - begun })))
      const asked = performance.now()
      expect((await request(`${address}/livez`, "GET")).status).toBe(200)
      pulses.push(performance.now() - asked)
      await sleep(10)
    }
    const answers = await Promise.all(sent)
    // Measures once the queue is full.
    const good = answers.filter(({ at, status }) => status === 200 && at > seconds * 1_000 && at <= 2 * seconds * 1_000)
    const refused = answers.filter(({ status }) => status !== 200)
    logInLongRuns(`capacity ${capacity.toFixed(0)}/s, at twice that ${(good.length / seconds).toFixed(0)}/s`)

    expect(good.length / seconds).toBeGreaterThan(0.8 * capacity)
    expect(refused.length).toBeGreaterThan(0)
    for (const { body, headers, status } of refused) {
      expect(status).toBe(503)
      expect(headers["retry-after"]).toBe("1")
      expect(body).toMatchObject({ code: "unavailable", outcome: "not-applied" })
    }
    pulses.sort((a, b) => a - b)
    expect(pulses[Math.floor(pulses.length * 0.95)]).toBeLessThan(500)

    // Afterwards the server works as before.
    expect((await get()).status).toBe(200)
    const metrics = (await request(`${address}/metrics`, "GET")).text
    expect(metrics).toMatch(/^db_client_connection_pending_requests 0$/m)
    expect(metrics).toMatch(/^db_client_connection_timeouts_total [1-9]/m)
  })
})
