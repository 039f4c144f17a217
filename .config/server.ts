import type { TestProject } from "vitest/node"
import { install } from "./bundle.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the server as one file. */
    readonly todoHttp: string
  }
}

/**
 * Bundles the server once for a run of its tests. They start about 150 processes: a bundle needs 0.2 s of CPU until it has
 * read its settings, and the sources need 0.55 s (8 starts with `PORT=canary` and a warm compile cache).
 */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("todoHttp", (await install("http", "todo-http")).main)
}
