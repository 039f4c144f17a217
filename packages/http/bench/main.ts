/**
 * `npm run bench` compares this server in turn with servers that a team would write instead, on one PostgreSQL with the
 * same todos. It also measures this server alone.
 *
 *     npm run bench                             all scenarios, all contestants: half an hour
 *     npm run bench -- "list 50" todo fair      some of them
 *     npm run bench -- depth size               this server at depth and on a large table
 *     npm run bench -- --svg                    also draws chart.svg
 *
 * Settings: `BENCH_SECONDS` of a run (2), `BENCH_ROUNDS` (5), `BENCH_USERS` with 500 todos each (1,000), `BENCH_PROFILES`,
 * a directory for CPU profiles of contestants on Node, and `DATABASE_URL` of a superuser, on whose server databases are
 * created and dropped.
 */
import { rmSync } from "node:fs"
import { mkdir, mkdtemp, writeFile } from "node:fs/promises"
import { cpus, loadavg, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { draw } from "./chart.ts"
import { compare } from "./comparison.ts"
import { names } from "./contestants.ts"
import { costs } from "./costs.ts"
import { generator } from "./load.ts"
import { startPostgres } from "./postgres.ts"
import { type Check, printChecks } from "./report.ts"
import { scenarios } from "./scenarios.ts"
import { usersOfLoad } from "./users.ts"

const { positionals, values } = parseArgs({ allowPositionals: true, options: { svg: { type: "boolean" } } })

/** The names on the command line, or all. */
const chosen = <A extends string>(known: ReadonlyArray<A>): ReadonlyArray<A> => {
  const named = known.filter((name) => positionals.includes(name))
  return named.length === 0 ? known : named
}

const titles = scenarios.map(({ name }) => name)
const known = [...titles, ...names, ...Object.keys(costs)]
const unknown = positionals.find((word) => !known.includes(word))
if (unknown !== undefined) {
  console.error(`bench: there is no ${unknown}; there are ${known.join(", ")}`)
  process.exit(2)
}

const number = (name: string, otherwise: number, least = 1): number => {
  const value = Number(process.env[name] ?? otherwise)
  if (value >= least && Number.isInteger(value)) return value
  console.error(`bench: ${name} must be a whole number from ${least} on`)
  return process.exit(2)
}
const rounds = number("BENCH_ROUNDS", 5)
const seconds = number("BENCH_SECONDS", 2)
const users = number("BENCH_USERS", 1_000, usersOfLoad)

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))

const directory = await mkdtemp(join(tmpdir(), "todo-bench-"))
process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
const postgres = await startPostgres(process.env["DATABASE_URL"])
try {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}`
  const [load = NaN] = loadavg()
  console.log(`${machine}, load average ${load.toFixed(1)} at the start\nPostgreSQL: ${postgres.settings}`)
  console.log(`${rounds} rounds of ${seconds} s in turn, after a warm-up; load by ${generator}; medians\n`)

  const checks: Array<Check> = []
  const judge = (check: Check) => {
    checks.push(check)
    return check
  }
  const bench = { postgres, rounds, seconds, directory, judge }
  const asked = Object.entries(costs).filter(([name]) => positionals.includes(name))
  const beside = asked.length === 0 || titles.some((title) => positionals.includes(title))
  const chosenTitles = chosen(titles)
  const outcomes = beside
    ? await compare(
        bench,
        { users, todos: 500 },
        scenarios.filter(({ name }) => chosenTitles.includes(name)),
        chosen(names)
      )
    : []
  for (const [, cost] of asked) await cost(bench)
  printChecks(checks)

  const path = resolve("node_modules/.cache/bench.json")
  await mkdir(resolve(path, ".."), { recursive: true })
  const figures = {
    at: new Date().toISOString(),
    machine,
    load,
    postgres: postgres.settings,
    rounds,
    seconds,
    users,
    outcomes,
    checks
  }
  await writeFile(path, `${JSON.stringify(figures, undefined, 2)}\n`)
  console.log(`All figures are in ${path}`)
  if (values.svg === true && outcomes.length > 0) {
    const chart = join(import.meta.dirname, "chart.svg")
    await writeFile(chart, draw(outcomes, machine))
    console.log(`The chart is ${chart}`)
  }
} finally {
  await postgres.stop()
}
