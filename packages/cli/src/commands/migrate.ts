import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { print, remark } from "../Output.ts"
import { table } from "../Table.ts"

const core = Effect.promise(() => import("@todo/core"))
const installation = Effect.promise(() => import("@todo/core/installation"))
const session = Effect.promise(() => import("../Session.ts"))

const plan = Command.make(
  "plan",
  {
    from: Flag.Int("from").pipe(
      Flag.withMetavar("VERSION"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
      Flag.withDescription("The version that the schema is at; 0, nothing at all, where it is not given"),
      Flag.withDefault(0)
    )
  },
  Effect.fnUntraced(function* ({ from }) {
    const { Migrations } = yield* core
    const { Installation } = yield* installation
    const steps = yield* Effect.provide(Migrations.plan(from), Installation.layerSchema)
    yield* print(steps, (steps) =>
      steps.length === 0
        ? ""
        : [
            "begin;",
            ...steps.flatMap(({ name, statements }) => [`-- ${name}`, ...statements.map((text) => `${text};`)]),
            "commit;"
          ].join("\n\n")
    )
    if (steps.length === 0) yield* remark(`Nothing to do from version ${from} on`)
  })
).pipe(
  Command.withDescription("Print the SQL of the migrations, without a database"),
  Command.withExamples([
    { command: "todo-admin migrate plan", description: "All of it" },
    { command: "todo-admin migrate plan --from 1 > next.sql", description: "What is new since version 1" }
  ])
)

const status = Command.make(
  "status",
  {},
  Effect.fnUntraced(function* () {
    const { Migrations } = yield* core
    const { asOwner } = yield* session
    const steps = yield* asOwner(Migrations.status)
    yield* print(steps, (steps, screen) =>
      table(
        [
          { name: "VERSION", cell: ({ id }) => String(id) },
          { name: "NAME", cell: ({ name }) => name, least: 8 },
          { name: "APPLIED", cell: ({ appliedAt }) => appliedAt ?? "not yet" }
        ],
        steps,
        screen
      )
    )
  })
).pipe(
  Command.withDescription("List the migrations and when each was applied"),
  Command.withExamples([{ command: "todo-admin migrate status --json", description: "For a script" }])
)

const up = Command.make(
  "up",
  {
    runtimeRole: Flag.String("runtime-role").pipe(
      Flag.withMetavar("ROLE"),
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription(
        "The role that servers run as: made where it is missing, and granted what it needs. The role in DATABASE_URL, where TODO_MIGRATE_URL is another"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ runtimeRole }) {
    const { Migrations } = yield* core
    const { Installation } = yield* installation
    const { asOwner } = yield* session
    const applied = yield* asOwner(
      Effect.flatMap(Installation, (installation) =>
        Migrations.up({ runtimeRole: Option.getOrElse(runtimeRole, () => installation.runtimeRole) })
      )
    )
    yield* print(applied, (applied) => applied.map(({ id, name }) => `${id} ${name}`).join("\n"))
    yield* remark(
      applied.length === 0
        ? `Nothing to do: version ${Migrations.version}`
        : `Migrated to version ${Migrations.version}`
    )
  })
).pipe(
  Command.withDescription("Bring the schema up to this release: all of it, or nothing where a step fails"),
  Command.withExamples([
    { command: "todo-admin migrate up", description: "As the role in TODO_MIGRATE_URL, or else in DATABASE_URL" },
    { command: "todo-admin migrate up --runtime-role todo_server", description: "And let todo_server serve requests" }
  ])
)

export const migrate = Command.make("migrate").pipe(
  Command.withDescription("Create and upgrade the database schema"),
  Command.withSubcommands([plan, status, up])
)
