/**
 * Runs effects on the database of the installation: for migrations, for operators, or on behalf of a user.
 */
import { Changes, CurrentUser, Lists, Migrations, Services, Todos, type UserId } from "@todo/core"
import { Installation, migrateMode, unknownSettings } from "@todo/core/installation"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { noticePrinter } from "../terminal/Output.ts"

/** Finds the database. Starts the embedded one if there is no other. */
const installation = Layer.unwrap(
  Effect.gen(function* () {
    const notice = yield* noticePrinter
    for (const line of yield* unknownSettings) yield* notice(line)
    return Installation.layer(notice)
  })
).pipe(Layer.provideMerge(Installation.layerSchema))

/** Runs as the owner of the tables, whatever version the schema has. */
export const runAsMigrator = Effect.provide(Installation.layerMigrations.pipe(Layer.provideMerge(installation)))

/** Runs as the owner of the tables, after the check that the schema has the version of this release. */
export const runAsOperator = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  runAsMigrator(Effect.andThen(ensureMigrated, self))

/** Runs on behalf of a user, after the check that the schema has the version of this release. */
export const runAsUser = <A, E, R>(
  id: UserId,
  use: (services: {
    readonly todos: typeof Todos.Service
    readonly lists: typeof Lists.Service
    readonly changes: typeof Changes.Service
  }) => Effect.Effect<A, E, R | CurrentUser>
) =>
  Effect.gen(function* () {
    yield* ensureMigrated
    return yield* use({ todos: yield* Todos, lists: yield* Lists, changes: yield* Changes })
  }).pipe(
    Effect.provideService(CurrentUser, { id }),
    Effect.provide(
      Services.layer.pipe(Layer.provideMerge(Installation.layerDatabase), Layer.provideMerge(installation))
    )
  )

/** Migrates or checks the schema, by the same rule as a server. */
const ensureMigrated = Effect.gen(function* () {
  const { runtimeRole } = yield* Installation
  yield* (yield* migrateMode) === "check"
    ? Migrations.check
    : Effect.catchTag(Migrations.check, "SchemaMismatch", () =>
        Effect.provide(Migrations.up({ runtimeRole }), Installation.layerMigrations)
      )
})
