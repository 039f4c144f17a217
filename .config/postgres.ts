import { startThrowAway } from "@todo/core/postgres"
import { prepare } from "@todo/core/testing"
import { Effect } from "effect"

/** One PostgreSQL for the whole run, with a migrated template database; `TEST_POSTGRES` names another. */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env["TEST_POSTGRES"]
  const postgres = given === undefined ? await startThrowAway() : undefined
  const server = given ?? postgres?.url("postgres") ?? ""
  await Effect.runPromise(prepare(server))
  process.env["TEST_POSTGRES"] = server
  return async () => {
    await postgres?.stop()
    if (given === undefined) delete process.env["TEST_POSTGRES"]
  }
}
