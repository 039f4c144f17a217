import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { commandLine, loadTests, longTests, repeatedTests, server, shared } from "./vitest.shared.ts"

export default defineConfig({
  test: {
    ...shared,
    globalSetup: [...shared.globalSetup, commandLine, server],
    env: { TODO_TEST_ROUNDS: "many" },
    projects: [
      {
        extends: true,
        test: {
          name: "long",
          include: [...longTests, ...repeatedTests],
          maxWorkers: Math.max(3, availableParallelism())
        }
      },
      {
        extends: true,
        test: { name: "load", include: loadTests, maxWorkers: 1, retry: 2, sequence: { groupOrder: 1 } }
      }
    ]
  }
})
