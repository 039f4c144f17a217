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

const samplesOf = (page: string) => [...read(page).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code)

const linesOf = (code: string) => code.split("\n").filter((line) => line.trim() !== "")

/** Whether a file has every line of a sample, in this order. It may have others in between. */
const hasSample = (file: string, sample: string) => {
  let rest = linesOf(read(file))
  return linesOf(sample).every((line) => {
    const at = rest.indexOf(line)
    rest = rest.slice(at + 1)
    return at >= 0
  })
}

const examples = globSync("packages/*/examples/*.ts", { cwd: root })

it("every sample of the README is an excerpt of an example, which is type-checked and run by a test", () => {
  const samples = samplesOf("README.md")
  expect(samples).toHaveLength(3)
  expect(samples.filter((sample) => !examples.some((file) => hasSample(file, sample)))).toEqual([])
})

it("a sample with a line that its example lacks is noticed", () => {
  expect(hasSample("packages/core/examples/embed.ts", "  const todos = yield* Todos\n  const other = 1\n")).toBe(false)
})

it.each([
  ["docs/embedding.md", "packages/core/examples/embed.ts"],
  ["docs/embedding.md", "packages/core/examples/promise.ts"],
  ["docs/client.md", "packages/http/examples/client.ts"],
  ["docs/client.md", "packages/http/examples/conflict.ts"],
  ["docs/mounting.md", "packages/http/examples/hono.ts"]
])("%s has a sample of %s", (page, file) => {
  expect(samplesOf(page).filter((sample) => hasSample(file, sample))).toHaveLength(1)
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
