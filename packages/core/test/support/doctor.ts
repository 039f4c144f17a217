/** Runs doctor against the test database. */
import { Doctor, type Finding } from "@todo/core/admin"
import { ConfigProvider, Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connect } from "./host.ts"

/** Runs statements one by one on a new connection. Returns the rows of each. */
export const run = (url: Redacted.Redacted, statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.forEach(statements, (statement) => sql.unsafe<Record<string, unknown>>(statement).unprepared)
  }).pipe(Effect.provide(connect({ url, poolSize: 1, unlimited: true })))

/** Runs doctor for a server that connects with `url`, and migrates with `migrateUrl`. */
export const examineServer = (
  url: Redacted.Redacted,
  migrateUrl: Redacted.Redacted,
  environment: Readonly<Record<string, string>> = {}
) =>
  Effect.provide(
    Doctor.examine(),
    ConfigProvider.layer(
      ConfigProvider.fromEnv({
        env: {
          TODO_JWT_SECRET: "correct horse battery staple, and so on",
          TODO_JWT_ISSUER: "https://issuer.example",
          TODO_JWT_AUDIENCE: "todo",
          DATABASE_URL: Redacted.value(url),
          TODO_MIGRATE_URL: Redacted.value(migrateUrl),
          ...environment
        }
      })
    )
  )

/** Leaves out durability, because test servers run without fsync. */
export const problemsOf = (findings: ReadonlyArray<Finding>) =>
  findings.filter(({ check, status }) => status !== "passed" && check !== "durability")

export const messagesOf = (findings: ReadonlyArray<Finding>) =>
  problemsOf(findings).map(({ check, detail }) => `${check}: ${detail}`)
