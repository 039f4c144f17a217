/**
 * Traces that say of a request its route and its status, and of a failure its name.
 * Addresses have search words and now and then a token in them, messages of PostgreSQL
 * repeat rows: what users send does not leave by a trace.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"

const withheld = new Set(["url.full", "url.path", "url.query", "user_agent.original"])

/** The same end, with the name of what failed alone. */
const named = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return exit
  const error = Cause.squash(exit.cause)
  const failure = new Error("The log has the cause, by the id of the request")
  failure.name = error instanceof Error ? error.name : "unknown"
  failure.stack = ""
  return Exit.die(failure)
}

const discreet = (span: Tracer.Span): Tracer.Span => {
  const attribute = span.attribute.bind(span)
  const end = span.end.bind(span)
  return Object.assign(span, {
    attribute: (key: string, value: unknown) => {
      if (!withheld.has(key)) attribute(key, value)
    },
    end: (time: bigint, exit: Exit.Exit<unknown, unknown>) => end(time, named(exit))
  })
}

/** What goes to the tracer that is there goes without what it must not have. */
export const layer = Layer.effect(
  Tracer.Tracer,
  Effect.map(Tracer.Tracer, (tracer) => Tracer.make({ ...tracer, span: (options) => discreet(tracer.span(options)) }))
)
