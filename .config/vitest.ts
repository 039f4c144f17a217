import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { commandLine, loadTests, longTests, server, shared } from "./vitest.shared.ts"

/** Tests that need a process of their own: `Sharding` sets `optimisations`, `RequestBatching` measures memory. */
const alone = ["RequestBatching", "Sharding"].map((name) => `packages/core/test/database/${name}.test.ts`)

export default defineConfig({
  test: {
    ...shared,
    // Loads modules once for each worker instead of once for each file. Over 127 files this saves 70 s of CPU of 460 s:
    // measure with `--isolate`. `isolation.ts` fails a file that leaves changes to the process.
    isolate: false,
    setupFiles: [fileURLToPath(new URL("isolation.ts", import.meta.url))],
    // Most tests wait most of the time: for a process to start, a lock, a disk.
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      ...["core", "http", "cli"].map((name) => ({
        extends: true as const,
        test: {
          name,
          include: [`packages/${name}/test/**/*.test.ts`],
          exclude: [...alone, ...longTests, ...loadTests],
          globalSetup: { cli: [commandLine], http: [server] }[name] ?? []
        }
      })),
      { extends: true, test: { name: "alone", include: alone, isolate: true } },
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
          ])
    ]
  }
})
