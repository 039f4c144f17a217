/**
 * Test kit: bundles the packages for a web page.
 */
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

const root = resolve(import.meta.dirname, "../../../..")

/** A virtual entry in the folder of the tests. */
const entry = resolve(import.meta.dirname, "entry.ts")

export interface Bundle {
  readonly code: string
  /** The compressed size in bytes. */
  readonly gzip: number
  /** The modules in the bundle, from the root of the repository. */
  readonly modules: ReadonlyArray<string>
  /** The imports that are not in the bundle. */
  readonly imports: ReadonlyArray<string>
}

/** Bundles the source text and its imports into one minified module for browsers. */
export const bundle = async (source: string): Promise<Bundle> => {
  const bundler = await rolldown({
    input: entry,
    platform: "browser",
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? source : undefined)
      }
    ]
  })
  const { output } = await bundler.generate({ format: "esm", minify: true, codeSplitting: false })
  await bundler.close()
  const [{ code, imports, modules }] = output
  const left = Object.entries(modules).filter(([, { renderedLength }]) => renderedLength > 0)
  return {
    code,
    gzip: gzipSync(code, { level: 9 }).length,
    modules: left.map(([id]) => id.replace(`${root}/`, "")),
    imports
  }
}
