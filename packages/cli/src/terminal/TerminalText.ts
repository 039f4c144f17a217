/**
 * Text of users on a terminal: harmless, and no wider than there is room.
 */
import { displayWidth } from "effect/cli/CliOutput"

/**
 * Control characters would move the cursor or start escape sequences; the marks that
 * turn the direction of writing would make one text look like another (CVE-2021-42574).
 */
const unprintable = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/** Safe to print as one line: white space stays as spaces, what is not printable is marked. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").replace(unprintable, "\uFFFD").trim()

/** Safe to print, line by line. */
export const lines = (text: string): ReadonlyArray<string> =>
  text.split(/\r\n|\n/).map((line) => line.replaceAll("\t", " ").replace(unprintable, "\uFFFD"))

const graphemes = new Intl.Segmenter()

/** The text filled up to `width` cells, or cut with an ellipsis. Some characters take two cells, some none. */
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

/** The words of a line in lines of at most `width` cells; a word that is longer has a line of its own. */
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

/** A number as people read it: "2,000". */
export const formatNumber = (number: number): string => number.toLocaleString("en")

/** "1 todo", "2,000 todos". */
export const pluralize = (number: number, noun: string): string =>
  `${formatNumber(number)} ${number === 1 ? noun : `${noun}s`}`

const units = ["B", "kB", "MB", "GB", "TB"]

/** Bytes, as people say them: "1.2 MB". */
export const formatBytes = (bytes: number): string => {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const value = bytes / 1_000 ** unit
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`
}
