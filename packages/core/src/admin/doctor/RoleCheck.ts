/**
 * Whether row-level security applies to the role of this connection, and whether the role could switch it off: through
 * its attributes, through roles that it can act as, or through objects that those own.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { grants } from "../../schema/Migrations.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"

const subject = "runtime role"

const another = 'give DATABASE_URL a role of its own and run "todo-admin migrate up --runtime-role ROLE" as the owner'

/** Predefined roles that bypass the grants on our tables. `pg_monitor` and similar roles do not. */
const predefined: Readonly<Record<string, string>> = {
  pg_read_all_data: "may read every table",
  pg_write_all_data: "may write every table",
  pg_maintain: "may lock every table and rebuild it",
  pg_read_server_files: "may read the files of the database",
  pg_write_server_files: "may write the files of the database",
  pg_execute_server_program: "may run programs as the database server"
}

/**
 * Checks the attributes, memberships and ownership of the roles.
 *
 * @param options `alsoMigrates`: the operator lets migrations run as the same role. It then owns the tables, so that
 *   only FORCE ROW LEVEL SECURITY applies the policies to it, and ownership is a warning.
 */
export const check = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<DoctorSql.ReachedRole>,
  options: { readonly alsoMigrates: boolean }
) {
  const [own, ...others] = roles
  if (own === undefined) return []
  const attributes = [...ofOwn(own), ...others.flatMap((other) => ofOther(other, own))]
  if (own.isSuperuser) return attributes
  const findings = [...attributes, ...(yield* ownership(schema, roles, own, options))]
  return findings.length > 0
    ? findings
    : [passed(subject, `"${own.name}" owns nothing, and row-level security applies to it`)]
})

const ofOwn = ({ bypasses, identifier, isSuperuser, name, ...own }: DoctorSql.ReachedRole): ReadonlyArray<Finding> => {
  if (isSuperuser) {
    return [failed(subject, `"${name}" is a superuser and bypasses row-level security`, another)]
  }
  const found = (isTrue: boolean, detail: string, option: string) =>
    isTrue
      ? [failed(subject, `"${name}" ${detail}`, "remove this attribute", [`alter role ${identifier} ${option}`])]
      : []
  return [
    ...found(bypasses, "has BYPASSRLS: it bypasses row-level security", "nobypassrls"),
    ...found(own.replicates, "has REPLICATION: it can copy the whole database", "noreplication"),
    ...found(own.grantsItself, `has CREATEROLE: ${joinsAny}`, "nocreaterole")
  ]
}

const joinsAny = "before PostgreSQL 16 it can join every role that is not a superuser"

const ofOther = (other: DoctorSql.ReachedRole, own: DoctorSql.ReachedRole): ReadonlyArray<Finding> => {
  const able =
    other.isSuperuser || other.bypasses
      ? "bypasses row-level security"
      : other.replicates
        ? "has REPLICATION and can copy the whole database"
        : other.grantsItself
          ? `has CREATEROLE: ${joinsAny}`
          : predefined[other.name]
  if (able === undefined) return []
  return other.isOwn
    ? [
        failed(
          subject,
          `"${other.name}" logs in and becomes "${own.name}", and it ${able}; "reset role" leads back to it`,
          "let DATABASE_URL log in as the role itself"
        )
      ]
    : [
        failed(
          subject,
          `"${own.name}" is a member of "${other.name}", which ${able}`,
          "end the membership that leads there",
          other.revocations
        )
      ]
}

/** Finds objects that the roles own, and objects whose owner differs from that of the other tables. */
const ownership = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<DoctorSql.ReachedRole>,
  { name }: DoctorSql.ReachedRole,
  options: { readonly alsoMigrates: boolean }
) {
  const sql = yield* SqlClient.SqlClient
  const objects = yield* sql.unsafe<DoctorSql.OwnedObject>(DoctorSql.ownedObjects, [
    schema,
    roles.map(({ oid }) => oid)
  ])
  const owned = objects.filter(({ isReached }) => isReached)
  if (owned.length > 0 && options.alsoMigrates) {
    const detail = `"${name}" owns the tables, because it also migrates: only FORCE applies row-level security to it`
    const hint = "let DATABASE_URL name another role than TODO_MIGRATE_URL"
    return [warning(subject, detail, `${hint}, and run "todo-admin migrate up"`)]
  }

  // The owner of most tables.
  const owners = objects.flatMap(({ isReached, kind, owner }) => (kind === "table" && !isReached ? [owner] : []))
  const main = [...Map.groupBy(owners, (owner) => owner)].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0]
  const findings: Array<Finding> = []
  const ours = owned.filter(({ kind }) => kind !== "database")
  if (main === undefined) {
    if (ours.length === 0) return findings
    const detail = `"${name}" owns ${labels(ours)} and can switch row-level security off`
    return [failed(subject, detail, another)]
  }
  const handOver = ({ identifier, kind }: DoctorSql.OwnedObject) => `alter ${kind} ${identifier} owner to ${main}`
  if (ours.length > 0) {
    const detail = `"${name}" owns ${labels(ours)} and can switch row-level security off`
    const hint = `give it to ${main}, as the other tables are, and the role its rights`
    findings.push(failed(subject, detail, hint, [...ours.map(handOver), ...grants(schema, name)]))
  }
  const database = owned.find(({ kind }) => kind === "database")
  if (database !== undefined) {
    const detail = `"${name}" owns ${database.label} and can drop it`
    findings.push(warning(subject, detail, "give it to the owner of the tables", [handOver(database)]))
  }
  for (const object of objects) {
    if (object.isReached || object.owner === main || !["table", "function"].includes(object.kind)) continue
    const detail = `${object.label} belongs to ${object.owner}, and not to ${main} as the other tables do`
    findings.push(failed(subject, detail, "give it to the same owner", [handOver(object)]))
  }
  return findings
})

const labels = (objects: ReadonlyArray<{ readonly label: string }>): string =>
  objects.map(({ label }) => label).join(", ")
