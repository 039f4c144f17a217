/** Measures this server alone: at depth, on a large table, with many event streams, and at the start. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Bench } from "./bench.ts"
import { type Contestant, peakMemory, start } from "./contestants.ts"
import { seed, type Size } from "./data.ts"
import { openStreams } from "./eventStreams.ts"
import { sender } from "./equality.ts"
import type { BenchDatabase } from "./postgres.ts"
import { check, milliseconds, printRounds, printTable, verdict } from "./report.ts"
import { inTurn, median, type Subject, subject } from "./rounds.ts"
import { named, type Request } from "./scenarios.ts"
import { targets } from "./targets.ts"
import { choose, usersOfLoad } from "./users.ts"

/** Runs a measurement with this server on its own database. */
const withServer = async (
  { directory, postgres }: Bench,
  size: Size,
  use: (server: Contestant, database: BenchDatabase) => Promise<void>
): Promise<void> => {
  const database = await postgres.create()
  await seed(database.client, size)
  const server = await start("todo", database, directory)
  try {
    await use(server, database)
  } finally {
    await server.stop()
    await postgres.drop(database)
  }
}

const connections = 16

/** Compares the first and the 1,000th page of a user with 50,000 todos. */
const depth = (bench: Bench) =>
  withServer(bench, { users: 1, todos: 50_000 }, async (server, database) => {
    const users = await choose(database, 1)
    const send = sender(server.url)
    const page = (title: string, cursor: string): Subject => {
      const request: Request = { method: "GET", path: `/v1/todos?limit=50${cursor}` }
      return subject({
        title,
        contestant: server,
        database,
        scenario: { requests: () => [request], writes: false },
        // All connections belong to one user.
        users: Array.from({ length: connections }, () => users).flat(),
        connections,
        directory: bench.directory
      })
    }
    let cursor = ""
    for (let seen = 0; seen < 999 * 50;) {
      const limit = Math.min(200, 999 * 50 - seen)
      const [user] = users
      if (user === undefined) throw new Error("no user")
      const { items, nextCursor } = await send(user, { method: "GET", path: `/v1/todos?limit=${limit}${cursor}` })
      seen += items.length
      cursor = `&cursor=${encodeURIComponent(nextCursor)}`
    }
    const measured = await inTurn([page("page 1", ""), page("page 1,000", cursor)], bench.rounds, bench.seconds)
    printRounds("depth, 50 todos a page", measured, (_, ratio) =>
      verdict(bench.judge(check("page 1 against page 1,000", ratio, "at most", targets.depth)))
    )
  })

/** Compares the same requests of 100 users on 10,000 and on 2,000,000 todos. */
const size = async (bench: Bench) => {
  await withServer(bench, { users: 100, todos: 100 }, async (small, smallDatabase) => {
    await withServer(bench, { users: 20_000, todos: 100 }, async (large, largeDatabase) => {
      const [few, many] = [await choose(smallDatabase, usersOfLoad), await choose(largeDatabase, usersOfLoad)]
      for (const name of ["get one", "list 50", "create"]) {
        const shared = { scenario: named(name), connections, directory: bench.directory }
        const subjects = [
          subject({ ...shared, title: "10,000 todos", contestant: small, database: smallDatabase, users: few }),
          subject({ ...shared, title: "2,000,000 todos", contestant: large, database: largeDatabase, users: many })
        ]
        printRounds(`table size, ${name}`, await inTurn(subjects, bench.rounds, bench.seconds), (_, ratio) =>
          verdict(bench.judge(check(`${name} on 10,000 against 2,000,000 todos`, ratio, "at most", targets.size)))
        )
      }
    })
  })
}

/** Measures reads of one todo while users wait for changes. */
const connected = (bench: Bench) =>
  withServer(bench, { users: 1_000, todos: 50 }, async (server, database) => {
    const [few, everybody] = [await choose(database, usersOfLoad), await choose(database, 1_000)]
    const get = subject({
      title: "get one",
      contestant: server,
      database,
      scenario: named("get one"),
      users: few,
      connections,
      directory: bench.directory
    })
    const beside = (count: number): Subject => ({
      title: `${count.toLocaleString("en")} streams`,
      run: async (seconds) => {
        const close = await openStreams(server.url, everybody.slice(0, count), sender(server.url))
        try {
          return await get.run(seconds)
        } finally {
          await close()
        }
      }
    })
    const measured = await inTurn([beside(0), beside(100), beside(1_000)], bench.rounds, bench.seconds)
    printRounds("users connected, get one", measured, () => "")
  })

/** Measures the peak memory of the process under the mixed load. */
const memory = (bench: Bench) =>
  withServer(bench, { users: 1_000, todos: 100 }, async (server, database) => {
    const load = subject({
      title: "mixed 80/20",
      contestant: server,
      database,
      scenario: named("mixed 80/20"),
      users: await choose(database, usersOfLoad),
      connections: 100,
      directory: bench.directory
    })
    const before = await peakMemory(server)
    await inTurn([load], bench.rounds, bench.seconds)
    const peak = await peakMemory(server)
    printTable(
      ["memory, mixed 80/20, 100 connections", "MiB"],
      [
        ["at the start", before.toFixed(0)],
        ["at most", peak.toFixed(0)]
      ]
    )
  })

/** The time from the start of a process until it exits with 0. */
const timed = async (script: string, args: ReadonlyArray<string>, environment = {}): Promise<number> => {
  const started = performance.now()
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: "ignore", env })
  const [code] = await once(child, "exit")
  if (code !== 0) throw new Error(`${script} ${args.join(" ")} ended with ${code}`)
  return performance.now() - started
}

/** Measures the time until the server is ready with a migrated database, and until commands of `todo-admin` end. */
const startUp = async (bench: Bench) => {
  const database = await bench.postgres.create()
  const [ready, help, list]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  for (let round = 0; round <= bench.rounds; round++) {
    const started = performance.now()
    const server = await start("todo", database, bench.directory)
    ready.push(performance.now() - started)
    await server.stop()
    help.push(await timed("../../cli/bin/todo-admin.js", ["--help"]))
    list.push(
      await timed("../../cli/bin/todo-admin.js", ["todo", "list", "--user", "alice"], {
        DATABASE_URL: database.runtimeUrl
      })
    )
  }
  await bench.postgres.drop(database)
  const row = (title: string, values: ReadonlyArray<number>, target: number) => [
    title,
    milliseconds(median(values)),
    `${milliseconds(Math.min(...values))} - ${milliseconds(Math.max(...values))}`,
    verdict(bench.judge(check(`${title}, ms`, median(values), "at most", target)))
  ]
  printTable(
    ["start", "median", "spread", ""],
    [
      row("ready to serve", ready, targets.ready),
      row("todo-admin --help", help, targets.help),
      row("todo-admin todo list", list, targets.list)
    ]
  )
}

export const costs: Record<string, (bench: Bench) => Promise<void>> = { depth, size, connected, memory, start: startUp }
