import { expect, it, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

it.each(["embed", "promise"])("shows the sample %s.ts, which is type-checked", (name) => {
  expect(read("README.md")).toContain(read(`packages/core/examples/${name}.ts`))
})

layer(TestDatabase.layerEmpty, { excludeTestServices: true })("in a new database", (it) => {
  it.effect("the samples run as they are", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const env = { ...process.env, DATABASE_URL: Redacted.value(ownerUrl) }
      const run = (name: string) =>
        Effect.promise(() =>
          promisify(execFile)(process.execPath, [fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url))], {
            env
          })
        )
      expect((yield* run("embed")).stdout).toContain("Buy milk")
      // The first was the other sample's.
      expect((yield* run("promise")).stdout).toMatch(/^1 \S+\n2 \S+\n$/)
    })
  )
})

it("links to files that exist", () => {
  const links = [...read("README.md").matchAll(/\]\((packages\/[^)]+)\)/g)].map(([, path]) => path ?? "")
  expect(links.length).toBeGreaterThan(5)
  for (const link of links.filter((path) => /\.\w+$/.test(path))) expect(() => read(link)).not.toThrow()
})
