import { Migrations, SchemaName } from "@todo/core"
import { Installation } from "@todo/core/installation"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsMigrator } from "../database/RunAs.ts"
import * as Flags from "../flags/Flags.ts"
import { printResult, printInfo, infoPrinter } from "../terminal/Output.ts"
import { renderPlan, renderStatus } from "../views/MigrationView.ts"

const runtimeRole = Flag.String("runtime-role").pipe(
  Flag.withMetavar("ROLE"),
  Flags.withSchema(
    Schema.String.check(
      Schema.isPattern(/^[^\p{Cc}$]{1,63}$/u, {
        expected: "the name of a role, at most 63 characters without control characters or $"
      })
    )
  )
)

/** 0 is an empty database. */
const SchemaVersion = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number from 0" }))

const plan = Command.make(
  "plan",
  {
    from: Flags.wholeNumber("from", SchemaVersion).pipe(
      Flag.withMetavar("VERSION"),
      Flag.withDescription("The present version of the schema (default: 0, an empty database)"),
      Flag.withDefault(0)
    ),
    runtimeRole: runtimeRole.pipe(
      Flag.withDescription("Also print the grants for this role, which servers connect as"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ from, runtimeRole }) {
    const plan = Migrations.plan(from, { runtimeRole: Option.getOrUndefined(runtimeRole) })
    const steps = yield* Effect.provide(plan, Installation.layerSchema)
    yield* printResult(steps, renderPlan)
    if (steps.length === 0) yield* printInfo(`Nothing to do: version ${from} is the latest`)
  })
).pipe(
  Command.withDescription(
    "Print the SQL that `up` would run, including the record of applied migrations. Needs no database.\n" +
      "  To migrate by hand, run the SQL as the role that will own the tables. The result is the same"
  ),
  Command.withShortDescription("Print the SQL of the migrations. Needs no database"),
  Command.withExamples([
    { command: "todo-admin migrate plan", description: "The SQL for an empty database" },
    { command: "todo-admin migrate plan --from 1 > next.sql", description: "Only the migrations after version 1" },
    {
      command: 'todo-admin migrate plan --runtime-role todo_server | psql -v ON_ERROR_STOP=1 "$OWNER_URL"',
      description: "Run the SQL by hand, with the grants for servers"
    }
  ])
)

const grants = Command.make(
  "grants",
  { runtimeRole: runtimeRole.pipe(Flag.withDescription("The role that servers connect as")) },
  Effect.fnUntraced(function* ({ runtimeRole }) {
    const plan = Migrations.plan(Migrations.version, { runtimeRole })
    yield* printResult(yield* Effect.provide(plan, Installation.layerSchema), renderPlan)
  })
).pipe(
  Command.withDescription("Print the SQL that grants the servers' role the rights it needs. Needs no database"),
  Command.withExamples([
    { command: "todo-admin migrate grants --runtime-role todo_server", description: "To review, or to run by hand" }
  ])
)

const status = Command.make(
  "status",
  {},
  Effect.fnUntraced(function* () {
    yield* printResult(yield* runAsMigrator(Migrations.status), renderStatus)
  })
).pipe(
  Command.withDescription("List the migrations and when each was applied"),
  Command.withExamples([
    { command: "todo-admin migrate status", description: "Connects with TODO_MIGRATE_URL, or else DATABASE_URL" },
    { command: "todo-admin migrate status --json", description: "For a script" }
  ])
)

const up = Command.make(
  "up",
  {
    runtimeRole: runtimeRole.pipe(
      Flag.withDescription(
        "The role that servers connect as. It is created if it is missing, and gets the rights it needs (default: the role in DATABASE_URL, if TODO_MIGRATE_URL has another role)"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (flags) {
    const onStep = yield* infoPrinter
    const done = yield* runAsMigrator(
      Effect.gen(function* () {
        const installed = yield* Installation
        const runtimeRole = Option.getOrElse(flags.runtimeRole, () => installed.runtimeRole)
        const { functions, migrations } = yield* Migrations.up({ runtimeRole, onStep })
        return {
          version: Migrations.version,
          applied: migrations,
          functions,
          grants: runtimeRole === undefined ? [] : Migrations.grants(yield* SchemaName, runtimeRole)
        }
      })
    )
    const changed = done.applied.length + done.functions.length > 0
    yield* printResult(done, ({ applied, functions, grants }) => {
      const replaced = applied.length > 0 ? [] : functions.map((name) => `function ${name}`)
      return (changed ? [...applied.map(({ id, name }) => `${id} ${name}`), ...replaced] : grants).join("\n")
    })
    yield* printInfo(
      changed
        ? `Migrated to version ${done.version}`
        : done.grants.length > 0
          ? `Nothing to migrate: version ${done.version}. The grants above were repeated`
          : `Nothing to do: version ${done.version}`
    )
  })
).pipe(
  Command.withDescription(
    "Migrate the schema to the version of this release, in one transaction.\n" +
      "  Several runs at the same time are safe. If the schema is current, the grants are repeated and printed"
  ),
  Command.withShortDescription("Migrate the schema to the version of this release, in one transaction"),
  Command.withExamples([
    { command: "todo-admin migrate up", description: "Connects with TODO_MIGRATE_URL, or else DATABASE_URL" },
    {
      command: "todo-admin migrate up --runtime-role todo_server",
      description: "Also grant todo_server the rights of a server"
    }
  ])
)

export const migrate = Command.make("migrate").pipe(
  Command.withDescription("Create and upgrade the database schema"),
  Command.withExamples([
    { command: "todo-admin migrate status", description: "List the migrations" },
    { command: "todo-admin migrate up", description: "Apply the missing migrations" }
  ]),
  Command.withSubcommands([plan, grants, status, up])
)
