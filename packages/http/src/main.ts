#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { settingMessage, settings } from "@todo/core/installation"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as CommandLine from "./settings/CommandLine.ts"
import * as OtlpExporter from "./observability/OtlpExporter.ts"
import * as Logging from "./observability/Logging.ts"
import * as Program from "./Program.ts"
import { CannotListen } from "./serve/Socket.ts"
import { describe } from "./observability/ErrorReports.ts"

/** The reason why the server cannot start, in one line. */
const reason = (error: unknown): string => {
  if (error instanceof Config.ConfigError) return settingMessage(error)
  if (error instanceof CannotListen) return error.describe(Program.listenSettings)
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (Predicate.isTagged(error, "Unavailable")) {
    const { message, sqlState } = describe(cause)
    return `${error.message} (${message ?? sqlState ?? "the reason is not known"})`
  }
  return cause instanceof Error && "code" in cause ? cause.message : error.message
}

const logging = Layer.unwrap(
  Effect.gen(function* () {
    const format = yield* settings.TODO_LOG_FORMAT.pipe(Config.withDefault(process.stdout.isTTY ? "pretty" : "json"))
    const level = yield* settings.TODO_LOG_LEVEL.pipe(Config.withDefault("Info"))
    return Layer.merge(
      format === "pretty"
        ? Logging.layerPretty(process.stdout)
        : Logging.layerJson((text) => process.stdout.write(text)),
      Layer.succeed(References.MinimumLogLevel, level)
    )
  })
)

// A closed log pipe (EPIPE) must not end the server.
process.stdout.on("error", () => {})

/**
 * The first signal drains the server; a later one ends it at once with exit code 130. Signals within a second of the
 * first are duplicates: npm forwards a signal that a terminal or `kill -- -PGID` has sent to both processes.
 */
const takeSignals = () => {
  let firstAt: number | undefined
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Removes the listeners of `bin/todo-http.js`, which end the process at once during the start.
    process.removeAllListeners(signal)
    process.on(signal, () => {
      const now = performance.now()
      firstAt ??= now
      if (now - firstAt > 1_000) process.exit(130)
    })
  }
}

const serve = () => {
  takeSignals()
  Program.launch.pipe(
    Effect.provide(Layer.provideMerge(OtlpExporter.layer, logging)),
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Console.error(`todo: ${reason(Cause.squash(cause))}`)
    ),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      teardown: (exit, done) => done(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
    })
  )
}

const reply = CommandLine.reply(process.argv.slice(2))
if (reply === undefined) serve()
else {
  process.exitCode = reply.exitCode
  const stream = reply.exitCode === 0 ? process.stdout : process.stderr
  stream.write(reply.text)
}
