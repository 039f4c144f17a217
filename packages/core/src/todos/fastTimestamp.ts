/**
 * Optimisation: formats instants as RFC 3339 text. A page of 50 todos has about 130 instants. Half of them equal the one
 * before and most share its date, so the last date and the last text are cached. The text is concatenated from only four
 * pieces, because `JSON.stringify` has to flatten them.
 *
 * Gains: 3 µs a page instead of 60 with `toISOString`. Measure with `npm run bench -- "list 50" todo`. To do without it,
 * set `optimisations.fastTimestamps` to `false`: `toISOString` then formats them.
 */
import { optimisations } from "../database/optimisations.ts"

const digits = (count: number, length: number) =>
  Array.from({ length: count }, (_, n) => String(n).padStart(length, "0"))
const minutes = digits(24, 2).flatMap((hour) => digits(60, 2).map((minute) => `T${hour}:${minute}:`))
const seconds = digits(60, 2).map((second) => `${second}.`)
const thousandths = digits(1_000, 3).map((thousandth) => `${thousandth}Z`)

let lastDay = { day: 0, date: "1970-01-01" }
let last = { milliseconds: 0, text: "1970-01-01T00:00:00.000Z" }

/** Formats milliseconds since 1970 (years 1 to 9999) as `2026-11-23T06:00:00.000Z`. */
export const fastTimestamp = (milliseconds: number): string => {
  if (!optimisations.fastTimestamps) return new Date(Math.round(milliseconds)).toISOString()
  if (milliseconds === last.milliseconds) return last.text
  const whole = Math.round(milliseconds)
  const day = Math.floor(whole / 86_400_000)
  if (day !== lastDay.day) lastDay = { day, date: new Date(whole).toISOString().slice(0, -"T00:00:00.000Z".length) }
  const time = whole - day * 86_400_000
  const second = Math.floor(time / 1_000)
  const minute = Math.floor(second / 60)
  const rest = `${seconds[second - minute * 60]}${thousandths[time - second * 1_000]}`
  last = { milliseconds, text: `${lastDay.date}${minutes[minute]}${rest}` }
  return last.text
}
