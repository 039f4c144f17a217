/**
 * A todo backend as Effect services over PostgreSQL: `Todos`, `Lists`, `Changes` and `Accounts` for a user,
 * `Services.layer` with all of them, `Database` for a connection pool, and `Migrations` for the schema.
 */
export { Accounts } from "./accounts/Accounts.ts"
export { Changes, type ChangesError, type LiveChange } from "./changes/Changes.ts"
export type { InvalidDatabaseUrl } from "./connection/InvalidDatabaseUrl.ts"
export * as Database from "./database/Database.ts"
export * from "./domain.ts"
export { type HookError, Hooks, type WriteHooks } from "./writes/Hooks.ts"
export { Lists } from "./lists/Lists.ts"
export type { EncodingUnsupported } from "./schema/Encoding.ts"
export * as Migrations from "./schema/Migrations.ts"
export type { MigrationFailed, SchemaForbidden, SchemaMismatch } from "./schema/Migrations.ts"
export { SchemaName, SchemaNameValue } from "./schema/SchemaName.ts"
export * as Services from "./Services.ts"
export { Todos } from "./todos/Todos.ts"
export type { ListRequest, TodoRequest, WriteDone, WriteRequest } from "./writes/WriteRequest.ts"
export type { KeyError, WriteError } from "./writes/Writer.ts"
export type { Expectation, Once } from "./writes/WriteOptions.ts"
