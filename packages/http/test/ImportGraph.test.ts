import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"

const root = resolve(import.meta.dirname, "../../..")

/** What each package exports: `@todo/core/domain` and the file behind it. */
const entries = globSync("packages/*/package.json", { cwd: root }).flatMap((file) => {
  const { exports = {}, name } = JSON.parse(readFileSync(join(root, file), "utf8"))
  return Object.entries<string>(exports)
    .map(([path, source]) => ({ entry: name + path.slice(1), file: join(root, file, "..", source) }))
    .filter(({ file }) => file.endsWith(".ts") && existsSync(file))
})

/** The imports of every module, as one process that loads all `files` resolves them: importer to imported. */
const importsOf = (files: ReadonlyArray<string>): ReadonlyMap<string, ReadonlySet<string>> => {
  const script = `
    import { registerHooks } from "node:module"
    const edges = []
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context)
        edges.push([context.parentURL, found.url])
        return found
      }
    })
    for (const file of ${JSON.stringify(files.map((file) => pathToFileURL(file).href))}) await import(file)
    process.stdout.write(JSON.stringify(edges))`
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26
  })
  const graph = new Map<string, Set<string>>()
  for (const [from, to] of JSON.parse(output)) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  return graph
}

// The server as a program is not an entry point, but its modules serve apps too.
const program = join(root, "packages/http/src/Program.ts")
const graph = importsOf([...entries.map(({ file }) => file), program])

/** All modules that importing the file loads: paths from the root of the repository, and `node:` builtins. */
const loaded = (file: string): ReadonlyArray<string> => {
  const seen = new Set([pathToFileURL(file).href])
  for (const url of seen) for (const next of graph.get(url) ?? []) seen.add(next)
  return [...seen].map((url) => (url.startsWith("file:") ? relative(root, fileURLToPath(url)) : url))
}

const fileOf = (entry: string): string => entries.find((known) => known.entry === entry)?.file ?? ""

const of = (name: string) =>
  entries.filter(({ entry }) => entry === `@todo/${name}` || entry.startsWith(`@todo/${name}/`))

const isBuiltin = (url: string): boolean => url.startsWith("node:")
const isSql = (url: string): boolean =>
  /\/(sql|sql-[a-z]+)\/(src|dist)\/|\/effect\/(src|dist)\/sql\/|core\/src\/(schema\/|.*Sql\.ts$)/.test(url)

describe("The import graph", () => {
  it("the test finds all entries of the packages", () => {
    expect(entries.map(({ entry }) => entry)).toEqual(
      expect.arrayContaining(["@todo/core", "@todo/core/domain", "@todo/http", "@todo/http/api", "@todo/http/client"])
    )
  })

  it.each(of("core"))("$entry loads neither http nor cli", ({ file }) => {
    const modules = loaded(file)
    expect(modules).toContain(relative(root, file))
    expect(modules.filter((url) => /^packages\/(?!core\/)/.test(url))).toEqual([])
  })

  it.each([...of("http"), { entry: "the server's program", file: program }])(
    "$entry loads neither cli nor core/src/admin",
    ({ file }) => {
      const modules = loaded(file)
      expect(modules).toContain(relative(root, file))
      expect(modules.filter((url) => url.startsWith("packages/cli/"))).toEqual([])
      expect(modules.filter((url) => /^packages\/core\/src\/admin/i.test(url))).toEqual([])
    }
  )

  it("the sources, also those of programs, name only imports that run cli -> core <- http", () => {
    const arrows = globSync("packages/*/src/**/*.ts", { cwd: root }).flatMap((file) => {
      const [, from = ""] = file.split("/")
      // Examples in comments are written as hosts would.
      const code = readFileSync(join(root, file), "utf8").replaceAll(/^ *\*.*$/gm, "")
      const named = code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)
      return [...named].flatMap(([, specifier = ""]) => {
        const [, sibling] = /^@todo\/(\w+)/.exec(specifier) ?? []
        if (sibling !== undefined) return [`${from} -> ${sibling}`]
        const target = relative(root, resolve(root, file, "..", specifier))
        return specifier.startsWith(".") && !target.startsWith(`packages/${from}/`) ? [`${file} -> ${target}`] : []
      })
    })
    expect(arrows).toContain("http -> core")
    expect(arrows.filter((arrow) => arrow !== "http -> core" && arrow !== "cli -> core")).toEqual([])
  })

  describe("A module for browsers", () => {
    it.each(["@todo/core/domain", "@todo/http/api", "@todo/http/client", "@todo/http/client/promise"])(
      "%s loads no builtin of Node and no SQL",
      (entry) => {
        const modules = loaded(fileOf(entry))
        expect(modules.length).toBeGreaterThan(10)
        expect(modules.filter(isBuiltin)).toEqual([])
        expect(modules.filter(isSql)).toEqual([])
      }
    )

    it.each(["@todo/core", "@todo/http"])("%s loads both, so the tests above can fail", (entry) => {
      const modules = loaded(fileOf(entry))
      expect(modules.filter(isBuiltin)).not.toEqual([])
      expect(modules.filter(isSql)).toEqual(
        expect.arrayContaining([
          "packages/core/src/todos/TodosSql.ts",
          expect.stringContaining("@effect/sql-pg/"),
          expect.stringContaining("effect/dist/sql/")
        ])
      )
    })
  })
})
