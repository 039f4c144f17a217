import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import type { Reporter } from "vitest/node"

/** Ends the run's output with a line that a machine can read. */
const summary: Reporter = {
  onTestRunEnd(modules, errors, reason) {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that does not load has no tests to count.
      if (module.errors().length > 0) count.failed++
    }
    if (reason !== "passed" && count.failed === 0) count.failed = 1
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}

/** What puts the machine under load, or asks for answers in time: alone, behind the others, and again where it was busy. */
const underLoad = [
  ...["Crash", "Drain", "LostDatabase", "Overload", "RudeClients", "Stalled"].map(
    (name) => `packages/http/test/serve/${name}.test.ts`
  ),
  "packages/cli/test/BesideServer.test.ts"
]

const commandLine = fileURLToPath(new URL("commandLine.ts", import.meta.url))

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    globalSetup: [fileURLToPath(new URL("postgres.ts", import.meta.url))],
    // Machines are shared: a limit is there to end what hangs, not to time what runs.
    testTimeout: 120_000,
    // Most of them wait most of the time: for a process to start, a lock, a disk.
    maxWorkers: Math.max(3, availableParallelism()),
    hookTimeout: 120_000,
    projects: [
      ...["core", "http", "cli"].map((name) => ({
        extends: true as const,
        test: {
          name,
          include: [`packages/${name}/test/**/*.test.ts`],
          exclude: [...underLoad],
          globalSetup: name === "cli" ? [commandLine] : []
        }
      })),
      // The suite of core without what exists for speed only: no answer may change.
      ...(process.env["TODO_TEST_PLAIN"] === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: "plain",
                include: ["packages/core/test/**/*.test.ts"],
                exclude: ["packages/core/test/database/**", "packages/core/test/writes/BatchedWrites.test.ts"],
                setupFiles: [fileURLToPath(new URL("plain.ts", import.meta.url))]
              }
            }
          ]),
      {
        extends: true as const,
        test: {
          name: "load",
          include: [...underLoad],
          globalSetup: [commandLine],
          maxWorkers: 1,
          retry: 2,
          sequence: { groupOrder: 1 }
        }
      }
    ],
    reporters: ["default", summary],
    coverage: { provider: "v8", include: ["packages/*/src/**"], reporter: ["text"] }
  }
})
