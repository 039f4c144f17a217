/**
 * Compares the schema with that of this release: missing and changed objects, and added objects that weaken isolation or
 * block writes.
 */
import * as Effect from "effect/Effect"
import { isSqlError } from "effect/sql/SqlError"
import { Installation } from "../../installation/Installation.ts"
import { isForbidden } from "../../database/SqlErrors.ts"
import * as Catalogue from "../../schema/Catalogue.ts"
import { failed, type Finding, passed, warning } from "./Finding.ts"

/** Compares as the owner of the tables if the role may not create temporary tables. */
export const check = Effect.fnUntraced(function* (schema: string) {
  const lacksRight = (error: unknown) => isSqlError(error) && isForbidden(error)
  const read = Catalogue.readBoth(schema)
  return yield* read.pipe(
    Effect.catchIf(lacksRight, () => Effect.provide(read, Installation.layerMigrations)),
    Effect.map(({ here, ours }) => compare(schema, here, ours)),
    Effect.catchIf(lacksRight, () =>
      Effect.succeed([
        warning(
          "schema",
          "not compared with the schema of this release, because the role may not create temporary tables",
          "set TODO_MIGRATE_URL to the owner of the tables, or grant temporary on the database to the role"
        )
      ])
    )
  )
})

const again = "create it again, as the owner of the tables"

const compare = (
  schema: string,
  here: ReadonlyArray<Catalogue.Entry>,
  ours: ReadonlyArray<Catalogue.Entry>
): ReadonlyArray<Finding> => {
  const found = new Map(here.map((entry) => [label(entry), entry]))
  const expected = new Set(ours.map(label))
  const functions = new Set(
    ours.flatMap(({ facts, kind }) => (kind === "function" ? [facts.nameWithoutParameters] : []))
  )
  const isGone = ({ table }: Catalogue.Entry) => table !== null && !found.has(`table ${table}`)
  const findings = [
    ...ours.flatMap((entry) => {
      const there = found.get(label(entry))
      if (there === undefined) return isGone(entry) ? [] : [missing(schema, entry)]
      return there.definition === entry.definition ? [] : [changed(schema, there, entry)]
    }),
    ...here.flatMap((entry) => {
      if (expected.has(label(entry))) return []
      if (entry.kind === "function") return addedFunction(schema, entry, functions)
      return expected.has(`table ${entry.table}`) ? added(schema, entry) : []
    })
  ]
  return findings.length > 0
    ? findings
    : [
        passed(
          "schema",
          `the ${ours.length} tables, columns, indexes, functions and other objects are those of this release`
        )
      ]
}

const label = ({ kind, name, table }: Catalogue.Entry): string =>
  `${kind} ${kind === "column" ? `${table}.${name}` : table === null ? name : `${name} on ${table}`}`

/** The statements of the catalogue name objects without their schema. */
const inSchema = (schema: string, statements: ReadonlyArray<string>): ReadonlyArray<string> => [
  `set search_path to "${schema}"`,
  ...statements,
  "reset search_path"
]

const missing = (schema: string, entry: Catalogue.Entry): Finding => {
  const detail = `${label(entry)} is missing`
  if (entry.kind === "table") {
    return failed(
      "schema",
      detail,
      'restore it from a backup, or create it again with the statement of "todo-admin migrate plan"'
    )
  }
  if (entry.kind === "column") {
    const add = `alter table "${schema}"."${entry.table}" add column "${entry.name}" ${entry.definition}`
    const hint =
      "restore it from a backup, or create it again; a column that is not null needs a default for existing rows"
    return failed("schema", detail, hint, inSchema(schema, [add]))
  }
  return failed("schema", detail, again, entry.statement === null ? [] : inSchema(schema, [entry.statement]))
}

/** `there` is in the database, and `ours` is the same object as this release makes it. */
const changed = (schema: string, there: Catalogue.Entry, ours: Catalogue.Entry): Finding => {
  const { facts, kind, name, table } = there
  const drop = dropOf(schema, there)
  const make = ours.statement === null ? [] : [ours.statement]
  switch (kind) {
    case "policy": {
      const detail = `${label(there)} differs from that of this release: ${there.definition}`
      const hint = "drop it and create it again, as the owner of the tables"
      return failed("row-level security", detail, hint, inSchema(schema, [drop, ...make]))
    }
    case "function":
      return failed("schema", `${label(there)} differs from that of this release`, again, inSchema(schema, make))
    case "table":
      return failed("schema", `${label(there)} is ${there.definition}`, "restore it, as a superuser", [
        ...(facts.isUnlogged ? [`alter table "${schema}"."${name}" set logged`] : []),
        ...(facts.lacksForeignKeyChecks ? [`alter table "${schema}"."${name}" enable trigger all`] : [])
      ])
    case "column": {
      const alter = `alter table "${schema}"."${table}" alter column "${name}"`
      const detail = `${label(there)} is ${there.definition}, and not ${ours.definition}`
      const hint = "change it back, as the owner of the tables; correct rows that do not fit before"
      // Both have the same kind, because they have the same label.
      const { facts: expected } = ours as Catalogue.Entry<"column">
      return failed("schema", detail, hint, inSchema(schema, columnChanges(alter, name, facts, expected)))
    }
    default: {
      const detail = `${label(there)} is ${there.definition}, and not ${ours.definition}`
      return failed("schema", detail, again, inSchema(schema, [drop, ...make]))
    }
  }
}

type ColumnFacts = Catalogue.Entry<"column">["facts"]

/** The statements that change a column back. */
const columnChanges = (alter: string, name: string, there: ColumnFacts, ours: ColumnFacts): ReadonlyArray<string> => [
  ...(there.type === ours.type ? [] : [`${alter} type ${ours.type} using "${name}"::${ours.type}`]),
  ...(there.default === ours.default
    ? []
    : [`${alter} ${ours.default === null ? "drop default" : `set default ${ours.default}`}`]),
  ...(there.isRequired === ours.isRequired ? [] : [`${alter} ${ours.isRequired ? "set" : "drop"} not null`])
]

const dropOf = (schema: string, { kind, name, table }: Catalogue.Entry): string => {
  switch (kind) {
    case "policy":
    case "trigger":
    case "rule":
      return `drop ${kind} "${name}" on "${schema}"."${table}"`
    case "index":
      return `drop index "${schema}"."${name}"`
    case "function":
      return `drop function "${schema}".${name}`
    case "table":
      return `drop table "${schema}"."${name}"`
    case "column":
    case "constraint":
      return `alter table "${schema}"."${table}" drop ${kind} "${name}"`
  }
}

/** Added objects that run with our writes or decide about them. Other tables, functions and indexes are ignored. */
const added = (schema: string, entry: Catalogue.Entry): ReadonlyArray<Finding> => {
  const { definition, facts, kind, name, table } = entry
  const statements = [dropOf(schema, entry)]
  const drop = "drop it, unless you know why it is there"
  switch (kind) {
    case "policy":
      return facts.isPermissive
        ? [failed("row-level security", `is weakened on ${table} by policy "${name}"`, "drop the policy", statements)]
        : [warning("schema", `${label(entry)} is not ours: it may hide rows and refuse writes`, drop, statements)]
    case "trigger":
      return [warning("schema", `${label(entry)} is not ours`, drop, statements)]
    case "rule":
      return [
        failed("schema", `${label(entry)} is not ours: it changes what statements do`, "drop the rule", statements)
      ]
    case "constraint":
      return [warning("schema", `${label(entry)} is not ours: it may refuse writes`, drop, statements)]
    case "index":
      return facts.isUnique
        ? [warning("schema", `${label(entry)} is not ours: it may refuse writes`, drop, statements)]
        : []
    case "column": {
      const isInTheWay = facts.isRequired && facts.default === null
      const detail = `${label(entry)} (${definition}) is not ours: ${isInTheWay ? "no row can be inserted" : "exports leave it out"}`
      const hint = "move its data to a table of your own, and drop it"
      return [failed("schema", detail, hint, statements)]
    }
    default:
      return []
  }
}

/**
 * An added function with the name of ours may be called in its place. One that runs as its owner has the owner's rights.
 */
const addedFunction = (
  schema: string,
  entry: Catalogue.Entry<"function">,
  ours: ReadonlySet<string>
): ReadonlyArray<Finding> => {
  const statements = [dropOf(schema, entry)]
  if (entry.facts.runsAsOwner) {
    const detail = `${label(entry)} is not ours and runs with the rights of its owner`
    return [
      failed(
        "schema",
        detail,
        "drop it, or move it to another schema and grant execute to the roles that need it",
        statements
      )
    ]
  }
  if (!ours.has(entry.facts.nameWithoutParameters)) return []
  // Upgrades keep functions with older parameters, because older servers may still run.
  const detail = `${label(entry)} is not part of this release and may be called instead of ours`
  return [warning("schema", detail, "drop it, unless servers of an older release still run", statements)]
}
