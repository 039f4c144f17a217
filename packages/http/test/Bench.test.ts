/** Checks that the contestants of the benchmark give equal answers. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Client } from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertAlike, prepare, startAll } from "../bench/comparison.ts"
import { type Contestant, names } from "../bench/contestants.ts"
import { sender } from "../bench/equality.ts"
import { type BenchDatabase, type Postgres, startPostgres } from "../bench/postgres.ts"
import { assertPromises } from "../bench/promises.ts"
import { scenarios, type User } from "../bench/scenarios.ts"
import { choose } from "../bench/users.ts"

describe("npm run bench", () => {
  let postgres: Postgres | undefined
  let directory = ""
  let database: BenchDatabase
  let contestants: ReadonlyArray<Contestant> = []
  let users: ReadonlyArray<User> = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "todo-bench-"))
    postgres = await startPostgres(process.env["TEST_POSTGRES"])
    database = await postgres.create()
    await prepare(database, { users: 4, todos: 500 })
    users = await choose(database, 2)
    contestants = await startAll(names, database, directory)
  })

  afterAll(async () => {
    for (const { stop } of contestants) await stop()
    await postgres?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it("the bench has at least four other contestants", () => {
    const expected = ["todo", "fair", "pipelined", "fastify", "limit"]
    expect(contestants.map(({ name }) => name)).toEqual(expect.arrayContaining(expected))
  })

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "all contestants give the same responses to %s",
    async (_, scenario) => {
      expect(users).toHaveLength(2)
      for (const user of users) await assertAlike([scenario], contestants, user)
    }
  )

  it("the contestants with the same promises keep them like this server", async () => {
    const [user, stranger] = users
    if (user === undefined || stranger === undefined) throw new Error("no users")
    await expect(assertPromises(contestants, user, stranger)).resolves.toBeUndefined()
  })

  it("row-level security shows the fair contestant's role only the rows of the user that is set", async () => {
    const client = new Client(database.runtimeUrl)
    await client.connect()
    const owners = async () =>
      (await client.query<{ owner_id: string }>("select distinct owner_id from fair.todos")).rows
    const before = await owners()
    await client.query("select set_config('app.user_id', $1, false)", [users[0]?.id])
    const after = await owners()
    await client.end()
    expect(before).toEqual([])
    expect(after).toEqual([{ owner_id: users[0]?.id }])
  })

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
