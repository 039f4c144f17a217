/**
 * The program and all that it stands on, as one file: to find and to read three hundred is most of a start.
 * Packing publishes it; a checkout makes its own when it is first used, and again after each change.
 */
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { findPackageJSON } from "node:module"
import { join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"

const source = join(import.meta.dirname, "main.ts")
const folder = resolve(import.meta.dirname, "../../../node_modules/.cache")
const kept = join(folder, "todo-admin.mjs")

/** A file that the bundle was made of, and when it last changed. No change of a file leaves its ctime as it was. */
type Input = readonly [path: string, changed: number | undefined]

/** Of two changes within so many milliseconds, a file system may tell but one. */
const tick = 50

/** Starts the program from its bundle, or else from its sources. */
export const start = async (): Promise<void> => {
  const path = bundled()
  await (path === undefined ? import("./main.ts") : import(pathToFileURL(path).href))
}

/** The bundle of the sources as they are; none where it cannot be made or kept, as by a user who may only read. */
export const bundled = (): string | undefined => {
  if (isFresh()) return kept
  try {
    // Fails where only what runs was installed.
    findPackageJSON("rolldown", import.meta.url)
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    // In a process of its own: a bundler takes half a gigabyte.
    const script = `await (await import(${JSON.stringify(import.meta.url)})).keep()`
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" })
  } catch {
    // Slower from the sources; where they are wrong, Node says so.
  }
  return isFresh() ? kept : undefined
}

/** Makes the bundle and keeps it, unless it was out of date before it was made. */
export const keep = async (): Promise<void> => {
  const started = Date.now()
  const { code, files } = await bundle()
  const inputs = files.map((path): Input => [relative(folder, path), changed(path)])
  if (inputs.some(([, changed]) => changed === undefined || changed > started - tick)) return
  const draft = join(folder, `todo-admin.${randomBytes(4).toString("hex")}.mjs`)
  writeFileSync(draft, `//${JSON.stringify(inputs)}\n${code}`)
  // Whoever comes at the same time makes the same, and always finds one that is whole.
  renameSync(draft, kept)
}

/** Makes the bundle, and tells which files it depends on: also those of which nothing was left. */
export const bundle = async () => {
  const { rolldown } = await import("rolldown")
  const build = await rolldown({ input: source, platform: "node", tsconfig: false, logLevel: "silent" })
  const { output } = await build.generate({ codeSplitting: false, comments: { jsdoc: false } })
  const modules = await build.watchFiles
  await build.close()
  const manifests = modules.flatMap((path) => findPackageJSON(pathToFileURL(path)) ?? [])
  return { code: output[0].code, files: [...new Set([import.meta.filename, ...modules, ...manifests])] }
}

const isFresh = (): boolean => {
  try {
    const bytes = readFileSync(kept)
    const inputs: ReadonlyArray<Input> = JSON.parse(bytes.toString("utf8", "//".length, bytes.indexOf("\n")))
    return inputs.every(([path, then]) => changed(`${folder}/${path}`) === then)
  } catch {
    return false
  }
}

const changed = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ctimeMs
