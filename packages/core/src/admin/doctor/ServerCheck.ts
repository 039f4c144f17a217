import type * as DoctorSql from "./DoctorSql.ts"
import { failed, type Finding, passed } from "./Finding.ts"

/** Whether the server is new enough, holds every text, and accepts writes. */
export const check = (server: DoctorSql.Server): ReadonlyArray<Finding> => [
  version(server),
  encoding(server),
  writes(server)
]

const version = ({ number, release }: DoctorSql.Server) =>
  number >= 150_000
    ? passed("server version", `PostgreSQL ${release}`)
    : failed("server version", `PostgreSQL ${release} is too old`, "upgrade it to PostgreSQL 15 or newer")

const encoding = ({ encoding }: DoctorSql.Server) =>
  encoding === "UTF8"
    ? passed("encoding", "UTF8")
    : failed(
        "encoding",
        `the database is encoded in ${encoding}, which cannot hold every text`,
        "move the data to a database that was created with encoding 'UTF8'"
      )

const writes = ({ isStandby, readOnly }: DoctorSql.Server) => {
  if (readOnly === "off") return passed("writes", "accepted")
  return isStandby
    ? failed("writes", "the server is a standby, in read-only mode", "let DATABASE_URL name the primary")
    : failed(
        "writes",
        "the database is in read-only mode",
        "set default_transaction_read_only to off, for the server, the database, the role or in DATABASE_URL"
      )
}
