import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { bundled } from "../src/Bundle.ts"
import { bin } from "./support/program.ts"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const modulesOfCheckout = fileURLToPath(new URL("../../../node_modules", import.meta.url))

/** Has a program end with the files that it loaded, one a line, on stderr. */
const telling = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module"
  const loaded = new Set()
  registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) })
  process.on("exit", () => console.error([...loaded].filter((url) => url.startsWith("file:")).join("\\n")))`)}`

const run = async (script: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, ["--import", telling, script, ...args], {
    env: { PATH: process.env["PATH"], HOME: "/nowhere" },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const [code] = await once(child, "close")
  return { code, stdout, loaded: stderr.trimEnd().split("\n") }
}

/** A program of two files in a place of its own, that says a word of the second. */
const checkout = Effect.gen(function* () {
  const root = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "todo-bundle-"))),
    (root) => Effect.promise(() => rm(root, { recursive: true }))
  )
  const source = join(root, "packages/cli/src")
  const write = (name: string, text: string) => writeFile(join(source, name), text)
  yield* Effect.promise(async () => {
    await mkdir(source, { recursive: true })
    await mkdir(join(root, "node_modules"))
    await writeFile(join(root, "package.json"), '{ "type": "module" }')
    for (const name of ["bin.ts", "Bundle.ts"]) await copyFile(join(main, "..", name), join(source, name))
    await write("main.ts", 'import { word } from "./word.ts"\nconsole.log(word)\n')
    await write("word.ts", 'export const word: string = "one"\n')
  })
  const cache = join(root, "node_modules/.cache")
  return {
    cache,
    kept: pathToFileURL(join(cache, "todo-admin.mjs")).href,
    write,
    start: () => run(join(source, "bin.ts")),
    bundler: () => symlink(join(modulesOfCheckout, "rolldown"), join(root, "node_modules/rolldown"))
  }
})

/** What changes right before it is read is bundled the next time. */
const settled = async (start: () => ReturnType<typeof run>, kept: string) => {
  let ended = await start()
  while (!ended.loaded.includes(kept)) ended = await start()
  return ended
}

describe.concurrent("The bundle", () => {
  it.live("is all that a start loads", () =>
    Effect.promise(async () => {
      const file = bundled()
      assert.isDefined(file)
      const { code, loaded, stdout } = await run(bin, "--help")
      assert.strictEqual(code, 0)
      assert.include(stdout, "COMMANDS")
      assert.sameMembers(
        loaded,
        [bin, join(bin, "../Bundle.ts"), file].map((path) => pathToFileURL(path).href)
      )
    })
  )

  it.live("waits for nothing that a command loads when it runs", () =>
    Effect.promise(async () => {
      const { code, loaded } = await run(main, "--help")
      assert.strictEqual(code, 0)
      assert.isTrue(loaded.some((url) => url.includes("/core/src/domain")))
      const late = /sql-pg|\/ical|\/jose|\/core\/src\/(?!domain|internal\/Words|SchemaName)/
      assert.deepStrictEqual(
        loaded.filter((url) => late.test(url)),
        []
      )
    })
  )

  it.live("is made anew when a source has changed", () =>
    Effect.gen(function* () {
      const { bundler, kept, start, write } = yield* checkout
      yield* Effect.promise(async () => {
        await bundler()
        assert.strictEqual((await settled(start, kept)).stdout, "one\n")
        assert.strictEqual((await start()).loaded.includes(kept), true)
        for (const word of ["two", "six"]) {
          await write("word.ts", `export const word: string = "${word}"\n`)
          assert.strictEqual((await start()).stdout, `${word}\n`)
          assert.strictEqual((await settled(start, kept)).stdout, `${word}\n`)
        }
        await write("word.ts", "export const word: string =\n")
        assert.deepInclude(await start(), { code: 1, stdout: "" })
        await write("word.ts", 'export const word: string = "ten"\n')
        assert.deepInclude(await start(), { code: 0, stdout: "ten\n" })
      })
    }).pipe(Effect.scoped)
  )

  it.live("is whole whoever makes it at the same time, and leaves nothing beside it", () =>
    Effect.gen(function* () {
      const { bundler, cache, kept, start, write } = yield* checkout
      yield* Effect.promise(async () => {
        await bundler()
        // Takes its time to be written.
        await write("main.ts", `import { word } from "./word.ts"\nconsole.log(word, "${"-".repeat(2 ** 24)}".at(-1))\n`)
        const runs = await Promise.all(Array.from({ length: 6 }, start))
        for (const { code, stdout } of runs) assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "one -\n" })
        await settled(start, kept)
        assert.deepStrictEqual(await readdir(cache), ["todo-admin.mjs"])
      })
    }).pipe(Effect.scoped)
  )

  it.live("is done without where it cannot be kept or nothing makes it, and made anew where it was spoilt", () =>
    Effect.gen(function* () {
      const { bundler, cache, kept, start } = yield* checkout
      yield* Effect.promise(async () => {
        const runs = async () => {
          const { code, loaded, stdout } = await start()
          assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "one\n" })
          return loaded.includes(kept)
        }
        assert.isFalse(await runs())
        await rm(cache, { recursive: true, force: true })
        await bundler()
        await writeFile(cache, "no folder")
        assert.isFalse(await runs())
        await rm(cache)
        await mkdir(cache)
        await writeFile(fileURLToPath(kept), "console.log('spoilt')\n")
        while (!(await runs())) assert.deepStrictEqual(await readdir(cache), ["todo-admin.mjs"])
      })
    }).pipe(Effect.scoped)
  )
})
