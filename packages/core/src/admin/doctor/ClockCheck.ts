import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as DoctorSql from "./DoctorSql.ts"
import { failed, passed } from "./Finding.ts"

/** Milliseconds. NTP keeps machines within a few of them. */
const tolerance = 2_000

/** Compares the clocks of this machine and of the database. The round trip is added to the tolerance. */
export const check = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const before = yield* Clock.currentTimeMillis
  const [row] = yield* sql.unsafe<DoctorSql.Time>(DoctorSql.time)
  const after = yield* Clock.currentTimeMillis
  const apart = (row?.now ?? Number.NaN) - (before + after) / 2
  if (Math.abs(apart) <= tolerance + (after - before) / 2) {
    return [passed("clocks", "this machine and the database agree to 2 seconds")]
  }
  const detail = `the database is ${(Math.abs(apart) / 1_000).toFixed(1)} seconds ${apart > 0 ? "ahead of" : "behind"} this machine`
  const why = "tokens, due dates and the times of changes depend on both"
  return [failed("clocks", `${detail}: ${why}`, "synchronise the clocks of both machines with NTP")]
})
