import type { TestProject } from "vitest/node"
import { install } from "./bundle.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The path of `bin/todo-admin.js` beside the bundle. */
    readonly todoAdmin: string
  }
}

/**
 * Makes the published program once for a run of its tests: `bin` and the bundle. The tests start hundreds of processes, and
 * a bundle starts in half the time of the sources.
 */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("todoAdmin", (await install("cli", "todo-admin")).bin)
}
