/**
 * Tries the packed tarballs in empty folders, as hosts would: what each brings along, the manual's
 * embedding sample and both programs, and the sample host with nothing but its own `package.json`.
 */
import { execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { cpSync, globSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { startThrowAway } from "@todo/core/postgres"

const root = resolve(import.meta.dirname, "..")
const { version: effect } = JSON.parse(readFileSync(join(root, "node_modules/effect/package.json"), "utf8"))
const sample = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/embedding.md"), "utf8"))?.[1]
if (sample === undefined) throw new Error("docs/embedding.md has no sample")

const tarball = (name: string): string => {
  const [found] = globSync(`dist/todo-${name}-*.tgz`, { cwd: root })
  if (found === undefined) throw new Error(`dist has no tarball of ${name}: run npm run build`)
  return join(root, found)
}

const folders: Array<string> = []
const emptyFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "todo-host-"))
  folders.push(folder)
  return folder
}

/** `package.json` stays as it is; nothing that is not asked for is run. */
const install = (host: string, ...packages: ReadonlyArray<string>) => {
  const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  execFileSync("npm", ["install", ...options, ...packages], { cwd: host, stdio: ["ignore", "ignore", "inherit"] })
}

const run = (host: string, command: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(command, args, { cwd: host, encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] })

const megabytes = (folder: string): number => {
  const files = globSync("**", { cwd: folder }).map((path) => lstatSync(join(folder, path)))
  return Math.round(files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0) / 1e6)
}

/** What a package brings along, in bounds that are to be moved on purpose only. */
const weigh = (
  name: string,
  needs: ReadonlyArray<string>,
  most: { readonly packages: number; readonly mb: number }
) => {
  const host = emptyFolder()
  writeFileSync(join(host, "package.json"), '{ "private": true }\n')
  install(host, ...[...needs, name].map(tarball))
  const lock = JSON.parse(readFileSync(join(host, "node_modules/.package-lock.json"), "utf8"))
  const packages = Object.entries<{ readonly hasInstallScript?: boolean }>(lock.packages)
  const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
  const mb = megabytes(join(host, "node_modules"))
  console.log(`@todo/${name}: ${packages.length} packages, ${mb} MB, ${scripts.length} install scripts`)
  if (scripts.length > 0) throw new Error(`install scripts: ${scripts.join(", ")}`)
  if (packages.length > most.packages || mb > most.mb) throw new Error(`that is more than ${JSON.stringify(most)}`)
}

const check = (what: string, output: string, expected: string) => {
  if (!output.includes(expected)) throw new Error(`${what} printed something else than ${expected}:\n${output}`)
}

const issuer = {
  TODO_JWT_SECRET: randomBytes(32).toString("base64url"),
  TODO_JWT_ISSUER: "https://issuer.test",
  TODO_JWT_AUDIENCE: "https://todo.test"
}

/** `todo-http` until it answers, and then to its end. */
const serve = async (host: string) => {
  const server = spawn("node_modules/.bin/todo-http", {
    cwd: host,
    env: { ...env, ...issuer, HOST: "127.0.0.1", PORT: "0", TODO_LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exited = once(server, "exit")
  try {
    let printed = ""
    for await (const chunk of server.stdout.setEncoding("utf8")) {
      printed += chunk
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? []
      if (url === undefined) continue
      const ready = await fetch(`${url}/readyz`)
      if (ready.status !== 200) throw new Error(`todo-http is not ready: ${ready.status}`)
      break
    }
  } finally {
    server.kill()
  }
  const [code] = await exited
  if (code !== 0) throw new Error(`todo-http ended with ${code}`)
}

/** A page of a frontend, which has the client of promises and no types but those of the browser. */
const page = `import { createClient, isClientError, type Todo } from "@todo/http/client/promise"
const client = createClient({ url: "https://todo.example.com", token: () => "token" })
const todo: Todo = await client.todos.create({ title: "Buy milk" })
await client.todos.update(todo.id, { completed: true }, { ifRevision: [todo.revision] })
for await (const { change } of client.subscribe()) console.log(change.revision satisfies number)
try { await client.me() } catch (error) { if (isClientError(error)) console.log(error.code) }
// @ts-expect-error nothing of Node is there
process.exit()
`

const compilerOptions = {
  module: "ESNext",
  moduleResolution: "Bundler",
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  types: [],
  strict: true,
  noEmit: true,
  skipLibCheck: false
}

/** What the declarations of the client may be: the client, the contract, and what runs in a browser of core and effect. */
const isOfClient = /\/@todo\/(http\/dist\/(client|api)|core\/dist\/domain)[/.]|\/effect\/dist\//

/** The client's types need nothing of Node, and lead to no server and no database driver of ours. */
const compilePage = () => {
  const frontend = emptyFolder()
  writeFileSync(join(frontend, "package.json"), '{ "private": true, "type": "module" }\n')
  install(frontend, ...["core", "http"].map(tarball), `effect@${effect}`)
  writeFileSync(join(frontend, "page.ts"), page)
  writeFileSync(join(frontend, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["page.ts"] }))
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const read = run(frontend, process.execPath, tsc, "-p", ".", "--listFiles").trim().split("\n")
  const strange = read.filter(
    (file) => file.includes("/node_modules/") && !file.includes(root) && !isOfClient.test(file)
  )
  if (strange.length > 0) throw new Error(`the types of the client lead to ${strange.join(", ")}`)
  if (!read.some((file) => isOfClient.test(file))) throw new Error("the page was compiled without the client")
}

const postgres = await startThrowAway()
const env = { ...process.env, DATABASE_URL: postgres.url("postgres") }
try {
  weigh("core", [], { packages: 5, mb: 70 })
  weigh("http", ["core"], { packages: 25, mb: 90 })
  weigh("cli", [], { packages: 1, mb: 3 })

  const host = emptyFolder()
  writeFileSync(join(host, "package.json"), '{ "private": true, "type": "module" }\n')
  install(host, ...["core", "http", "cli"].map(tarball), `effect@${effect}`)
  writeFileSync(join(host, "embed.ts"), sample)
  check("the sample of docs/embedding.md", run(host, process.execPath, "embed.ts"), "Buy milk")
  check("todo-admin", run(host, "node_modules/.bin/todo-admin", "todo", "list", "--user", "alice"), "Buy milk")
  await serve(host)
  console.log("The sample of docs/embedding.md, todo-admin and todo-http run from the packed tarballs.")

  compilePage()
  console.log("A page with the client compiles with the types of a browser alone.")

  const orders = emptyFolder()
  cpSync(join(root, "packages/core/examples/orders"), orders, { recursive: true })
  install(orders, tarball("core"))
  run(orders, "npm", "run", "check")
  const output = run(orders, "npm", "start")
  check("the sample host", output, '"failure": "OutOfStock"')
  console.log("The sample host compiles and runs with nothing but its own package.json.")
} finally {
  await postgres.stop()
  for (const folder of folders) rmSync(folder, { recursive: true })
}
