/**
 * Todos as Effect services over PostgreSQL.
 */
export * as Database from "./Database.ts"
export * from "./domain.ts"
export { Lists } from "./Lists.ts"
export * as Migrations from "./Migrations.ts"
export type { MigrationFailed, SchemaMismatch } from "./Migrations.ts"
export { SchemaName, SchemaNameValue } from "./SchemaName.ts"
export * as Services from "./Services.ts"
export { type Expectation, Todos, type WriteError } from "./Todos.ts"
