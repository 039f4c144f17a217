import { describe, expect, it } from "vitest"
import { bundle } from "../support/bundle.ts"
import { logInLongRuns } from "../support/longRun.ts"

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`

/** Modules that must not be in the bundle: those of Node, of the database, the schemas of core, and the server. */
const foreign =
  /^node:|^packages\/core\/(?!src\/domain\/TodoDefaults)|\/sql(-pg)?\/|platform-node|\/jose\/|packages\/http\/src\/(?!client)/

describe("The bundle of", () => {
  it.each([
    ["the client of promises", `export { createClient, isClientError } from "@todo/http/client/promise"`, 30_000],
    ["the client of Effects", `export { make } from "@todo/http/client"`, 30_000]
  ])(
    "the bundle of %s is small, needs nothing of its surroundings, and has no schema, SQL or builtin in it",
    async (name, source, most) => {
      const { gzip, imports, modules } = await bundle(source)
      logInLongRuns(`${name}: ${kilobytes(gzip)} gzip`)
      expect(gzip).toBeLessThan(most)
      expect(imports).toEqual([])
      expect(modules).toContain("packages/http/src/client/Transport.ts")
      expect(modules.filter((path) => foreign.test(path))).toEqual([])
      expect(modules.filter((path) => /effect\/dist\/(Schema|http)/.test(path))).toEqual([])
    }
  )

  it("the bundle of the errors is small", async () => {
    const { gzip } = await bundle(`export { isClientError } from "@todo/http/client/promise"`)
    expect(gzip).toBeLessThan(1_500)
  })

  it("the bundle of the server has Node modules, so the tests above can fail", async () => {
    const { imports, modules } = await bundle(`export { Server } from "@todo/http"`)
    expect(imports).toContain("node:crypto")
    expect(modules.filter((path) => foreign.test(path))).not.toEqual([])
  })
})
