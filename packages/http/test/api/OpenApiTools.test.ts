import { readFile, symlink, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { beforeAll, beforeEach, describe, expect, it } from "vitest"
import { checks, type Generator, generators, install, run } from "../support/openApiTools.ts"
import { temporaryDirectory } from "../support/program.ts"

const tsc = resolve(import.meta.dirname, "../../../../node_modules/typescript/bin/tsc")
const document = await readFile(resolve(import.meta.dirname, "../../openapi.json"), "utf8")

/** The first run downloads the tools, which takes longer. */
const installing = 600_000

describe("Third-party tools for openapi.json", () => {
  let tools: string | undefined
  beforeAll(async () => void (tools = await install()), installing)
  beforeEach(({ skip }) => skip(tools === undefined, "no registry to install the generators from"))

  /** A folder with a document in it, where imports find the packages that generated code needs. */
  const folderWith = async (text: string): Promise<string> => {
    const folder = await temporaryDirectory()
    await symlink(join(tools ?? "", "node_modules"), join(folder, "node_modules"))
    await writeFile(join(folder, "openapi.json"), text)
    await writeFile(join(folder, "package.json"), '{ "type": "module" }')
    return folder
  }

  const start = (folder: string, bin: string, ...args: ReadonlyArray<string>) =>
    run(folder, process.execPath, [join(folder, "node_modules", bin), ...args])

  /** Generates types from a document, and compiles them together with checks. */
  const compiled = async ({ args, bin, schemas }: Generator, text: string) => {
    const folder = await folderWith(text)
    const made = await start(folder, bin, ...args)
    if (made.code !== 0) return made
    await writeFile(join(folder, "schemas.ts"), schemas)
    await writeFile(join(folder, "checks.ts"), checks)
    const options = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: "es2024",
      lib: ["es2024", "dom", "dom.iterable"],
      module: "esnext",
      moduleResolution: "bundler",
      allowImportingTsExtensions: true,
      types: []
    }
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["checks.ts"] }))
    return run(folder, process.execPath, [tsc])
  }

  it.each(Object.entries(generators))(
    "%s makes a client that compiles under strict and has the right types",
    async (_, generator) => {
      expect(await compiled(generator, document)).toEqual({ code: 0, said: "" })
    }
  )

  it("limits in parts without a type would give wrong types, which the checks notice", async () => {
    const changed = JSON.parse(document)
    const { title } = changed.components.schemas.Todo.properties
    changed.components.schemas.Todo.properties.title = { type: "string", allOf: [{ minLength: 1 }, { maxLength: 500 }] }
    expect(title).not.toHaveProperty("allOf")
    const { code, said } = await compiled(generators["@hey-api/openapi-ts"] as Generator, JSON.stringify(changed))
    expect(code).not.toBe(0)
    expect(said).toMatch(/checks\.ts.*\n?.*error/)
  })

  it("redocly reports nothing", async () => {
    const folder = await folderWith(document)
    const { code, said } = await start(
      folder,
      "@redocly/cli/bin/cli.js",
      "lint",
      "openapi.json",
      "--extends=recommended"
    )
    expect(said).not.toMatch(/warning|error/i)
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining("is valid") })
  })

  it("spectral reports nothing", async () => {
    const folder = await folderWith(document)
    // The document has no contact, because each server has its own operator.
    const rules = { extends: ["spectral:oas"], rules: { "info-contact": "off" } }
    await writeFile(join(folder, "rules.json"), JSON.stringify(rules))
    const lint = ["lint", "openapi.json", "--ruleset=rules.json", "--fail-severity=hint"]
    const { code, said } = await start(folder, "@stoplight/spectral-cli/dist/index.js", ...lint)
    expect(said).toContain("No results with a severity of 'hint' or higher found!")
    expect(code).toBe(0)
  })
})
