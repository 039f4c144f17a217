/**
 * Exports traces, metrics and logs by OTLP. It is configured by the standard variables of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
import { settings } from "@todo/core/installation"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Otlp, OtlpSerialization } from "effect/observability"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracing from "./Tracing.ts"

/** Reads a list like W3C Baggage: percent-encoded names and values, separated by commas. */
const list = (name: string) =>
  Config.Record(Schema.StringFromUriComponent, Schema.StringFromUriComponent, name, { trim: true }).pipe(
    Config.withDefault<Readonly<Record<string, string>>>({})
  )

const text = (name: string) => Config.option(Config.String(name))

/** Variables of OpenTelemetry that have no effect here. */
const unsupported = [
  ...["TRACES", "METRICS", "LOGS"].flatMap((signal) => [
    `OTEL_${signal}_EXPORTER`,
    ...["ENDPOINT", "HEADERS", "PROTOCOL", "TIMEOUT", "COMPRESSION"].map(
      (what) => `OTEL_EXPORTER_OTLP_${signal}_${what}`
    )
  ]),
  ...["TIMEOUT", "COMPRESSION", "INSECURE", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"].map(
    (what) => `OTEL_EXPORTER_OTLP_${what}`
  ),
  "OTEL_PROPAGATORS",
  "OTEL_LOG_LEVEL",
  "OTEL_METRIC_EXPORT_INTERVAL",
  "OTEL_BSP_SCHEDULE_DELAY"
]

const warnOfUnsupported = Effect.forEach(
  unsupported,
  (name) =>
    Effect.flatMap(text(name), (value) =>
      Option.isNone(value) ? Effect.void : Effect.logWarning(`${name} has no effect; remove it`)
    ),
  { discard: true }
)

/** Logs once for each signal when exports begin to fail, and once when they succeed again. */
const layerClient = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, (client) => {
    const failing = new Set<string>()
    const failed = (signal: string, why: string) =>
      Effect.suspend(() => {
        if (failing.has(signal)) return Effect.void
        failing.add(signal)
        return Effect.logWarning(`OTEL_EXPORTER_OTLP_ENDPOINT: ${signal} cannot be exported: ${why}`)
      })
    const passed = (signal: string) =>
      Effect.suspend(() =>
        failing.delete(signal)
          ? Effect.logInfo(`OTEL_EXPORTER_OTLP_ENDPOINT: ${signal} are exported again`)
          : Effect.void
      )
    return HttpClient.transform(client, (response, { url }) => {
      const signal = url.slice(url.lastIndexOf("/") + 1)
      return response.pipe(
        Effect.tap(({ status }) => (status < 300 ? passed(signal) : failed(signal, `the status is ${status}`))),
        Effect.tapError(() => failed(signal, "no response"))
      )
    })
  })
).pipe(Layer.provide(FetchHttpClient.layer))

/** Exports if an endpoint is set. Otherwise nothing is traced. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    yield* warnOfUnsupported
    const endpoint = yield* Config.option(settings.OTEL_EXPORTER_OTLP_ENDPOINT)
    const isDisabled = yield* Config.Boolean("OTEL_SDK_DISABLED").pipe(Config.withDefault(false))
    if (isDisabled || Option.isNone(endpoint)) return Layer.empty
    const attributes = yield* list("OTEL_RESOURCE_ATTRIBUTES")
    const name = Option.getOrUndefined(yield* text("OTEL_SERVICE_NAME")) ?? attributes["service.name"] ?? "todo"
    const protocol = yield* Config.Literals(["http/json", "http/protobuf"], "OTEL_EXPORTER_OTLP_PROTOCOL").pipe(
      Config.withDefault("http/json")
    )
    const exported = Otlp.layer({
      baseUrl: endpoint.value.href,
      headers: yield* list("OTEL_EXPORTER_OTLP_HEADERS"),
      resource: { serviceName: name, attributes },
      loggerMergeWithExisting: true
    })
    const serialized = protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf
    return Tracing.layer(yield* Tracing.sampler).pipe(
      Layer.provideMerge(exported),
      Layer.provide([serialized, layerClient])
    )
  })
)
