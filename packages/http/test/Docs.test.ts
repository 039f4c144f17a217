import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import { problemTypes } from "../src/api/ProblemTypes.ts"
import { routes } from "./support/routes.ts"

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8")

/** The first cells of a page's tables. */
const rows = (name: string) => [...page(name).matchAll(/^\| *([^|]+?) *\| *([^|]+?) *\|/gm)]

it("docs/errors.md lists every code with its status", () => {
  const listed = rows("errors").filter(([, status = ""]) => /^\d{3}$/.test(status))
  const known = Object.entries(problemTypes).map(([code, { status }]) => `${status} \`${code}\``)
  expect(listed.map(([, status, code]) => `${status} ${code}`).toSorted()).toEqual(known.toSorted())
})

it("docs/http-api.md lists every route of the contract", () => {
  const text = page("http-api")
  // Lists have the routes that todos have.
  const written = routes
    .filter(({ path }) => !path.startsWith("/v1/lists"))
    .map(({ method, path }) => (path.startsWith("/v1") ? `\`${method} ${path.replace(":id", "{id}")}` : `\`${path}`))
  expect(written.length).toBeGreaterThan(10)
  expect(written.filter((route) => !text.includes(route))).toEqual([])
})
