import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { findPackageJSON } from "node:module"
import { dirname, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { rolldown } from "rolldown"
import type { TestProject } from "vitest/node"

const root = resolve(import.meta.dirname, "..")

/** Bundles `todo-admin` into one file, and lists the `package.json` of each package that a module in it comes from. */
export const bundleCommandLine = async () => {
  const build = await rolldown({
    input: join(root, "packages/cli/src/main.ts"),
    platform: "node",
    tsconfig: false,
    logLevel: "silent"
  })
  const { output } = await build.generate({ codeSplitting: false, comments: { jsdoc: false } })
  const modules = await build.watchFiles
  await build.close()
  const manifests = modules.flatMap((path) => findPackageJSON(pathToFileURL(path)) ?? [])
  return { code: output[0].code, manifests: [...new Set(manifests)] }
}

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
  const { code } = await bundleCommandLine()
  // In node_modules, where packages that are not in the bundle are found.
  const folder = join(root, "node_modules/.cache/todo-admin")
  /** A rename is atomic, so two runs at the same time do not see half a file. */
  const write = (name: string, text: string | Buffer) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.${process.pid}`, text)
    renameSync(`${path}.${process.pid}`, path)
    return path
  }
  write("package.json", JSON.stringify({ type: "module", imports: { "#main": "./dist/main.js" } }))
  write("dist/main.js", code)
  project.provide("todoAdmin", write("bin/todo-admin.js", readFileSync(join(root, "packages/cli/bin/todo-admin.js"))))
}
