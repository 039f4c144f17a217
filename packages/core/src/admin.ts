/**
 * For operators: what looks past the one user that everything else is scoped to.
 * Nothing that serves apps imports it.
 */
export * as Adoption from "./admin/Adoption.ts"
export * as Doctor from "./admin/Doctor.ts"
export * as Export from "./admin/Export.ts"
export type { Finding } from "./admin/Finding.ts"
export * as Import from "./admin/Import.ts"
export type { ImportConflict, ImportInvalid } from "./admin/ImportProblems.ts"
export type { Failure as ImportFailure } from "./admin/ImportTransaction.ts"
export type { ImportOptions, ImportReport, Outcome } from "./admin/ImportReport.ts"
export type { NotTheOwner } from "./admin/Owner.ts"
export { UserNotFound } from "./admin/UserNotFound.ts"
export type { UserQuery, UserSort } from "./admin/UserQuery.ts"
export { textFile } from "./admin/TextFile.ts"
export * as Purge from "./admin/Purge.ts"
export * as Stats from "./admin/Stats.ts"
export * as Users from "./admin/Users.ts"
export type { Erased, ListError, User, UserDetails } from "./admin/Users.ts"
export { LineReader } from "./internal/LineReader.ts"
