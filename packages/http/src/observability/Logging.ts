/**
 * The formats of log lines: text for people, JSON for machines.
 *
 * JSON lines are collected and written once for each turn of the event loop, because each write blocks the process. Reads
 * of one todo over 16 connections (`npm run bench`): 9.0k/s, and 7.7k/s with one write for each line. To do
 * without, write each line in `layerJson`.
 */
import { styleText } from "node:util"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

/** Collects the lines of one turn of the event loop. */
const collected = (write: (text: string) => void) => {
  let waiting: Array<string> = []
  const flush = () => {
    if (waiting.length === 0) return
    write(`${waiting.join("\n")}\n`)
    waiting = []
  }
  const add = (line: string) => {
    if (waiting.push(line) === 1) setImmediate(flush)
  }
  return { add, flush }
}

const isPlain = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

/**
 * Formats like `Logger.formatJson`. Lines with one text and plain annotations, as of each request, skip its checks and take
 * 2.7 µs instead of 4.7. To do without, use `Logger.formatJson`.
 */
const formatted = Logger.make((options): string => {
  const { cause, date, fiber, logLevel, message } = options
  const [text, ...more] = Array.isArray(message) ? message : [undefined]
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const spans = fiber.getRef(References.CurrentLogSpans)
  const needsCare = typeof text !== "string" || more.length > 0 || cause.reasons.length > 0 || spans.length > 0
  if (needsCare || !Object.values(annotations).every(isPlain)) return Logger.formatJson.log(options)
  const [level, timestamp, fiberId] = [logLevel.toUpperCase(), date.toISOString(), `#${fiber.id}`]
  return JSON.stringify({ message: text, level, timestamp, annotations, spans: {}, fiberId })
})

/** Writes JSON lines to `write`. The last lines are written before the scope closes. */
export const layerJson = (write: (text: string) => void): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { add, flush } = collected(write)
      yield* Effect.addFinalizer(() => Effect.sync(flush))
      return Logger.layer([Logger.map(formatted, add)])
    })
  )

const colours: Partial<Record<LogLevel.LogLevel, "red" | "yellow" | "green">> = {
  Fatal: "red",
  Error: "red",
  Warn: "yellow",
  Info: "green"
}

/** Quotes and escapes a value, so that it cannot break the line or control the terminal. */
const quoted = (value: unknown): string => {
  const text = isPlain(value) ? String(value) : JSON.stringify(value, (_, part) => (isBig(part) ? String(part) : part))
  return /^[\x21\x23-\x7E]+$/.test(text ?? "") ? text : JSON.stringify(text ?? "").replaceAll(unprintable, escaped)
}

const isBig = (value: unknown): value is bigint => typeof value === "bigint"

const unprintable = /[\u007F-\u009F\u2028\u2029]/g
const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * Writes text lines to a stream: `12:00:00.123 INFO request method=GET status=200`. A failure adds its stack trace on
 * further lines. The lines have colours if the stream is a terminal (`NO_COLOR`, `FORCE_COLOR`).
 */
export const layerPretty = (stream: NodeJS.WritableStream): Layer.Layer<never> =>
  Logger.layer([
    Logger.make(({ cause, date, fiber, logLevel, message }) => {
      const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream })
      const words = (Array.isArray(message) ? message : [message]).map((part) => (isPlain(part) ? part : quoted(part)))
      const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
      const line = [
        style("gray", date.toISOString().slice(11, 23)),
        style(colours[logLevel] ?? "gray", logLevel.toUpperCase()),
        ...words,
        ...annotations.map(([name, value]) => `${style("gray", `${name}=`)}${quoted(value)}`)
      ].join(" ")
      stream.write(cause.reasons.length === 0 ? `${line}\n` : `${line}\n${Cause.pretty(cause)}\n`)
    })
  ])
