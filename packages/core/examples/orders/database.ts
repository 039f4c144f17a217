import { PgClient } from "@effect/sql-pg"
import { Migrations } from "@todo/core"
import { Effect, Redacted, String } from "effect"
import { SqlClient } from "effect/sql"

/** The client of the shop, with its own pool, its own role, and names in camel case. */
export const layer = (url: string) =>
  PgClient.layer({
    url: Redacted.make(url),
    transformQueryNames: String.camelToSnake,
    transformResultNames: String.snakeToCamel
  })

const tables = [
  "create table stock (article text primary key, pieces int not null check (pieces >= 0))",
  `create table orders (
  id int generated always as identity primary key,
  customer text not null,
  article text not null references stock,
  pieces int not null,
  todo_id uuid not null,
  packed_at timestamptz
)`,
  `create table outbox (
  user_id text not null,
  todo_id uuid not null,
  revision bigint not null,
  what text not null,
  primary key (user_id, todo_id, revision)
)`,
  "grant select, insert, update on stock, orders, outbox to shop"
]

/** Creates the schema of the todos and the tables of the shop, as the owner of the database. */
export const migrated = (ownerUrl: string) =>
  Effect.gen(function* () {
    yield* Migrations.up({ runtimeRole: "shop" })
    const sql = yield* SqlClient.SqlClient
    for (const statement of tables) yield* sql.unsafe(statement)
    yield* sql`insert into stock values ('tea', 10)`
  }).pipe(Effect.provide(layer(ownerUrl)))
