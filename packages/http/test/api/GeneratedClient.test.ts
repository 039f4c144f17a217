import { execFile } from "node:child_process"
import { readFile, symlink, writeFile } from "node:fs/promises"
import { registerHooks } from "node:module"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { program } from "../support/GeneratedClientProgram.ts"
import { checks } from "../support/openApiTools.ts"
import { temporaryDirectory } from "../support/program.ts"
import { useServer } from "../support/testServer.ts"

const modules = resolve(import.meta.dirname, "../../../../node_modules")

/** Generates types with `openapi-typescript`. It needs the JavaScript API of TypeScript, which TypeScript 7 does not have. */
const generate = async (document: string): Promise<string> => {
  const typescript = import.meta.resolve("@ts-morph/common/dist/typescript.js")
  const hooks = registerHooks({
    resolve: (name, context, next) => next(name === "typescript" ? typescript : name, context)
  })
  try {
    const { astToString, default: openapiTypes } = await import("openapi-typescript")
    return astToString(await openapiTypes(document))
  } finally {
    hooks.deregister()
  }
}

/** Runs an installed program in a folder, and returns its output, also if it fails. */
const run = (cwd: string, ...command: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, [...command], { cwd }).then(
    ({ stdout }) => ({ code: 0, said: stdout.trim() }),
    ({ code, stderr, stdout }) => ({ code, said: `${stdout}${stderr}` })
  )

const server = useServer()

it("a client that is generated from the OpenAPI document compiles under strict and works", async () => {
  const folder = await temporaryDirectory()
  const document = await readFile(resolve(import.meta.dirname, "../../openapi.json"), "utf8")
  await writeFile(join(folder, "api.d.ts"), await generate(document))
  await writeFile(join(folder, "program.ts"), program)
  await writeFile(
    join(folder, "schemas.ts"),
    `import type { components } from "./api.d.ts"\nexport type Schemas = components["schemas"]`
  )
  await writeFile(join(folder, "checks.ts"), checks)
  await writeFile(join(folder, "package.json"), '{ "type": "module" }')
  await symlink(modules, join(folder, "node_modules"))

  const me = await server.user()
  const options =
    "--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --module nodenext --target es2024 --types node --noEmit --allowImportingTsExtensions"
  const [compiled, ran] = await Promise.all([
    run(folder, join(modules, "typescript/bin/tsc"), ...options.split(" "), "program.ts", "checks.ts"),
    run(folder, "program.ts", server.url, me.token)
  ])
  expect(compiled).toEqual({ code: 0, said: "" })
  expect(ran).toEqual({ code: 0, said: "done" })
})
