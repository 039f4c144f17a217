/** Renders the plan and the state of the migrations. */
import type { Migrations } from "@todo/core"
import type { Screen } from "../terminal/Screen.ts"
import { table } from "./Table.ts"

interface Step {
  readonly name: string
  readonly statements: ReadonlyArray<string>
}

/** SQL for psql, in one transaction. */
export const renderPlan = (steps: ReadonlyArray<Step>): string =>
  steps.length === 0
    ? ""
    : [
        "begin;",
        ...steps.flatMap(({ name, statements }) => [`-- ${name}`, ...statements.map((text) => `${text};`)]),
        "commit;"
      ].join("\n\n")

export const renderStatus = (migrations: ReadonlyArray<Migrations.MigrationStatus>, screen: Screen): string =>
  table(
    [
      { name: "VERSION", cell: ({ id }) => String(id) },
      { name: "NAME", cell: ({ name }) => name, minWidth: 8 },
      { name: "APPLIED", cell: ({ appliedAt }) => appliedAt ?? "not yet" }
    ],
    migrations,
    screen
  )
