import { assert, it } from "@effect/vitest"
import { Database, Migrations } from "@todo/core"
import { Doctor } from "@todo/core/admin"
import { TestDatabase } from "@todo/core/testing"
import { ConfigProvider, Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { asSuperuser } from "../support/connections.ts"
import { query } from "../support/suite.ts"

/** The URL of the owner for a new database in this encoding. It is dropped when the scope closes. */
const databaseIn = Effect.fnUntraced(function* (encoding: string) {
  const { ownerUrl } = yield* TestDatabase
  const name = `test_${randomUUID().replaceAll("-", "")}`
  yield* Effect.acquireRelease(
    asSuperuser(query(`create database ${name} encoding '${encoding}' locale 'C' template template0 owner todo_owner`)),
    () => Effect.ignore(asSuperuser(query(`drop database ${name} with (force)`)))
  )
  const url = new URL(Redacted.value(ownerUrl))
  url.pathname = `/${name}`
  return Redacted.make(url.href)
})

for (const encoding of ["LATIN1", "SQL_ASCII", "WIN1252", "EUC_JP"]) {
  it.effect(`migrate up, the check at a start and doctor refuse a database in ${encoding}`, () =>
    Effect.gen(function* () {
      const url = yield* databaseIn(encoding)
      const run = Effect.provide(Database.layer({ url, poolSize: 1 }))
      for (const error of [yield* run(Effect.flip(Migrations.up())), yield* run(Effect.flip(Migrations.check))]) {
        assert.strictEqual(error._tag, "EncodingUnsupported")
        assert.match(error.message, new RegExp(`encoded in ${encoding}, .*encoding 'UTF8' template template0`))
      }
      assert.deepStrictEqual(yield* run(query("select from pg_namespace where nspname = 'todo'")), [])
      const findings = yield* Effect.provideService(
        Doctor.examine(),
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnv({ env: { DATABASE_URL: Redacted.value(url) } })
      )
      const found = findings.find(({ check }) => check === "encoding")
      assert.strictEqual(found?.status, "failed")
      assert.match(found?.detail ?? "", new RegExp(encoding))
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layerEmpty))
  )
}
