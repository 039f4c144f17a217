/**
 * Settings of PostgreSQL, for the server, the database or the role, that break durability or row-level security. Each
 * finding names the place where the setting is made.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as ServerRequirements from "../../installation/ServerRequirements.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { blocking, type CheckFinding, failed, passed, warning } from "./Finding.ts"

const off = /^(off|false|no|0)$/i
const on = /^(on|true|yes|1)$/i

interface Danger {
  readonly check: "durability" | "role settings"
  readonly value: RegExp
  /** The value to restore. Absent for settings that a server does not have by itself. */
  readonly good?: string
  readonly why: string
  readonly isBlocking?: true
}

const dangers: Readonly<Record<string, Danger>> = {
  fsync: { check: "durability", value: off, good: "on", why: "a crash of the machine can destroy the database" },
  full_page_writes: { check: "durability", value: off, good: "on", why: "a crash of the machine can destroy pages" },
  synchronous_commit: {
    check: "durability",
    value: off,
    good: "on",
    why: "a crash loses writes that were acknowledged"
  },
  zero_damaged_pages: {
    check: "durability",
    value: on,
    good: "off",
    why: "damaged pages lose their rows without an error"
  },
  row_security: {
    check: "role settings",
    value: off,
    good: "on",
    why: "every statement of a server fails",
    isBlocking: true
  },
  session_replication_role: {
    check: "role settings",
    value: /^(replica|local)$/i,
    good: "origin",
    why: "foreign keys and triggers may be left out"
  },
  "todo.user_id": { check: "role settings", value: /./, why: "statements without a user see the rows of this user" },
  "todo.operator": { check: "role settings", value: on, why: "the owner of the tables sees every user at all times" }
}

/** Unsafe durability is a warning in development and a failure in production. */
export const check = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const isProduction = yield* Effect.orElseSucceed(ServerRequirements.isProduction, () => false)
  const rows = yield* sql.unsafe<DoctorSql.Setting>(DoctorSql.settings, [Object.keys(dangers)])
  const findings = rows.flatMap(({ name, source, stored, value }): ReadonlyArray<CheckFinding> => {
    const danger = dangers[name]
    if (danger === undefined || !danger.value.test(value)) return []
    const subject = name.startsWith("todo.") ? `${name} is set` : `${name} is ${value}`
    const resets = stored.flatMap((setting) => (danger.value.test(setting.value) ? [setting.place] : []))
    const [hint, statements] = repair(name, danger.good, source, resets)
    const found = danger.check === "durability" && !isProduction ? warning : failed
    const finding = found(danger.check, `${subject}: ${danger.why}`, hint, statements)
    return [danger.isBlocking === true ? blocking(finding) : finding]
  })
  const fine = (check: Danger["check"], detail: string) =>
    findings.some((finding) => finding.check === check) ? [] : [passed(check, detail)]
  return [
    ...findings,
    ...fine("durability", "a commit is acknowledged after it is on the disk"),
    ...fine("role settings", "no setting of the role or the database weakens row-level security")
  ]
})

/** The repair depends on where the setting is made. */
const repair = (
  name: string,
  good: string | undefined,
  source: string | null,
  places: ReadonlyArray<string>
): readonly [hint: string, statements?: ReadonlyArray<string>] => {
  if (places.length > 0) return ["reset it where it is set", places.map((place) => `${place} reset ${name}`)]
  if (source === "command line") return [`start the server without ${name} among its options`]
  if (source === "environment variable") return [`start the server without ${name} in its environment`]
  if (source === "client") return [`remove ${name} from the options in DATABASE_URL or PGOPTIONS`]
  return good === undefined
    ? [`remove ${name} from the configuration of the server`]
    : ["set it for the whole server", [`alter system set ${name} to ${good}`, DoctorSql.reloadSettings]]
}
