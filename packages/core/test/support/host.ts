/**
 * The client of the tests: a pool as servers use it, or with `TEST_HOST=odd` the client of an unusual host. That client
 * transforms names to camel case and has a registry of types. Its session writes dates in German style, in the time zone of
 * Kolkata. Its search path has other tables and functions with our names. It connects with a separate role.
 */
import { PgClient, PgTypes } from "@effect/sql-pg"
import { layerDatabase as layerPlain, TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Redacted, Result, String } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../src/database/Database.ts"

const isOdd = process.env["TEST_HOST"] === "odd"

const names = { transformQueryNames: String.camelToSnake, transformResultNames: String.snakeToCamel }

const session = {
  search_path: "shop",
  datestyle: "German, DMY",
  intervalstyle: "sql_standard",
  timezone: "Asia/Kolkata",
  bytea_output: "escape",
  extra_float_digits: "0"
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Types that decode bigints as numbers and dates as texts. */
const types = () => {
  const registry = PgTypes.makeRegistry()
  registry.register<number>(PgTypes.OID.int8, {
    encode: (value) => PgTypes.encode(BigInt(value), PgTypes.OID.int8),
    decode: (bytes) => Result.succeed(Number(view(bytes).getBigInt64(0)))
  })
  registry.register<string>(PgTypes.OID.timestamptz, {
    encode: (value) => PgTypes.encode(new Date(value), PgTypes.OID.timestamptz),
    decode: (bytes) => Result.succeed(`${view(bytes).getBigInt64(0)} microseconds`)
  })
  return registry
}

const layerOdd = ({ poolSize = 10, unlimited, url }: Database.DatabaseSettings, more: Partial<PgClient.PgPoolConfig>) =>
  PgClient.layer({
    url,
    maxConnections: poolSize,
    ...names,
    startupParameters: { ...session, ...(!unlimited && { statement_timeout: "5000", lock_timeout: "3000" }) },
    ...more
  })

/** A client of any role: a pool as servers use it, or one with the names and the session of the odd host. */
export const connect = (settings: Database.DatabaseSettings) =>
  isOdd ? layerOdd(settings, {}) : Database.layer(settings)

const role = "Shop App"
const tables = ["users", "lists", "todos", "todo_words", "idempotency_keys", "migrations", "erasures", "search_form"]

/** Statements that create the role, tables and functions of the odd host. */
const shop = [
  `do $$ begin create role "${role}" login in role todo_runtime;
exception when duplicate_object or unique_violation then null; end $$`,
  "create schema if not exists shop",
  `grant usage on schema shop to "${role}"`,
  ...tables.flatMap((table) => [
    `create table if not exists shop.${table} (owner text, note text)`,
    `grant all on shop.${table} to "${role}"`
  ]),
  ...["write(text, jsonb)", "write_all(text, jsonb)", "last_position(bigint)", "instant(timestamptz)"].map(
    (signature) => `create or replace function shop.${signature} returns text language plpgsql as $$ begin
  raise 'a function of the host was called';
end $$`
  )
]

/** The pool of the odd host, for services. */
export const layerOddHost = (poolSize: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { adminUrl, url } = yield* TestDatabase
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach(shop, (statement) => sql.unsafe(statement).unprepared)
      ).pipe(Effect.provide(Database.layer({ url: adminUrl, poolSize: 1 })))
      const own = new URL(Redacted.value(url))
      own.username = encodeURIComponent(role)
      return layerOdd({ url: Redacted.make(own.href), poolSize }, { types: types() })
    })
  )

/** A pool of this size on the test database, for services. */
export const layerPool = (poolSize: number) =>
  isOdd
    ? layerOddHost(poolSize)
    : Layer.unwrap(Effect.map(TestDatabase, ({ url }) => Database.layer({ url, poolSize })))

/** The test database, and a client for services. */
export const layerDatabase = isOdd ? layerOddHost(10).pipe(Layer.provideMerge(TestDatabase.layer)) : layerPlain
