/**
 * Test kit: third-party generators and linters that read the OpenAPI document. They have nearly 500 packages (374 MB), so
 * `npm ci` does not install them. The test that needs them installs them once below `node_modules/.cache`.
 */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises"
import { delimiter, dirname, join, resolve } from "node:path"

const wanted = resolve(import.meta.dirname, "generators")
const caches = resolve(import.meta.dirname, "../../../../node_modules/.cache")
const cache = join(caches, "openapi-generators")

/** The output of a program, and whether it succeeded. */
export interface Said {
  readonly code: number | string | undefined
  readonly said: string
}

/** Runs a program with the Node of the tests. */
export const run = (cwd: string, command: string, args: ReadonlyArray<string>): Promise<Said> =>
  new Promise((done) => {
    const env = {
      PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
      HOME: process.env["HOME"],
      NO_COLOR: "1",
      // Turns off telemetry.
      DO_NOT_TRACK: "1",
      REDOCLY_TELEMETRY: "off",
      REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^npm_config_|_proxy$/i.test(name)))
    }
    execFile(command, [...args], { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : (error.code ?? undefined), said: stdout + stderr })
    )
  })

const lockOf = (folder: string) => readFile(join(folder, "package-lock.json"), "utf8").catch(() => undefined)

const noRegistry = /EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ENOTCACHED|ENOTFOUND|ETIMEDOUT|ERR_SOCKET_TIMEOUT/

/** The folder with the tools in its `node_modules`. `undefined` if the registry cannot be reached. */
export const install = async (): Promise<string | undefined> => {
  if ((await lockOf(cache)) === (await lockOf(wanted))) return cache
  await mkdir(caches, { recursive: true })
  const folder = await mkdtemp(join(caches, "openapi-generators-"))
  try {
    await cp(wanted, folder, { recursive: true })
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    const { code, said } = await run(folder, "npm", ["ci", ...options, "--fetch-retries=1"])
    if (code !== 0 && noRegistry.test(said)) {
      console.warn(`SKIPPED: the generators of clients cannot be installed without a registry\n${said.slice(0, 500)}`)
      return undefined
    }
    if (code !== 0) throw new Error(`npm ci in ${wanted}: ${said}`)
    await rm(cache, { recursive: true, force: true })
    await rename(folder, cache)
    return cache
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A generator: its command, and the file of its types. */
export interface Generator {
  readonly bin: string
  readonly args: ReadonlyArray<string>
  /** TypeScript that makes `Schemas`: the type of each schema by its name. */
  readonly schemas: string
}

/** The types that the checks need. */
const names = ["Todo", "NewTodo", "TodoPatch", "TodoMove", "TodoBatch", "TodoPage", "Change", "ChangePage", "Account"]

const exported = (from: string) =>
  `import type * as Made from "${from}"\nexport interface Schemas { ${names.map((name) => `${name}: Made.${name}`).join("; ")} }`

export const generators: Record<string, Generator> = {
  "@hey-api/openapi-ts": {
    bin: "@hey-api/openapi-ts/bin/run.js",
    args: ["-i", "openapi.json", "-o", "made", "--no-log-file"],
    schemas: exported("./made/index.ts")
  },
  "openapi-typescript-codegen": {
    bin: "openapi-typescript-codegen/bin/index.js",
    args: ["-i", "openapi.json", "-o", "made", "-c", "fetch"],
    schemas: exported("./made/index.ts")
  },
  "openapi-zod-client": {
    bin: "openapi-zod-client/bin.js",
    args: ["openapi.json", "-o", "made.ts", "--export-schemas", "--strict-objects"],
    schemas: `
      import type { z } from "zod"
      import { schemas } from "./made.ts"
      export type Schemas = { [Name in keyof typeof schemas]: z.infer<(typeof schemas)[Name]> }`
  },
  orval: {
    bin: "orval/dist/bin/orval.mjs",
    args: ["--input", "openapi.json", "--output", "made.ts", "--client", "fetch"],
    schemas: exported("./made.ts")
  },
  "swagger-typescript-api": {
    bin: "swagger-typescript-api/dist/cli.mjs",
    args: ["generate", "-p", "openapi.json", "-o", "made", "-n", "made.ts"],
    schemas: exported("./made/made.ts")
  }
}

/**
 * Compiles only if the types of `Schemas` are those of the API. An enum counts as the union of its values.
 */
export const checks = `
import type { Schemas } from "./schemas.ts"

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type IsAny<T> = 0 extends 1 & T ? true : false
/** Whether there is \`any\` or \`unknown\` at some depth of a type. */
type Vague<T> = IsAny<T> extends true ? true
  : unknown extends T ? true
  : T extends string | number | boolean | null | undefined ? false
  : T extends ReadonlyArray<infer Item> ? Vague<Item>
  : true extends { [Key in keyof T]-?: Vague<T[Key]> }[keyof T] ? true : false
type IsOptional<T, Key extends keyof T> = {} extends Pick<T, Key> ? true : false

type Due = { date: string } | { dateTime: string; timeZone: string }
type Priority = "none" | "low" | "medium" | "high"
type Todo = Schemas["Todo"]
type NewTodo = Schemas["NewTodo"]
type TodoPatch = Schemas["TodoPatch"]
type Change = Schemas["Change"]
type OfKind<Kind extends string, C = Change> = C extends { kind: infer K } ? (\`\${K & string}\` extends Kind ? C : never) : never

export const right: {
  vague: Vague<Schemas[keyof Schemas & ("Todo" | "NewTodo" | "TodoPatch" | "TodoMove" | "TodoBatch" | "TodoPage" | "Change" | "ChangePage" | "Account")]>
  id: Same<Todo["id"], string>
  title: Same<Todo["title"], string>
  description: Same<Todo["description"], string | null>
  completed: Same<Todo["completed"], boolean>
  completedAt: Same<Todo["completedAt"], string | null>
  priority: Same<\`\${Todo["priority"]}\`, Priority>
  due: Same<Todo["due"], Due | null>
  tags: Same<Todo["tags"], Array<string>>
  listId: Same<Todo["listId"], string | null>
  revision: Same<Todo["revision"], number>
  deletedAt: Same<Todo["deletedAt"], string | null>
  everyField: IsOptional<Todo, "description"> | IsOptional<Todo, "due"> | IsOptional<Todo, "listId">
  newTitle: Same<NewTodo["title"], string>
  newTitleIsOptional: IsOptional<NewTodo, "title">
  newDescription: Same<NewTodo["description"], string | null | undefined>
  newDescriptionIsOptional: IsOptional<NewTodo, "description">
  patchTitle: Same<TodoPatch["title"], string | undefined>
  patchDue: Same<TodoPatch["due"], Due | null | undefined>
  move: Same<Schemas["TodoMove"], { before: string } | { after: string }>
  nextCursor: Same<Schemas["TodoPage"]["nextCursor"], string | null>
  items: Same<Schemas["TodoPage"]["items"][number], Todo>
  changedTodo: Same<OfKind<"todo">["todo"]["title"], string>
  changedList: Same<OfKind<"list">["list"]["name"], string>
  changes: Same<Schemas["ChangePage"]["changes"][number], Change>
  user: Same<Schemas["Account"]["id"], string>
  open: Same<Schemas["Account"]["counts"]["open"], number>
} = {
  vague: false,
  id: true,
  title: true,
  description: true,
  completed: true,
  completedAt: true,
  priority: true,
  due: true,
  tags: true,
  listId: true,
  revision: true,
  deletedAt: true,
  everyField: false,
  newTitle: true,
  newTitleIsOptional: false,
  newDescription: true,
  newDescriptionIsOptional: true,
  patchTitle: true,
  patchDue: true,
  move: true,
  nextCursor: true,
  items: true,
  changedTodo: true,
  changedList: true,
  changes: true,
  user: true,
  open: true
}
`
