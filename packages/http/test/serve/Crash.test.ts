import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Database } from "@todo/core"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it } from "vitest"
import { acknowledgedWrites, soon } from "../support/acknowledgedWrites.ts"
import { settings, start, temporaryDirectory, useDatabase } from "../support/program.ts"
import { logInLongRuns, long } from "../support/longRun.ts"

describe("kill -9", () => {
  const urls = useDatabase()

  const rounds = long ? 20 : 5
  it(
    `kill -9 of the server at ${rounds} random moments loses nothing that was acknowledged, and repeated keys make one row`,
    { timeout: 300_000 },
    async () => {
      const writers = await acknowledgedWrites()
      let unanswered = 0
      const begin = () =>
        start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_MIGRATE_URL: urls.TODO_MIGRATE_URL })
      let server = begin()
      let url = await server.address()
      for (let round = 0; round < rounds; round++) {
        const victim = server
        await writers.write(url, async () => {
          await soon()
          victim.kill("SIGKILL")
          expect(await victim.ended).toBe("SIGKILL")
        })
        server = begin()
        url = await server.address()
        unanswered += await writers.settle(url)
      }
      logInLongRuns(`${writers.acknowledged} acknowledged; ${unanswered} had happened without an answer`)
      expect(writers.acknowledged).toBeGreaterThan(rounds * 20)
    }
  )

  const postmasters = long ? 20 : 3
  it(
    `kill -9 of the database at ${postmasters} random moments loses nothing that was acknowledged`,
    { timeout: 600_000 },
    async () => {
      const writers = await acknowledgedWrites()
      const directory = await temporaryDirectory()
      // Without DATABASE_URL the server uses the embedded database, with fsync on.
      const begin = () => start({ ...settings, TODO_DATA_DIR: directory })
      let unanswered = 0
      for (let round = 0; round <= postmasters; round++) {
        const server = begin()
        const url = await server.address()
        unanswered += await writers.settle(url)
        if (round < postmasters) {
          await writers.write(url, async () => {
            await soon()
            await killDatabase(directory)
            // The server stays up, and logs that its database is unreachable.
            await soon()
          })
        }
        server.kill("SIGTERM")
        expect(await server.ended).toBe(0)
      }
      logInLongRuns(`${writers.acknowledged} acknowledged; ${unanswered} had happened without an answer`)
      expect(writers.acknowledged).toBeGreaterThan(postmasters * 20)
    }
  )

  it(
    "kill -9 of the database with synchronous_commit=off loses acknowledged writes, so the tests above can fail",
    { timeout: 120_000 },
    async () => {
      const directory = await temporaryDirectory()
      const begin = () => start({ ...settings, TODO_DATA_DIR: directory })
      const prepared = begin()
      await prepared.address()
      const [, , , port] = await postmaster(directory)
      const { passwords } = JSON.parse(await readFile(join(directory, "embedded-postgres.json"), "utf8"))
      const url = Redacted.make(`postgres://todo_runtime:${passwords.todo_runtime}@127.0.0.1:${port}/todo`)
      await Effect.runPromise(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`alter role todo_runtime set synchronous_commit = off`).pipe(
          Effect.provide(Database.layer({ url, poolSize: 1 }))
        )
      )
      prepared.kill("SIGTERM")
      await prepared.ended

      const writers = await acknowledgedWrites()
      const lost = async () => {
        const server = begin()
        await writers.write(await server.address(), () => soon().then(() => killDatabase(directory)))
        server.kill("SIGTERM")
        await server.ended
        const again = begin()
        const count = await writers.lost(await again.address())
        again.kill("SIGTERM")
        await again.ended
        return count
      }
      expect((await lost()) || (await lost()) || (await lost())).toBeGreaterThan(0)
    }
  )
})

/** The lines of `postmaster.pid`: first the process, fourth the port. */
const postmaster = async (directory: string) =>
  (await readFile(join(directory, "embedded-postgres", "data", "postmaster.pid"), "utf8")).split("\n")

const killDatabase = async (directory: string) => {
  const [pid] = await postmaster(directory)
  process.kill(Number(pid), "SIGKILL")
}
