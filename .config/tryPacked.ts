/**
 * Installs the packed tarballs into an empty folder, as a host would, and runs the README's
 * embedding sample and the command line there on a database of its own.
 */
import { execFileSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { startThrowAway } from "@todo/core/postgres"

const root = resolve(import.meta.dirname, "..")
const { version } = JSON.parse(readFileSync(join(root, "node_modules/effect/package.json"), "utf8"))
const sample = /## Embed it[\s\S]*?```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1]
if (sample === undefined) throw new Error("README.md has no embedding sample")

const host = mkdtempSync(join(tmpdir(), "todo-host-"))
const postgres = await startThrowAway()
try {
  const tarballs = globSync("dist/*.tgz", { cwd: root }).map((path) => join(root, path))
  writeFileSync(join(host, "package.json"), '{ "private": true, "type": "module" }\n')
  execFileSync("npm", ["install", "--silent", ...tarballs, `effect@${version}`], { cwd: host, stdio: "inherit" })
  writeFileSync(join(host, "embed.ts"), sample)
  const run = (...args: ReadonlyArray<string>) => {
    const env = { ...process.env, DATABASE_URL: postgres.url("postgres") }
    const output = execFileSync(process.execPath, args, { cwd: host, encoding: "utf8", env })
    if (!output.includes("Buy milk")) throw new Error(`${args.join(" ")} printed something else:\n${output}`)
  }
  run("embed.ts")
  run("node_modules/@todo/cli/dist/bin.js", "todo", "list", "--user", "alice")
  console.log("The README's sample and todo-admin run from the packed tarballs.")
} finally {
  await postgres.stop()
  rmSync(host, { recursive: true })
}
