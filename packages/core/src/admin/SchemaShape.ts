/**
 * Whether the schema is what the migrations make: nothing missing, nothing changed, and
 * nothing added that opens a door or gets in the way.
 */
import * as Effect from "effect/Effect"
import { isSqlError } from "effect/sql/SqlError"
import { Installation } from "../Installation.ts"
import { errorCode } from "../internal/SqlFailure.ts"
import * as Catalogue from "./Catalogue.ts"
import { failed, type Finding, passed, warning } from "./Finding.ts"

/** Where the role may not make temporary tables, the owner of the tables looks. */
export const check = Effect.fnUntraced(function* (schema: string) {
  const isForbidden = (error: unknown) => isSqlError(error) && errorCode(error) === "42501"
  const read = Catalogue.readBoth(schema)
  return yield* read.pipe(
    Effect.catchIf(isForbidden, () => Effect.provide(read, Installation.layerMigrations)),
    Effect.map(({ here, ours }) => compare(schema, here, ours)),
    Effect.catchIf(isForbidden, () =>
      Effect.succeed([
        warning(
          "schema",
          "not compared with what the migrations make, since the role may not make temporary tables",
          "set TODO_MIGRATE_URL to the owner of the tables, or grant temporary on the database to the role"
        )
      ])
    )
  )
})

const again = 'make it again, as "todo-admin migrate plan" shows it'

const compare = (
  schema: string,
  here: ReadonlyArray<Catalogue.Entry>,
  ours: ReadonlyArray<Catalogue.Entry>
): ReadonlyArray<Finding> => {
  const found = new Map(here.map((entry) => [label(entry), entry]))
  const expected = new Set(ours.map(label))
  const isGone = ({ table }: Catalogue.Entry) => table !== null && !found.has(`table ${table}`)
  const findings = [
    ...ours.flatMap((entry) => {
      const there = found.get(label(entry))
      if (there === undefined) return isGone(entry) ? [] : [failed("schema", `${label(entry)} is missing`, again)]
      return there.definition === entry.definition ? [] : [changed(schema, there, entry)]
    }),
    ...here.flatMap((entry) =>
      !expected.has(label(entry)) && expected.has(`table ${entry.table}`) ? added(schema, entry) : []
    )
  ]
  return findings.length > 0
    ? findings
    : [
        passed(
          "schema",
          `the ${ours.length} tables, columns, indexes, functions and so on are as the migrations make them`
        )
      ]
}

const label = ({ kind, name, table }: Catalogue.Entry): string =>
  `${kind} ${kind === "column" ? `${table}.${name}` : table === null ? name : `${name} on ${table}`}`

const changed = (schema: string, there: Catalogue.Entry, ours: Catalogue.Entry): Finding =>
  there.kind === "policy"
    ? failed(
        "row-level security",
        `${label(there)} is not ours by now: ${there.definition}`,
        `drop ${there.kind} "${there.name}" on "${schema}"."${there.table}", and ${again}`
      )
    : there.kind === "function"
      ? failed("schema", `${label(there)} is not ours by now`, again)
      : failed("schema", `${label(there)} is ${there.definition}, and not ${ours.definition}`, again)

/** Tables, columns, indexes and functions of others are their business; these run with our writes, or decide on them. */
const added = (schema: string, entry: Catalogue.Entry): ReadonlyArray<Finding> => {
  const { definition, kind, name, table } = entry
  const mend = `drop ${kind} "${name}" on "${schema}"."${table}"`
  if (kind === "policy" && definition.startsWith("permissive")) {
    return [failed("row-level security", `is opened on ${table} by policy "${name}"`, mend)]
  }
  if (kind === "policy" || kind === "trigger") {
    return [warning("schema", `${label(entry)} is not ours`, mend)]
  }
  if (kind === "constraint") {
    const drop = `alter table "${schema}"."${table}" drop constraint "${name}"`
    return [warning("schema", `${label(entry)} is not ours: it may refuse writes`, drop)]
  }
  return []
}
