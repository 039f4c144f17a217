/** The benchmark compares like with like. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertAlike, prepare, startAll } from "../bench/comparison.ts"
import { type Contestant, names } from "../bench/contestants.ts"
import { sender } from "../bench/equality.ts"
import { type Postgres, startPostgres } from "../bench/postgres.ts"
import { scenarios, type User } from "../bench/scenarios.ts"
import { choose } from "../bench/users.ts"

describe("npm run bench", () => {
  let postgres: Postgres | undefined
  let directory = ""
  let contestants: ReadonlyArray<Contestant> = []
  let users: ReadonlyArray<User> = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "todo-bench-"))
    postgres = await startPostgres(process.env["TEST_POSTGRES"])
    const database = await postgres.create()
    await prepare(database, { users: 4, todos: 500 })
    users = await choose(database, 2)
    contestants = await startAll(names, database, directory)
  })

  afterAll(async () => {
    for (const { stop } of contestants) await stop()
    await postgres?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it("has at least two other contestants", () => {
    expect(contestants.map(({ name }) => name)).toEqual(expect.arrayContaining(["todo", "fastify", "limit"]))
  })

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "all contestants give the same responses to %s",
    async (_, scenario) => {
      expect(users).toHaveLength(2)
      for (const user of users) await assertAlike([scenario], contestants, user)
    }
  )

  it("all contestants refuse a change of another revision", async () => {
    const [user] = users
    if (user === undefined) throw new Error("no user")
    const path = `/v1/todos/${user.todos[0]}`
    for (const { url } of contestants) {
      const stale = sender(url)(user, { method: "PATCH", path, body: '{"title":"late"}', ifMatch: 1_000_000 })
      await expect(stale).rejects.toThrow("answered 412")
    }
  })
})
