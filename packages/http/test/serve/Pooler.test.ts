import { request as send } from "node:http"
import { describe, expect, it, onTestFinished } from "vitest"
import { bearer, exchange, statuses } from "../support/load.ts"
import { pgbouncer, startPgBouncer } from "../../../../.config/pgbouncer.ts"
import { answers, settings, start, useDatabase } from "../support/program.ts"

if (pgbouncer === undefined)
  console.warn("SKIPPED: nothing is tried behind PgBouncer, which this machine does not have")

describe.skipIf(pgbouncer === undefined)(
  "Behind PgBouncer in transaction mode, with fewer connections than the pool",
  () => {
    const urls = useDatabase()

    it("20 concurrent users see only their own todos, and aborted requests affect no other", async () => {
      const direct = new URL(urls.TODO_MIGRATE_URL)
      const { pathname, username } = new URL(urls.DATABASE_URL)
      direct.pathname = pathname
      direct.username = username
      const pooler = await startPgBouncer(direct.href, { poolSize: 3 })
      onTestFinished(pooler.stop)
      const program = start({ ...settings, DATABASE_URL: pooler.url, TODO_DATABASE_PREPARE: "false" })
      const address = await program.address()
      await answers(address, "/readyz", 200)

      const aborting = await bearer()
      const abort = () => {
        const asked = send(`${address}/v1/todos?q=x`, { agent: false, headers: aborting })
        asked.on("error", () => {}).on("response", (answer) => answer.on("error", () => {}).resume())
        asked.end()
        setTimeout(() => asked.destroy(), Math.random() * 20)
      }
      const of = async (_: unknown, user: number) => {
        const headers = await bearer()
        const titles = Array.from({ length: 5 }, (_, n) => `${n} of ${user}`)
        for (const title of titles) {
          abort()
          const sent = { headers, method: "POST", path: "/v1/todos", json: { title } }
          expect(await exchange(address, sent)).toMatchObject({ status: 201 })
        }
        const read = await exchange(address, { headers, path: "/v1/todos" })
        expect(JSON.parse(read.text).items.map(({ title }: { title: string }) => title)).toEqual(titles)
      }
      await Promise.all(Array.from({ length: 20 }, of))
      const headers = await bearer()
      const all = await Promise.all(
        Array.from({ length: 30 }, () => exchange(address, { agent: false, headers, path: "/v1/me" }))
      )
      expect(statuses(all)).toEqual({ 200: 30 })
    })
  }
)
