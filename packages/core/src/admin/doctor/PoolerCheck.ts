/**
 * Detects a pooler in transaction mode that loses prepared statements (PgBouncer keeps them from 1.21 on). A pooler does
 * not announce itself, so the check provokes the error that it would cause.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "../../database/Database.ts"
import { isUnknownStatement } from "../../database/SqlErrors.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { failed, type Finding, passed, warning } from "./Finding.ts"

const connect = (settings: Database.DatabaseSettings) =>
  Effect.map(Layer.build(Database.layer({ ...settings, poolSize: 1 })), (context) =>
    Context.get(context, SqlClient.SqlClient)
  )

const session = (sql: SqlClient.SqlClient) =>
  Effect.map(sql.unsafe<DoctorSql.Session>(DoctorSql.session), ([row]) => row?.pid)

const hint =
  "set TODO_DATABASE_PREPARE=false, and the time limits on the role instead (alter role ... set statement_timeout)"

/** One attempt can miss a busy pooler, which may hand out the same session by chance. */
const attempts = 5

export const check = Effect.fnUntraced(function* (settings: Database.DatabaseSettings) {
  if (settings.prepare === false)
    return [passed("pooler", "statements are not prepared, which works with every pooler")]
  const [one, other] = [yield* connect(settings), yield* connect(settings)]
  const look = Effect.gen(function* () {
    const mine = yield* session(one)
    // A transaction on the other connection keeps a session, so a pooler must give this one a different session.
    return yield* other.withTransaction(
      Effect.gen(function* () {
        const held = yield* session(other)
        // In a transaction, because outside of one the client prepares a forgotten statement again.
        const next = yield* one.withTransaction(session(one))
        return held === mine || next !== mine
      })
    )
  }).pipe(
    Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed("stuck" as const) }),
    Effect.catchIf(isUnknownStatement, () => Effect.succeed("forgotten" as const))
  )
  const seen = yield* Effect.replicateEffect(look, attempts)
  return [verdict(seen)]
}, Effect.scoped)

const verdict = (seen: ReadonlyArray<boolean | "stuck" | "forgotten">): Finding =>
  seen.includes("forgotten")
    ? failed("pooler", "a pooler in transaction mode loses prepared statements", hint)
    : seen.includes("stuck")
      ? warning(
          "pooler",
          "two connections through the pooler wait for each other",
          "give the pooler more than one connection"
        )
      : seen.includes(true)
        ? passed("pooler", "a pooler in transaction mode that keeps prepared statements")
        : passed("pooler", "no pooler, or one that gives each connection its own session")
