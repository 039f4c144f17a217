/**
 * Where log lines go. One JSON object a line, written once for each turn of the event loop:
 * a write for each line blocks the process (get one, 16 connections: 7.7k/s so, 9.0k/s like this).
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

/** Collects what is written in one turn. */
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

/** Lines as `Logger.formatJson` has them; one text with plain annotations, as that of each request, without its care. */
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

/** JSON lines, to `write`. The last ones are out before the scope closes. */
export const layerJson = (write: (text: string) => void): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { add, flush } = collected(write)
      yield* Effect.addFinalizer(() => Effect.sync(flush))
      return Logger.layer([Logger.map(formatted, add)])
    })
  )
