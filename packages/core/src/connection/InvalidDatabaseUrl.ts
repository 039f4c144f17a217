import * as Schema from "effect/Schema"

/** A database URL or a `PG...` variable is invalid or not supported. The error names the parameter and never its value. */
export class InvalidDatabaseUrl extends Schema.TaggedError<InvalidDatabaseUrl>()("InvalidDatabaseUrl", {
  /** The parameter (`sslmode`) or the variable (`PGSSLMODE`); `url` for the whole URL. */
  parameter: Schema.String,
  /** The problem, and what to write instead. */
  why: Schema.String
}) {
  override get message() {
    return this.parameter === "url" ? `The database URL ${this.why}` : `${this.parameter}: ${this.why}`
  }
}
