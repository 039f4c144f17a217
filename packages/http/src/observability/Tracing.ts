/**
 * Keeps data of users out of traces. A span has the route and the status of a request, and only the name of an error. URLs
 * may contain search words or tokens, and messages of PostgreSQL quote rows.
 */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import { templateOf } from "../api/PathTemplates.ts"

const withheld = new Set(["url.full", "url.path", "url.query", "user_agent.original"])

/** Reduces the error of a failed exit to its name. */
const onlyName = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return exit
  const error = Cause.squash(exit.cause)
  const failure = new Error("The log has the cause, by the id of the request")
  failure.name = error instanceof Error ? error.name : "unknown"
  failure.stack = ""
  return Exit.die(failure)
}

/** Decides whether the spans of a trace are exported: by the parent span if `parentBased`, else by the trace id. */
export interface Sampler {
  /** The share of exported traces, from 0 to 1. */
  readonly ratio: number
  /** Whether the decision of the caller (`traceparent`) is followed. */
  readonly parentBased: boolean
}

const kinds = ["always_on", "always_off", "traceidratio"] as const

/** Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. */
export const sampler = Effect.gen(function* () {
  const names = [...kinds, ...kinds.map((kind) => `parentbased_${kind}` as const)]
  const name = yield* Config.Literals(names, "OTEL_TRACES_SAMPLER").pipe(Config.withDefault("parentbased_always_on"))
  const share = Schema.NumberFromString.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  const ratio = yield* Config.schema(share, "OTEL_TRACES_SAMPLER_ARG").pipe(Config.withDefault(1))
  return {
    parentBased: name.startsWith("parentbased_"),
    ratio: name.endsWith("always_off") ? 0 : name.endsWith("always_on") ? 1 : ratio
  } satisfies Sampler
})

/** Compares the last 56 bits of the trace id, which are random (W3C Trace Context 2), so all services decide alike. */
const isSampled = ({ parentBased, ratio }: Sampler, span: Tracer.Span): boolean =>
  parentBased && Option.isSome(span.parent)
    ? span.parent.value.sampled
    : Number.parseInt(span.traceId.slice(-14), 16) / 2 ** 56 < ratio

/** The route as OpenAPI writes it. */
const inBraces = (route: string): string => route.replace(":id", "{id}")

/**
 * Names spans `GET /v1/todos/{id}`. The number of names must not grow with the paths that clients invent. `ownUrl` removes
 * the public path from the URL of a request.
 */
export const layerSpanNames = (ownUrl: (url: string) => string) =>
  Layer.succeed(HttpMiddleware.SpanNameGenerator, ({ method, url }) => {
    const route = templateOf(ownUrl(url))
    return route === "unknown" ? method : `${method} ${inBraces(route)}`
  })

const withoutUserData = (span: Tracer.Span): Tracer.Span => {
  const attribute = span.attribute.bind(span)
  const end = span.end.bind(span)
  return Object.assign(span, {
    attribute: (key: string, value: unknown) => {
      if (withheld.has(key)) return
      // The router sets `http.route`. It is written like the name of the span.
      attribute(key, key === "http.route" ? inBraces(String(value)) : value)
    },
    end: (time: bigint, exit: Exit.Exit<unknown, unknown>) => end(time, onlyName(exit))
  })
}

/** Wraps the current tracer: withholds attributes and errors, and samples spans. */
export const layer = (sampler: Sampler) =>
  Layer.effect(
    Tracer.Tracer,
    Effect.map(Tracer.Tracer, (tracer) =>
      Tracer.make({
        ...tracer,
        span: (options) => {
          const span = withoutUserData(tracer.span(options))
          return Object.assign(span, { sampled: isSampled(sampler, span) })
        }
      })
    )
  )
