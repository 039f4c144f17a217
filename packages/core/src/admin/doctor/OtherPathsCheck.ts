/**
 * Finds objects that reach our tables without a right on them: views, rules and functions that run as another role, tables
 * that inherit, and foreign tables. Objects that do not reach our tables are ignored.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { rights } from "../../schema/tables.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"
import type { ReachedRole } from "./DoctorSql.ts"
import * as OtherPathsSql from "./OtherPathsSql.ts"
import { revoke } from "./RightsCheck.ts"

const subject = "other paths"

export const check = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const relations = yield* throughRelations(schema, roles)
  const findings = [
    ...relations.findings,
    ...(yield* throughFunctions(schema, roles, relations.leading)),
    ...(yield* throughFamilies(schema)),
    ...(yield* throughForeignTables(schema, roles))
  ]
  return findings.length > 0
    ? findings
    : [passed(subject, "no view, rule, function or other table bypasses the rights on our tables")]
})

const revokeAll = (object: string, grants: ReadonlyArray<OtherPathsSql.HeldGrant>): ReadonlyArray<string> =>
  grants.flatMap((grant) => revoke({ ...grant, object, column: null }))

/** Finds views, materialized views and rules that lead to our tables. */
const throughRelations = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<OtherPathsSql.Relation>(OtherPathsSql.relations, [schema, roles.map(({ oid }) => oid)])
  const findings = new Map<string, Finding>()
  const leading = new Map(rows.map((row) => [row.name, row]))
  for (const { actor, bypasses, columnGrants, grants, isHole, isStored, kind, name, rule, tables, via } of rows) {
    if (!isHole) continue
    const what = rule === null ? `${kinds[kind] ?? "table"} ${name}` : `rule ${rule} on ${name}`
    const detail = isStored
      ? `${what} stores rows of ${tables} without row-level security`
      : `${what} leads to ${tables} as "${actor}"${via === name ? "" : ` (through ${via})`}, ${held(bypasses)}`
    const revocations = [
      ...revokeAll(name, grants),
      ...columnGrants.flatMap((grant) => revoke({ ...grant, object: name }))
    ]
    findings.set(
      `${name} ${via}`,
      rule !== null
        ? failed(subject, detail, "drop the rule, or remove our tables from it", [`drop rule "${rule}" on ${name}`])
        : revocations.length > 0
          ? failed(
              subject,
              detail,
              isStored
                ? "revoke it from the role of the server"
                : `revoke it from the role of the server; if it needs the view, let the view run as the caller: alter view ${via} set (security_invoker = true)`,
              revocations
            )
          : failed(subject, detail, "let it run as the caller", [`alter view ${via} set (security_invoker = true)`])
    )
  }
  return { findings: [...findings.values()], leading: [...leading.values()] }
})

const kinds: Readonly<Record<string, string>> = { v: "view", m: "materialized view", r: "table" }

const held = (bypasses: boolean): string =>
  bypasses ? "which bypasses row-level security" : "which has the rights of the owner of the tables"

/**
 * Finds functions that run as their owner. A body is only text: a function counts if it names our tables, or names a view
 * or a function that leads to them. A function that builds its SQL cannot be judged and is a warning.
 */
const throughFunctions = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<ReachedRole>,
  leading: ReadonlyArray<OtherPathsSql.Relation>
) {
  const sql = yield* SqlClient.SqlClient
  const functions = yield* sql.unsafe<OtherPathsSql.Function>(OtherPathsSql.functions, [
    schema,
    roles.map(({ oid }) => oid)
  ])

  const tables = Object.keys(rights)
    .filter((table) => table !== "migrations")
    .join("|")
  const qualified = new RegExp(`(^|[^\\w.])"?${schema}"?\\s*\\.\\s*"?(${tables})"?(?!\\w)`, "i")
  const bare = new RegExp(`\\b(from|join|into|update|table|only|using)\\s+"?(${tables})"?(?![\\w.])`, "i")
  const views = leading.map(mentionOf)
  const leads = new Set(
    functions.filter(
      ({ body, depends, path }) =>
        depends ||
        qualified.test(body) ||
        (sees(path, schema) && bare.test(body)) ||
        views.some((view) => view.test(body))
    )
  )
  // A function that calls one of these leads there too. Repeat until none is added.
  for (let before = -1; before < leads.size;) {
    before = leads.size
    const calls = [...leads].filter((one) => one.schema !== schema).map(callOf)
    for (const one of functions) if (calls.some((call) => call.test(one.body))) leads.add(one)
  }

  return functions.flatMap((one): ReadonlyArray<Finding> => {
    if (!one.isAbove || !(one.isCallable || one.triggers.length > 0)) return []
    const repair = [...(one.isCallable ? revokeAll(`function ${one.signature}`, one.grants) : []), ...one.triggers]
    const as = `runs as "${one.owner}", ${held(one.bypasses)}`
    const hint = one.isCallable
      ? "revoke it, and grant it to the roles that need it"
      : "drop the trigger, or let its function run as the caller (security invoker)"
    if (leads.has(one)) return [failed(subject, `function ${one.signature} ${as}, and names our tables`, hint, repair)]
    if (one.isPlpgsql && /\bexecute\s+(?!function\b|procedure\b|on\b)/i.test(one.body)) {
      const detail = `function ${one.signature} ${as}, and builds its SQL, which may lead to our tables`
      return [warning(subject, detail, `read which statements it runs; if those can reach our tables, ${hint}`, repair)]
    }
    return []
  })
})

/** Whether a function with this `search_path` finds our tables by their plain names. Without one it uses that of its caller. */
const sees = (path: string | null, schema: string): boolean =>
  path === null || path.split(",").some((name) => name.trim().replaceAll(/^"|"$/g, "") === schema)

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Matches a relation in SQL text: with its schema, or without it behind a keyword such as `from`. */
const mentionOf = ({ plainName, schema }: OtherPathsSql.Relation): RegExp => {
  const called = `"?${escaped(plainName)}"?(?![\\w.])`
  return new RegExp(
    `(^|[^\\w.])"?${escaped(schema)}"?\\s*\\.\\s*${called}|\\b(from|join|into|update)\\s+${called}`,
    "i"
  )
}

/** Matches a call of a function in SQL text, with or without its schema. */
const callOf = ({ plainName, schema }: OtherPathsSql.Function): RegExp =>
  new RegExp(`(^|[^\\w.]|(^|[^\\w.])"?${escaped(schema)}"?\\s*\\.\\s*)"?${escaped(plainName)}"?\\s*\\(`, "i")

/** Finds parents and children of our tables. A query of a parent reads its children without their rights and policies. */
const throughFamilies = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<OtherPathsSql.Inheritance>(OtherPathsSql.inheritance, [schema, Object.keys(rights)])
  return rows.map(({ child, isOurs, isPartition, parent }) =>
    failed(
      subject,
      isOurs
        ? `${child} is ${isPartition ? "a partition" : "a child"} of ${parent}: a role that may read ${parent} also reads ${child}, without its policies`
        : `${child} is ${isPartition ? "a partition" : "a child"} of ${parent}: its rows appear in ${parent} and have no policy`,
      "detach the tables from each other",
      [isPartition ? `alter table ${parent} detach partition ${child}` : `alter table ${child} no inherit ${parent}`]
    )
  )
})

/** Finds foreign tables that connect to this database again, as the role of their user mapping. */
const throughForeignTables = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<OtherPathsSql.ForeignTable>(OtherPathsSql.foreignTables, [
    schema,
    roles.map(({ oid }) => oid),
    Object.keys(rights)
  ])
  return rows.map(({ grants, name, server, table }) => {
    const detail = `foreign table ${name} leads to ${table} through server "${server}", as the role of its user mapping`
    return failed(subject, detail, "revoke it from the role of the server", revokeAll(name, grants))
  })
})
