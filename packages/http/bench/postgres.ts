/**
 * The PostgreSQL that all contestants share: the server of `DATABASE_URL` (as superuser), or a temporary one. Measurements
 * use databases that are created for them and dropped afterwards.
 */
import { randomBytes } from "node:crypto"
import { Database, Migrations } from "@todo/core"
import { startThrowAway } from "@todo/core/postgres"
import { Effect, Redacted } from "effect"
import { Client } from "pg"

/** A migrated database, with the URLs of its superuser and of the runtime role of this server. */
export interface BenchDatabase {
  readonly url: string
  readonly runtimeUrl: string
  readonly client: Client
}

export interface Postgres {
  /** The version, and the settings that decide its speed. */
  readonly settings: string
  readonly create: () => Promise<BenchDatabase>
  readonly drop: (database: BenchDatabase) => Promise<void>
  /** Drops the databases. */
  readonly stop: () => Promise<void>
}

const settings = "server_version shared_buffers fsync synchronous_commit full_page_writes jit max_connections".split(
  " "
)

const at = (server: string, database: string, user?: { readonly name: string; readonly password: string }) => {
  const url = new URL(server)
  url.pathname = `/${database}`
  if (user !== undefined) [url.username, url.password] = [user.name, user.password]
  return url.href
}

const migrate = (url: string, runtimeRole: string) =>
  Effect.runPromise(Effect.provide(Migrations.up({ runtimeRole }), Database.layer({ url: Redacted.make(url) })))

export const startPostgres = async (given: string | undefined): Promise<Postgres> => {
  const throwAway = given === undefined ? await startThrowAway({ durable: true }) : undefined
  const server = given ?? throwAway?.url("postgres") ?? ""
  const admin = new Client(server)
  await admin.connect()
  const role = { name: `todo_bench_${randomBytes(6).toString("hex")}`, password: randomBytes(16).toString("hex") }
  await admin.query(`create role ${role.name} login password '${role.password}'`)
  const { rows } = await admin.query<{ line: string }>(
    `select string_agg(name || ' ' || current_setting(name), ', ' order by n) as line
    from unnest($1::text[]) with ordinality _ (name, n)`,
    [settings]
  )

  const made = new Set<BenchDatabase>()
  const drop = async (database: BenchDatabase) => {
    made.delete(database)
    await database.client.end()
    await admin.query(`drop database ${new URL(database.url).pathname.slice(1)} with (force)`)
  }
  return {
    settings: rows[0]?.line ?? "",
    create: async () => {
      const name = `todo_bench_${randomBytes(6).toString("hex")}`
      await admin.query(`create database ${name}`)
      const url = at(server, name)
      const database = { url, runtimeUrl: at(server, name, role), client: new Client(url) }
      await database.client.connect()
      made.add(database)
      await migrate(url, role.name)
      return database
    },
    drop,
    stop: async () => {
      for (const database of made) await drop(database)
      await admin.query(`drop role ${role.name}`)
      await admin.end()
      await throwAway?.stop()
    }
  }
}
