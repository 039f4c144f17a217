import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { open, readFile, readdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type ProcessUser } from "./SystemUser.ts"
import { type Binaries } from "./Binaries.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as ClusterSql from "./ClusterSql.ts"
import { type Credentials } from "./Passwords.ts"
import { run } from "./SystemProcess.ts"

/** `pg_hba.conf` of our databases: only connections from 127.0.0.1 with a password. */
export const access = "host all all 127.0.0.1/32 scram-sha-256\n"

/** Whether the directory has a database of this major version. It fails if the directory has anything else. */
export const exists = async (data: string, { major }: Binaries): Promise<boolean> => {
  if (!existsSync(data)) return false
  const found = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => undefined)
  if (found === undefined) {
    if ((await readdir(data)).length === 0) return false
    throw new EmbeddedPostgresError({ reason: "Foreign", path: data })
  }
  if (found.trim() === major) return true
  throw new EmbeddedPostgresError({ reason: "OtherVersion", path: data, detail: `${found.trim()}, not ${major}` })
}

/**
 * Creates the database directory, the roles and the database `todo`. The directory is renamed to `data` when it is
 * complete, so a directory that a kill left incomplete is never used. It must not be interrupted, because processes of
 * initdb would leak shared memory.
 */
export const initialise = async (
  place: string,
  binaries: Binaries,
  credentials: Credentials,
  as: ProcessUser
): Promise<void> => {
  const draft = join(place, `new-${randomUUID()}`)
  try {
    // The file that initdb writes would let every local user in without a password.
    const made = await run(binaries.initdb, ["-D", draft, ...initdb], as)
    if (made.status !== 0) throw EmbeddedPostgresError.from(place, made.output)
    await writeFile(join(draft, "pg_hba.conf"), access, { flush: true })
    await runSingleUser(draft, binaries, ClusterSql.roles(credentials), as)
    await runSingleUser(draft, binaries, ClusterSql.createDatabase, as)
    await runSingleUser(draft, binaries, ClusterSql.grants, as)
    await rename(draft, join(place, "data"))
    const folder = await open(place, "r")
    await folder.sync().finally(() => folder.close())
    // Directories that killed processes have left. Their initdb has ended by now.
    for (const name of await readdir(place)) {
      if (name.startsWith("new-")) await remove(join(place, name))
    }
  } catch (error) {
    await remove(draft)
    throw EmbeddedPostgresError.from(place, error)
  }
}

/** Restores the attributes, passwords and grants of the roles. It runs before each start. */
export const repair = (data: string, binaries: Binaries, credentials: Credentials, as: ProcessUser) =>
  runSingleUser(data, binaries, ClusterSql.roles(credentials) + ClusterSql.grants, as)

/** Runs statements, one a line, in single-user mode, so that nobody can connect. */
const runSingleUser = async (data: string, { postgres }: Binaries, sql: string, as: ProcessUser) => {
  const args = ["--single", "-D", data, "-c", "exit_on_error=on", "postgres"]
  const { status, output } = await run(postgres, args, { ...as, input: sql })
  if (status !== 0) throw EmbeddedPostgresError.from(data, output)
}

const initdb = [
  "--username=postgres",
  "--auth=trust",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--no-instructions"
]

const remove = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
