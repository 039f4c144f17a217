/**
 * Test kit: what a page gets that imports from our packages.
 */
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

const root = resolve(import.meta.dirname, "../../../..")

/** An entry that is nowhere on disk, in the place of a module of the tests. */
const entry = resolve(import.meta.dirname, "entry.ts")

export interface Bundle {
  readonly code: string
  /** The size that a page loads. */
  readonly gzip: number
  /** The modules that something is left of, from the root of the repository. */
  readonly modules: ReadonlyArray<string>
  /** What it still asks its surroundings for. */
  readonly imports: ReadonlyArray<string>
}

/** One minified module of the source text and all that it imports, for a browser. */
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
