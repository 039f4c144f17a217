import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { open, readFile, readdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type ProcessUser } from "./SystemUser.ts"
import { type Binaries } from "./Binaries.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { type Credentials } from "./Passwords.ts"
import { run } from "./SystemProcess.ts"

/** `pg_hba.conf` of a database that is ours: through the loopback and with a password only. */
export const access = "host all all 127.0.0.1/32 scram-sha-256\n"

/** Whether the directory holds a database of this major version; fails where it holds something else. */
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
 * Makes the database directory with its roles and the database `todo`. It gets
 * its name when it is complete, so one that a kill left behind is never used.
 * Not to be interrupted: initdb's processes would leak shared memory.
 */
export const initialise = async (
  place: string,
  binaries: Binaries,
  credentials: Credentials,
  as: ProcessUser
): Promise<void> => {
  const half = join(place, `new-${randomUUID()}`)
  try {
    // Only TCP with a password gets in; what initdb would write lets every local user in without.
    const made = await run(binaries.initdb, ["-D", half, ...initdb], as)
    if (made.status !== 0) throw EmbeddedPostgresError.from(place, made.output)
    await writeFile(join(half, "pg_hba.conf"), access, { flush: true })
    await alone(half, binaries, roles(credentials), as)
    await alone(half, binaries, "create database todo owner todo_owner;\n", as)
    await alone(half, binaries, grants, as)
    await rename(half, join(place, "data"))
    const folder = await open(place, "r")
    await folder.sync().finally(() => folder.close())
    // What a kill has left; by now initdb has ended there, too.
    for (const name of await readdir(place)) {
      if (name.startsWith("new-")) await remove(join(place, name))
    }
  } catch (error) {
    await remove(half)
    throw EmbeddedPostgresError.from(place, error)
  }
}

/** Gives the roles the attributes and the passwords that they should have, before each start. */
export const repair = (data: string, binaries: Binaries, credentials: Credentials, as: ProcessUser) =>
  alone(data, binaries, roles(credentials) + grants, as)

/** Runs statements, one a line, without a server that anybody could connect to. */
const alone = async (data: string, { postgres }: Binaries, sql: string, as: ProcessUser) => {
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

const plain = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"

const roles = ({ passwords }: Credentials): string => `\
do $$ begin if not exists (select from pg_roles where rolname = 'todo_owner') then create role todo_owner; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'todo_runtime') then create role todo_runtime; end if; end $$;
alter role postgres password '${passwords.postgres}';
alter role todo_owner ${plain} password '${passwords.todo_owner}';
alter role todo_runtime ${plain} password '${passwords.todo_runtime}';
revoke todo_owner from todo_runtime;
`

const grants = `\
alter database todo owner to todo_owner;
revoke all on database todo from public;
grant connect on database todo to todo_runtime;
`

const remove = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
