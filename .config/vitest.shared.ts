/** What the two runs of the tests share: `npm test` and `npm run test:long`. */
import { fileURLToPath } from "node:url"
import type { Reporter, TestModule } from "vitest/node"

/** Load, kills, many rows, whole programs and public suites: what is proven by taking long. `npm run test:long` runs it. */
export const longTests = [
  ...["admin/doctor/DoctorHoles", "embedded/EmbeddedPostgres", "todos/DueDates", "todos/QueryPlans"].map(
    (name) => `packages/core/test/${name}.test.ts`
  ),
  ...[
    "api/OpenApiTools",
    "auth/Wycheproof",
    "boundary/Fuzz",
    "boundary/HostileInput",
    "client/ClientSubscription",
    "embed/Embedding",
    "handlers/EventClients",
    "serve/DocsPage",
    "serve/Production"
  ].map((name) => `packages/http/test/${name}.test.ts`),
  "packages/http/test/Bench.test.ts",
  ...["commands/LargeUsers", "terminal/Colours"].map((name) => `packages/cli/test/${name}.test.ts`)
]

/** Tests of both runs: a few random rounds in `npm test`, many in `npm run test:long`. */
export const repeatedTests = [
  ...["changes/History", "database/Retries", "todos/Concurrency", "todos/Model", "todos/Pages"].map(
    (name) => `packages/core/test/${name}.test.ts`
  ),
  ...["boundary/SqlStates", "serve/Start"].map((name) => `packages/http/test/${name}.test.ts`)
]

/** Tests that put the machine under load, or ask for answers in time: they run alone, and again if it was busy. */
export const loadTests = [
  ...["Crash", "Drain", "LostDatabase", "Overload", "RudeClients", "Stalled"].map(
    (name) => `packages/http/test/serve/${name}.test.ts`
  ),
  "packages/cli/test/BesideServer.test.ts"
]

const seconds = (module: TestModule) => (module.diagnostic().duration / 1_000).toFixed(1).padStart(6)

/** Ends the run's output with the ten slowest files, and a line that a machine can read. */
const summary: Reporter = {
  onTestRunEnd(modules, errors, reason) {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that does not load has no tests to count.
      if (module.errors().length > 0) count.failed++
    }
    if (reason !== "passed" && count.failed === 0) count.failed = 1
    const slowest = modules.toSorted((one, other) => other.diagnostic().duration - one.diagnostic().duration)
    console.log("Slowest files, in seconds:")
    for (const module of slowest.slice(0, 10)) console.log(`${seconds(module)}  ${module.relativeModuleId}`)
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}

/** Bundle `todo-admin` and the server once for a run, because tests start them often. */
export const [commandLine, server] = ["commandLine.ts", "server.ts"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url))
) as [string, string]

/** Options of every run. */
export const shared = {
  root: fileURLToPath(new URL("..", import.meta.url)),
  globalSetup: [fileURLToPath(new URL("postgres.ts", import.meta.url))],
  // Machines are shared: a limit is there to end what hangs, not to time what runs.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  reporters: ["default", summary],
  coverage: { provider: "v8" as const, include: ["packages/*/src/**"], reporter: ["text"] }
}
