/** Prints results as tables during a run, and keeps them for the file. */
import { median, ratio, type Rounds } from "./rounds.ts"

/** A result and its target. */
export interface Check {
  readonly what: string
  readonly value: number
  readonly bound: "at least" | "at most"
  readonly target: number
  readonly passed: boolean
}

export const check = (what: string, value: number, bound: Check["bound"], target: number): Check => ({
  what,
  value,
  bound,
  target,
  passed: bound === "at least" ? value >= target : value <= target
})

/** Formats a number: whole from five digits on, otherwise with three significant digits. */
const number = (value: number): string =>
  value.toLocaleString("en", value >= 1_000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

const times = (value: number): string => `${number(value)} x`
export const milliseconds = (value: number): string => `${number(value)} ms`
const microseconds = (value: number): string => `${number(value)} µs`

export const verdict = ({ bound, passed, target }: Check): string =>
  `${passed ? "pass" : "FAIL"} (${bound} ${number(target)})`

/** A table with columns as wide as their content. The first and last column are left-aligned, the others right-aligned. */
export const printTable = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const last = head.length - 1
  for (const row of all) {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? ""
      return column === 0 || column === last ? cell.padEnd(width) : cell.padStart(width)
    })
    console.log(`  ${cells.join("   ").trimEnd()}`)
  }
  console.log()
}

/** The medians of some rounds. */
export const medians = ({ runs }: Rounds) => {
  const of = (field: "rate" | "micros" | "databaseMicros" | "p50" | "p95" | "p99") =>
    median(runs.map((run) => run[field]))
  return {
    rate: of("rate"),
    micros: of("micros"),
    databaseMicros: of("databaseMicros"),
    p50: of("p50"),
    p95: of("p95"),
    p99: of("p99")
  }
}

/** The results of each contestant, and how many times as fast the first one is. */
export const printRounds = (
  title: string,
  measured: ReadonlyArray<Rounds>,
  verdictOn: (other: Rounds, ratio: number) => string
): void => {
  const [first] = measured
  const rows = measured.map((rounds) => {
    const { databaseMicros, micros, p50, p95, p99, rate } = medians(rounds)
    const rates = rounds.runs.map(({ rate }) => rate)
    const compared = first === undefined || rounds === first ? undefined : ratio(first, rounds)
    return [
      rounds.title,
      number(rate),
      `${number(Math.min(...rates))} - ${number(Math.max(...rates))}`,
      milliseconds(p50),
      milliseconds(p95),
      milliseconds(p99),
      microseconds(micros),
      microseconds(databaseMicros),
      compared === undefined ? "" : times(compared),
      compared === undefined ? "" : verdictOn(rounds, compared)
    ]
  })
  const ratioHead = measured.length > 1 ? `${first?.title} is` : ""
  printTable(
    [title, "requests/s", "spread", "p50", "p95", "p99", "CPU a request", "of PostgreSQL", ratioHead, ""],
    rows
  )
}

/** Prints all targets, and whether they are reached. */
export const printChecks = (checks: ReadonlyArray<Check>): void => {
  if (checks.length === 0) return
  const passed = checks.filter((one) => one.passed).length
  printTable(
    [`${passed} of ${checks.length} targets reached`, "is", ""],
    checks.map((one) => [one.what, number(one.value), verdict(one)])
  )
}
