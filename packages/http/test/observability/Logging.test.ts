import { Writable } from "node:stream"
import { Cause, Effect, Logger, Redacted } from "effect"
import { expect, it } from "vitest"
import * as Logging from "../../src/observability/Logging.ts"

/** The lines of these log calls, by this logger and by that of the library. */
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
  /** Removes the timestamps, which differ. */
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
])("our JSON line is as the library writes it: %s", async (_, log) => {
  const [ours, theirs] = await written(log)
  const untimed = (lines = "") => lines.replaceAll(/"took":\d+/g, '"took":0')
  expect(untimed(ours)).toBe(untimed(theirs))
})

/** The pretty lines of these log calls on a stream that is not a terminal. */
const pretty = async (log: Effect.Effect<void>) => {
  let lines = ""
  const stream = new Writable({ write: (chunk, _, done) => ((lines += chunk), done()) })
  await Effect.runPromise(Effect.provide(log, Logging.layerPretty(stream)))
  return lines.replaceAll(/^\d\d:\d\d:\d\d\.\d{3} /gm, "")
}

it("the pretty log shows each request in one line", async () => {
  const log = Effect.annotateLogs(Effect.logInfo("request"), { ...request, requestId: "a b" })
  expect(await pretty(log)).toBe(
    'INFO request requestId="a b" method=GET route=/v1/todos/:id status=200 milliseconds=1.25 user="é😀"\n'
  )
})

it.each<[string, Effect.Effect<void>, string]>([
  ["text", Effect.logWarning("not good"), "WARN not good\n"],
  [
    "a structure",
    Effect.annotateLogs(Effect.logInfo("a"), { errors: [{ at: 1n }] }),
    'INFO a errors="[{\\"at\\":\\"1\\"}]"\n'
  ],
  ["nothing", Effect.annotateLogs(Effect.logInfo("a"), { none: undefined }), 'INFO a none=""\n'],
  [
    "what a terminal obeys",
    Effect.annotateLogs(Effect.logInfo("a"), { b: "\u001B[2J\n\u009B" }),
    'INFO a b="\\u001b[2J\\n\\u009b"\n'
  ]
])("the pretty log shows %s in one line", async (_, log, line) => expect(await pretty(log)).toBe(line))

it("the pretty log shows a failure with its stack, and a secret not at all", async () => {
  const failure = await pretty(Effect.logError("failed", Cause.die(new Error("why"))))
  expect(failure).toMatch(/^ERROR failed\n.*why[^]*\n {2,}at /)
  const secret = await pretty(Effect.annotateLogs(Effect.logInfo("a"), { secret: Redacted.make("canary") }))
  expect(secret).not.toContain("canary")
})

it("the JSON log does not contain a secret of an annotation", async () => {
  const [ours] = await written(Effect.annotateLogs(Effect.logInfo("a"), { secret: Redacted.make("canary") }))
  expect(ours).toContain("redacted")
  expect(ours).not.toContain("canary")
})
