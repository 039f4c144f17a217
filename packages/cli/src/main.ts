/** Runs `todo-admin`; `bin/todo-admin.js` starts it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import * as Command from "effect/cli/Command"
import pkg from "../package.json" with { type: "json" }
import { protectDashedArguments } from "./flags/DashedArguments.ts"
import { errorLine, exitCode } from "./ErrorReport.ts"
import { printError } from "./terminal/Output.ts"
import { DebugState, flags, layer, todoAdmin } from "./TodoAdmin.ts"

const report = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  const line = errorLine(cause)
  if (line === undefined) return
  yield* printError(line)
  if (yield* Ref.get(yield* DebugState)) yield* printError(Cause.pretty(cause))
})

/** If stdout is not a terminal, uses the width of stderr, where prompts and progress appear. */
const terminal = Layer.effect(
  Terminal.Terminal,
  Effect.map(Terminal.Terminal, (terminal) => ({
    ...terminal,
    columns: Effect.sync(() => process.stdout.columns ?? process.stderr.columns ?? 0)
  }))
).pipe(Layer.provideMerge(NodeServices.layer))

Effect.flatMap(Stdio.Stdio, ({ args }) => args).pipe(
  Effect.flatMap((args) => Command.runWith(todoAdmin, { version: pkg.version })(protectDashedArguments(args, flags))),
  Effect.tapCause(report),
  Effect.provide(Layer.merge(layer, terminal)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, done) => done(exitCode(exit))
  })
)
