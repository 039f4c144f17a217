import * as Schema from "effect/Schema"

/** A database URL, or a `PG...` variable beside it, that cannot be obeyed. It names the parameter and holds no value of it. */
export class InvalidDatabaseUrl extends Schema.TaggedError<InvalidDatabaseUrl>()("InvalidDatabaseUrl", {
  /** The parameter as PostgreSQL calls it (`sslmode`), or the variable (`PGSSLMODE`); `url` for the URL as a whole. */
  parameter: Schema.String,
  /** What is wrong with it, and what to write instead. */
  why: Schema.String
}) {
  override get message() {
    return this.parameter === "url" ? this.why : `${this.parameter}: ${this.why}`
  }
}
