/**
 * Metrics of the process and its build, under the names that Prometheus clients use. Except the delay of the event loop,
 * they are read only when `/metrics` is requested, so they cost other requests nothing.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import pkg from "../../package.json" with { type: "json" }

const gauges: ReadonlyArray<readonly [name: string, description: string, read: () => number]> = [
  ["process_resident_memory_bytes", "Resident memory in bytes", () => process.memoryUsage.rss()],
  [
    "process_start_time_seconds",
    "When the process started, in seconds since 1970",
    () => Math.round(performance.timeOrigin) / 1_000
  ],
  ["nodejs_heap_size_total_bytes", "Size of the heap of Node in bytes", () => process.memoryUsage().heapTotal],
  ["nodejs_heap_size_used_bytes", "Used part of the heap of Node in bytes", () => process.memoryUsage().heapUsed],
  ["nodejs_external_memory_bytes", "Memory of Node outside of its heap in bytes", () => process.memoryUsage().external]
]

const counters: ReadonlyArray<readonly [name: string, description: string, read: () => number]> = [
  ["process_cpu_user_seconds_total", "User CPU time in seconds", () => process.cpuUsage().user / 1e6],
  ["process_cpu_system_seconds_total", "System CPU time in seconds", () => process.cpuUsage().system / 1e6],
  [
    "process_cpu_seconds_total",
    "User and system CPU time in seconds",
    () => {
      const { system, user } = process.cpuUsage()
      return (user + system) / 1e6
    }
  ]
]

const build = Metric.gauge("todo_build_info", {
  description: "1, with the version of the server and of Node",
  attributes: { version: pkg.version, node: process.versions.node }
})

const loopDelay = Metric.gauge("nodejs_eventloop_lag_p99_seconds", {
  description: "99th percentile of the event loop's delay in the last 5 seconds"
})

const ignored = () => {}

/** Registers the metrics for the life of the process. Another server in the same process would report the same values. */
export const layer = Layer.effectDiscard(
  Effect.map(Effect.context<never>(), (context: Context.Context<never>) => {
    const unchanged = { update: ignored, modify: ignored }
    for (const [name, description, read] of gauges) {
      Metric.registerUnsafe(Metric.gauge(name, { description }), context, {
        ...unchanged,
        get: () => ({ value: read() })
      })
    }
    for (const [name, description, read] of counters) {
      Metric.registerUnsafe(Metric.counter(name, { description, incremental: true }), context, {
        ...unchanged,
        get: () => ({ count: read(), incremental: true })
      })
    }
    Metric.registerUnsafe(build, context, { ...unchanged, get: () => ({ value: 1 }) })
  })
)

/** Measures the delay of the event loop every 5 seconds. It shows how busy the process is. */
export const layerEventLoop = Layer.effectDiscard(
  Effect.gen(function* () {
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution: 20 })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    yield* Effect.sleep("5 seconds").pipe(
      Effect.andThen(Effect.suspend(() => Metric.update(loopDelay, histogram.percentile(99) / 1e9))),
      Effect.andThen(Effect.sync(() => histogram.reset())),
      Effect.forever,
      Effect.forkScoped
    )
  })
)
