/** Compares all contestants on one database, scenario by scenario. */
import type { Bench } from "./bench.ts"
import { type Contestant, missing, type Name, peakMemory, start, titles } from "./contestants.ts"
import { seed, seedFair, seedPeers, type Size } from "./data.ts"
import { answers, assertEqual, notCompared } from "./equality.ts"
import type { BenchDatabase } from "./postgres.ts"
import { assertPromises } from "./promises.ts"
import { type Check, check, medians, printRounds, verdict } from "./report.ts"
import { inTurn, type Rounds, subject } from "./rounds.ts"
import type { Scenario, User } from "./scenarios.ts"
import { ratioTarget, targets } from "./targets.ts"
import { choose, usersOfLoad } from "./users.ts"

/** The result of one scenario under one load. */
export interface Outcome {
  readonly scenario: string
  readonly connections: number
  readonly contestants: ReadonlyArray<Rounds & ReturnType<typeof medians> & { readonly name: Name }>
}

/** Fills a database for all contestants. */
export const prepare = async (database: BenchDatabase, size: Size): Promise<void> => {
  await seed(database.client, size)
  await seedPeers(database.client)
  await seedFair(database)
}

/** Fails unless all contestants give the same responses as the first. They run one after the other, because the peers share a table. */
export const assertAlike = async (
  scenarios: ReadonlyArray<Scenario>,
  [ours, ...others]: ReadonlyArray<Contestant>,
  user: User
): Promise<void> => {
  if (ours === undefined) return
  for (const scenario of scenarios) {
    const expected = await answers(scenario, user, ours.url)
    for (const { name, url } of others)
      assertEqual(scenario, titles[name], expected, await answers(scenario, user, url))
  }
}

/** Starts the contestants that this machine can run. */
export const startAll = async (
  names: ReadonlyArray<Name>,
  database: BenchDatabase,
  directory: string
): Promise<ReadonlyArray<Contestant>> => {
  const started: Array<Contestant> = []
  for (const name of names) {
    const why = missing(name)
    if (why === undefined) started.push(await start(name, database, directory))
    else console.log(`SKIPPED ${titles[name]}: ${why}\n`)
  }
  return started
}

/**
 * The factor by which a run with 100 connections is longer. Node accepts one new connection in each turn of its event loop,
 * and the first requests wait for that. In a run of two seconds they would be the slowest 1 %.
 */
const longer = 3

/** Runs the chosen scenarios in turn, and prints each result. */
export const compare = async (
  { directory, judge, postgres, rounds, seconds }: Bench,
  size: Size,
  scenarios: ReadonlyArray<Scenario>,
  names: ReadonlyArray<Name>
): Promise<ReadonlyArray<Outcome>> => {
  const database = await postgres.create()
  await prepare(database, size)
  const users = await choose(database, usersOfLoad)
  const contestants = await startAll(names, database, directory)
  const outcomes: Array<Outcome> = []
  try {
    const [user, stranger] = users
    if (user === undefined || stranger === undefined) throw new Error("no users")
    await assertAlike(scenarios, contestants, user)
    await assertPromises(contestants, user, stranger)
    console.log(`All answer alike. Those without the same promises have no ${notCompared.join(", ")}.\n`)

    for (const scenario of scenarios) {
      for (const connections of scenario.connections) {
        const measured = await inTurn(
          contestants.map((contestant) =>
            subject({ title: titles[contestant.name], contestant, database, scenario, users, connections, directory })
          ),
          rounds,
          connections === 16 ? seconds : seconds * longer
        )
        const outcome: Outcome = {
          scenario: scenario.name,
          connections,
          contestants: measured.map((runs, index) => ({
            ...runs,
            ...medians(runs),
            name: contestants[index]?.name ?? "todo"
          }))
        }
        outcomes.push(outcome)
        printRounds(`${scenario.name}, ${connections} connections`, measured, (other, value) => {
          const name = contestants[measured.indexOf(other)]?.name
          const target = name === undefined ? undefined : ratioTarget(scenario.name, connections, name)
          if (target === undefined) return ""
          const what = `${scenario.name}, ${connections} connections, against ${other.title}`
          return verdict(judge(check(what, value, "at least", target)))
        })
      }
      // Each scenario starts on a table without dead rows of the writes before it.
      if (scenario.writes) await database.client.query("vacuum analyze")
    }

    for (const one of acrossScenarios(outcomes)) judge(one)
    for (const contestant of contestants)
      console.log(`${titles[contestant.name]} held ${Math.round(await peakMemory(contestant))} MiB of memory at most`)
    return outcomes
  } finally {
    for (const { stop } of contestants) await stop()
    await postgres.drop(database)
  }
}

/** Checks of several scenarios, or of other values than requests per second. */
const acrossScenarios = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<Check> => {
  const find = (scenario: string, connections: number, name: Name) =>
    outcomes
      .find((outcome) => outcome.scenario === scenario && outcome.connections === connections)
      ?.contestants.find((contestant) => contestant.name === name)

  const { against, connections, scenario } = targets.slowest
  const [ours, theirs] = [find(scenario, connections, "todo"), find(scenario, connections, against)]
  const [poll, get] = [find("changes poll", 16, "todo"), find("get one", 16, "todo")]
  return [
    ...(ours === undefined || theirs === undefined
      ? []
      : [
          check(
            `p99 of ${scenario} with ${connections}, ms, against ${titles[against]}`,
            ours.p99,
            "at most",
            theirs.p99
          )
        ]),
    ...(poll === undefined || get === undefined
      ? []
      : [check("changes poll against our own get one", poll.rate / get.rate, "at least", targets.changesPoll)])
  ]
}
