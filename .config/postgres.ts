import { startThrowAway } from "@todo/core/postgres"
import { prepare } from "@todo/core/testing"
import { Effect } from "effect"
import { startPgBouncer } from "./pgbouncer.ts"

/**
 * One PostgreSQL for the whole run, with a migrated template database; `TEST_POSTGRES` names
 * another. With `TEST_POOLER=pgbouncer`, what serves gets at it through one of those.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env["TEST_POSTGRES"]
  const postgres = given === undefined ? await startThrowAway() : undefined
  const server = given ?? postgres?.url("postgres") ?? ""
  await Effect.runPromise(prepare(server))
  process.env["TEST_POSTGRES"] = server
  const pooler = process.env["TEST_POOLER"] === "pgbouncer" ? await startPgBouncer(server) : undefined
  if (pooler !== undefined) process.env["TEST_POOLER"] = pooler.url
  return async () => {
    await pooler?.stop()
    await postgres?.stop()
    if (given === undefined) delete process.env["TEST_POSTGRES"]
  }
}
