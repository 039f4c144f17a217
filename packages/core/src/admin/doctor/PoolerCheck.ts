/**
 * Whether a pooler stands between that hands out another session with each transaction,
 * and whether it keeps prepared statements (PgBouncer does from 1.21 on). It does not say
 * so itself: it is made to show it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Database from "../../database/Database.ts"
import { errorCode } from "../../database/SqlErrors.ts"
import { failed, type Finding, passed, warning } from "./Finding.ts"

const connect = (settings: Database.DatabaseSettings) =>
  Effect.map(Layer.build(Database.layer({ ...settings, poolSize: 1 })), (context) =>
    Context.get(context, SqlClient.SqlClient)
  )

const session = (sql: SqlClient.SqlClient) =>
  Effect.map(sql`select pg_backend_pid()`.values, ([row]) => Number(row?.[0]))

/** 26000: the session does not know the statement. */
const isForgotten = (error: SqlError) => errorCode(error) === "26000"

/** What to do where `TODO_DATABASE_PREPARE` is in the way of a pooler. */
const hint =
  "set TODO_DATABASE_PREPARE=false, and the time limits on the role instead (alter role ... set statement_timeout)"

/** Of a busy pooler, one look can miss it. */
const looks = 5

export const check = Effect.fnUntraced(function* (settings: Database.DatabaseSettings) {
  if (settings.prepare === false) return [passed("pooler", "statements are not prepared, which suits any pooler")]
  const [one, other] = [yield* connect(settings), yield* connect(settings)]
  const look = Effect.gen(function* () {
    const mine = yield* session(one)
    // What the other holds for a moment, this one cannot be given again.
    return yield* other.withTransaction(
      Effect.gen(function* () {
        const held = yield* session(other)
        // In a transaction, since outside of one the client prepares again what was forgotten.
        const next = yield* one.withTransaction(session(one))
        return held === mine || next !== mine
      })
    )
  }).pipe(
    Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed("stuck" as const) }),
    Effect.catchIf(isForgotten, () => Effect.succeed("forgotten" as const))
  )
  const seen = yield* Effect.replicateEffect(look, looks)
  return [verdict(seen)]
}, Effect.scoped)

const verdict = (seen: ReadonlyArray<boolean | "stuck" | "forgotten">): Finding =>
  seen.includes("forgotten")
    ? failed("pooler", "a pooler in transaction mode stands between, which forgets prepared statements", hint)
    : seen.includes("stuck")
      ? warning("pooler", "two connections at once wait for each other", "give the pooler more than one connection")
      : seen.includes(true)
        ? passed("pooler", "a pooler in transaction mode that keeps prepared statements")
        : passed("pooler", "none, or one that gives each connection a session of its own")
