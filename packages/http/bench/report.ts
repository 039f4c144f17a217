/** What a run has found: printed as tables while it goes on, and kept for the file. */
import { median, ratio, type Rounds } from "./rounds.ts"

/** Something that has to be reached. */
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

/** Whole numbers of five digits and more, three digits of all others. */
const number = (value: number): string =>
  value.toLocaleString("en", value >= 1_000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

const times = (value: number): string => `${number(value)} x`
export const milliseconds = (value: number): string => `${number(value)} ms`
const microseconds = (value: number): string => `${number(value)} µs`

export const verdict = ({ bound, passed, target }: Check): string =>
  `${passed ? "pass" : "FAIL"} (${bound} ${number(target)})`

/** Columns as wide as what is in them: the first and the last start at the left, the others end at the right. */
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
  const of = (field: "rate" | "micros" | "p50" | "p95" | "p99") => median(runs.map((run) => run[field]))
  return { rate: of("rate"), micros: of("micros"), p50: of("p50"), p95: of("p95"), p99: of("p99") }
}

/** How each did, and how many times as fast as it the first one is. */
export const printRounds = (
  title: string,
  measured: ReadonlyArray<Rounds>,
  verdictOn: (other: Rounds, ratio: number) => string
): void => {
  const [first] = measured
  const rows = measured.map((rounds) => {
    const { micros, p50, p95, p99, rate } = medians(rounds)
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
      compared === undefined ? "" : times(compared),
      compared === undefined ? "" : verdictOn(rounds, compared)
    ]
  })
  const ratioHead = measured.length > 1 ? `${first?.title} is` : ""
  printTable([title, "requests/s", "spread", "p50", "p95", "p99", "CPU a request", ratioHead, ""], rows)
}

/** Everything that has to be reached, and whether it is. */
export const printChecks = (checks: ReadonlyArray<Check>): void => {
  if (checks.length === 0) return
  const passed = checks.filter((one) => one.passed).length
  printTable(
    [`${passed} of ${checks.length} targets reached`, "is", ""],
    checks.map((one) => [one.what, number(one.value), verdict(one)])
  )
}
