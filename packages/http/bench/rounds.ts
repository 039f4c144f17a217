/** Runs subjects in turn (A B A B), so that other load on the machine affects all alike. */
import { setTimeout as sleep } from "node:timers/promises"
import { type Contestant, cpu, cpuOf } from "./contestants.ts"
import { sender } from "./equality.ts"
import { load, type Run, type Sent, takingTurns } from "./load.ts"
import type { BenchDatabase } from "./postgres.ts"
import type { Scenario, User } from "./scenarios.ts"

interface Measured extends Run {
  readonly rate: number
  /** The CPU time of the server for each request, in microseconds. */
  readonly micros: number
  /** The CPU time of the connections of PostgreSQL for each request, in microseconds. NaN on another machine. */
  readonly databaseMicros: number
}

/** A subject that is measured in turn with others. */
export interface Subject {
  readonly title: string
  readonly run: (seconds: number) => Promise<Measured>
}

export interface Rounds {
  readonly title: string
  readonly runs: ReadonlyArray<Measured>
}

/** Distributes the requests of users to connections. Each user has one connection. */
const connectionsOf = async (
  { requests }: Pick<Scenario, "requests">,
  users: ReadonlyArray<User>,
  count: number,
  url: string
): Promise<ReadonlyArray<ReadonlyArray<Sent>>> => {
  const send = sender(url)
  const lists: Array<Array<ReadonlyArray<Sent>>> = Array.from({ length: count }, () => [])
  const together = 10
  for (let first = 0; first < users.length; first += together) {
    const some = users.slice(first, first + together)
    const sent = some.map(async (user) => (await requests(user, send)).map((request) => ({ user, request })))
    for (const [index, own] of (await Promise.all(sent)).entries()) lists[(first + index) % count]?.push(own)
  }
  return lists.map(takingTurns)
}

/** Waits until no statement of a run is active: wrk abandons requests, which still hold locks. */
const quiet = async ({ client }: BenchDatabase): Promise<void> => {
  const busy = `select from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()`
  while ((await client.query(busy)).rowCount !== 0) await sleep(10)
}

/** The CPU time of each connection to the database so far, in microseconds, by process id. */
const connectionsCpu = async ({ client }: BenchDatabase): Promise<ReadonlyMap<number, number>> => {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`
  )
  return new Map(await Promise.all(rows.map(async ({ pid }) => [pid, await cpuOf(pid).catch(() => NaN)] as const)))
}

/** A server under the requests of a scenario. */
export const subject = ({
  connections,
  contestant,
  database,
  directory,
  scenario,
  title,
  users
}: {
  readonly title: string
  readonly contestant: Contestant
  readonly database: BenchDatabase
  readonly scenario: Pick<Scenario, "requests" | "writes">
  readonly users: ReadonlyArray<User>
  readonly connections: number
  readonly directory: string
}): Subject => {
  let prepared: ReturnType<typeof connectionsOf> | undefined
  const run = async (seconds: number) => {
    // Writes change the data with every run, so they are prepared again.
    if (scenario.writes) prepared = undefined
    prepared ??= connectionsOf(scenario, users, connections, contestant.url)
    const sent = await prepared
    const before = await cpu(contestant)
    const connectionsBefore = await connectionsCpu(database)
    const run = await load(contestant.url, sent, seconds, directory)
    await quiet(database)
    if (run.failed > 0) throw new Error(`${title}: ${run.failed} of ${run.requests} failed`)
    const micros = ((await cpu(contestant)) - before) / run.requests
    let databaseMicros = 0
    for (const [pid, after] of await connectionsCpu(database))
      databaseMicros += after - (connectionsBefore.get(pid) ?? 0)
    databaseMicros /= run.requests
    return { ...run, rate: run.requests / run.seconds, micros, databaseMicros }
  }
  return { title, run }
}

/** The seconds of a warm-up for the JIT compiler. After some seconds this server takes half the CPU time for a request. */
const warmUp = 8

/** Runs a warm-up and then the rounds. */
export const inTurn = async (
  subjects: ReadonlyArray<Subject>,
  rounds: number,
  seconds: number
): Promise<ReadonlyArray<Rounds>> => {
  const measured = subjects.map(({ title }) => ({ title, runs: [] as Array<Measured> }))
  for (const { run } of subjects) await run(Math.max(seconds, warmUp))
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of subjects.entries()) measured[index]?.runs.push(await run(seconds))
  }
  return measured
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2
}

/** How many times as fast one subject is: the median of the ratios of each round. */
export const ratio = (one: Rounds, other: Rounds): number =>
  median(one.runs.map(({ rate }, round) => rate / (other.runs[round]?.rate ?? NaN)))
