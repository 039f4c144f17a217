import { expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

it("shows the embedding sample that is type-checked and run", () => {
  expect(read("README.md")).toContain(read("packages/core/examples/embed.ts"))
})

it("links to files that exist", () => {
  const links = [...read("README.md").matchAll(/\]\((packages\/[^)]+)\)/g)].map(([, path]) => path ?? "")
  expect(links.length).toBeGreaterThan(5)
  for (const link of links.filter((path) => /\.\w+$/.test(path))) expect(() => read(link)).not.toThrow()
})
