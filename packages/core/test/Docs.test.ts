import { expect, it, layer } from "@effect/vitest"
import { settings } from "@todo/core/installation"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const read = (path: string) => readFileSync(join(root, path), "utf8")
const pages = ["README.md", ...globSync("docs/*.md", { cwd: root })]

it.each(["embed", "promise"])("docs/embedding.md shows examples/%s.ts, which is type-checked", (name) => {
  expect(read("docs/embedding.md")).toContain(read(`packages/core/examples/${name}.ts`))
})

layer(TestDatabase.layerEmpty, { excludeTestServices: true })("in a new database", (it) => {
  it.effect("the samples of docs/embedding.md run as they are", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const env = { ...process.env, DATABASE_URL: Redacted.value(ownerUrl) }
      const run = (name: string) =>
        Effect.promise(() =>
          promisify(execFile)(process.execPath, [join(root, "packages/core/examples", `${name}.ts`)], { env })
        )
      expect((yield* run("embed")).stdout).toContain("Buy milk")
      // The other sample created revision 1.
      expect((yield* run("promise")).stdout).toMatch(/^1 \S+\n2 \S+\n$/)
    })
  )
})

/** The anchor of a heading in rendered Markdown. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(" ", "-")

const anchorsOf = (page: string) => [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading))

it.each(pages)("the links of %s lead to files and headings that exist", (page) => {
  const links = [...read(page).matchAll(/\]\((?![a-z]+:)([^)#]*)(?:#([^)]+))?\)/g)]
  const broken = links.filter(([, path = "", anchor]) => {
    const target = path === "" ? page : join(dirname(page), path)
    return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

it("the README links to every page", () => {
  const unlinked = pages.filter((page) => page !== "README.md" && !read("README.md").includes(`](${page}`))
  expect(unlinked).toEqual([])
})

it("the README stays under 150 lines", () => {
  expect(read("README.md").split("\n").length).toBeLessThanOrEqual(150)
})

it("docs/settings.md lists every setting, and no other", () => {
  const page = read("docs/settings.md")
  const listed = [...page.matchAll(/^\| (`[A-Z].*?) +\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  )
  expect(listed.toSorted()).toEqual(Object.keys(settings).toSorted())
})
