/** Bundles the programs of the packages, to publish the command line and to start both in tests. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { findPackageJSON } from "node:module"
import { dirname, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { rolldown } from "rolldown"

const root = resolve(import.meta.dirname, "..")

/** Bundles a program into one file, and lists the `package.json` of each package that a module in it comes from. */
export const bundle = async (folder: "cli" | "http") => {
  const build = await rolldown({
    input: join(root, "packages", folder, "src/main.ts"),
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

/** Writes `bin/NAME.js` and the bundle beside it, and returns the path of both. */
export const install = async (folder: "cli" | "http", name: string) => {
  const { code } = await bundle(folder)
  // In node_modules, where packages that are not in the bundle are found.
  const target = join(root, "node_modules/.cache", name)
  /** A rename is atomic, so two runs at the same time do not see half a file. */
  const write = (file: string, text: string | Buffer) => {
    const path = join(target, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.${process.pid}`, text)
    renameSync(`${path}.${process.pid}`, path)
    return path
  }
  write("package.json", JSON.stringify({ type: "module", imports: { "#main": "./dist/main.js" } }))
  return {
    main: write("dist/main.js", code),
    bin: write(`bin/${name}.js`, readFileSync(join(root, "packages", folder, "bin", `${name}.js`)))
  }
}
