/**
 * Makes text of users safe for a terminal, and fits it to a width.
 */
import { displayWidth } from "effect/cli/CliOutput"

/**
 * Control characters could move the cursor or start escape sequences. Bidirectional marks could make one text look like
 * another (CVE-2021-42574).
 */
const unprintable = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/** Makes text safe to print as one line: white space becomes one space, unprintable characters become U+FFFD. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").replace(unprintable, "\uFFFD").trim()

/** Splits text into lines that are safe to print. */
export const lines = (text: string): ReadonlyArray<string> =>
  text.split(/\r\n|\n/).map((line) => line.replaceAll("\t", " ").replace(unprintable, "\uFFFD"))

const graphemes = new Intl.Segmenter()

/** Pads text to `width` cells, or cuts it with an ellipsis. Some characters take two cells, some none. */
export const fit = (text: string, width: number): string => {
  const room = width - displayWidth(text)
  if (room >= 0) return text + " ".repeat(room)
  let cut = ""
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(cut + segment) > width - 1) break
    cut += segment
  }
  return fit(`${cut}…`, width)
}

/** Wraps a line at spaces into lines of at most `width` cells. A longer word gets a line of its own. */
export const wrap = (line: string, width: number): ReadonlyArray<string> => {
  if (displayWidth(line) <= width) return [line]
  const wrapped: Array<string> = []
  let current = ""
  for (const word of line.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`
    if (current !== "" && displayWidth(longer) > width) {
      wrapped.push(current)
      current = word
    } else current = longer
  }
  return [...wrapped, current]
}

/** A number with thousands separators: "2,000". */
export const formatNumber = (number: number): string => number.toLocaleString("en")

/** "1 todo", "2,000 todos". */
export const pluralize = (number: number, noun: string): string =>
  `${formatNumber(number)} ${number === 1 ? noun : `${noun}s`}`

const units = ["B", "kB", "MB", "GB", "TB"]

/** Bytes in a readable unit: "1.2 MB". */
export const formatBytes = (bytes: number): string => {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const value = bytes / 1_000 ** unit
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`
}
