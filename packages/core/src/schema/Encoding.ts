import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as MigrationsSql from "./MigrationsSql.ts"

/** The database has another encoding than UTF-8. It cannot store every text, or does not count characters correctly. */
export class EncodingUnsupported extends Schema.TaggedError<EncodingUnsupported>()("EncodingUnsupported", {
  /** PostgreSQL's name of the encoding, such as `LATIN1` or `SQL_ASCII`. */
  encoding: Schema.String
}) {
  override get message() {
    return `the database is encoded in ${this.encoding}, which cannot hold every text: use one that was created with "create database ... encoding 'UTF8' template template0"`
  }
}

/** Fails unless the database is encoded in UTF-8. */
export const checkEncoding: Effect.Effect<void, EncodingUnsupported | SqlError, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql.unsafe<MigrationsSql.Encoding>(MigrationsSql.encoding)
    const { encoding } = row as MigrationsSql.Encoding
    if (encoding !== "UTF8") return yield* new EncodingUnsupported({ encoding })
  }
)
