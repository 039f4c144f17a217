import { Cause, Effect, Logger, Redacted } from "effect"
import { expect, it } from "vitest"
import * as Logging from "../src/Logging.ts"

/** What is written of these log calls, by our lines and by the library's. */
const written = async (log: Effect.Effect<void>) => {
  let ours = ""
  const theirs: Array<string> = []
  const both = Effect.all([
    Effect.provide(
      log,
      Logging.layerJson((text) => (ours += text))
    ),
    Effect.provide(log, Logger.layer([Logger.map(Logger.formatJson, (line) => void theirs.push(line))]))
  ])
  await Effect.runPromise(both)
  /** They are not of one moment. */
  const timeless = (lines: string) => lines.replaceAll(/"timestamp":"[^"]+"/g, '"timestamp":""')
  return [timeless(ours), timeless(theirs.map((line) => `${line}\n`).join(""))]
}

const request = {
  requestId: 'a"b',
  method: "GET",
  route: "/v1/todos/:id",
  status: 200,
  milliseconds: 1.25,
  user: "é😀"
}

it.each<[string, Effect.Effect<void>]>([
  ["the line of a request", Effect.annotateLogs(Effect.logInfo("request"), request)],
  ["text with line breaks and control characters", Effect.logInfo("a\nb\u0000\u2028")],
  ["several values", Effect.logInfo("a", 1, { b: [true, null] })],
  ["an error", Effect.annotateLogs(Effect.logError("failed", Cause.die(new Error("why"))), { a: 1 })],
  ["an annotation with a structure", Effect.annotateLogs(Effect.logWarning("a"), { errors: [{ name: "x", at: 1n }] })],
  ["nothing and undefined", Effect.annotateLogs(Effect.logInfo("a"), { none: null, undefined })],
  ["a span", Effect.withLogSpan(Effect.logInfo("a"), "took")]
])("is as the library writes it: %s", async (_, log) => {
  const [ours, theirs] = await written(log)
  const untimed = (lines = "") => lines.replaceAll(/"took":\d+/g, '"took":0')
  expect(untimed(ours)).toBe(untimed(theirs))
})

it("keeps a secret in an annotation", async () => {
  const [ours] = await written(Effect.annotateLogs(Effect.logInfo("a"), { secret: Redacted.make("canary") }))
  expect(ours).toContain("redacted")
  expect(ours).not.toContain("canary")
})
