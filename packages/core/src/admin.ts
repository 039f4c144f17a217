/**
 * For operators: what looks past the one user that everything else is scoped to.
 * Nothing that serves apps imports it.
 */
export * as ForeignImport from "./admin/import/ForeignImport.ts"
export * as Doctor from "./admin/doctor/Doctor.ts"
export * as Export from "./admin/export/Export.ts"
export type { Finding } from "./admin/doctor/Finding.ts"
export * as Import from "./admin/import/Import.ts"
export type { ImportConflict, ImportInvalid } from "./admin/import/ImportProblems.ts"
export type { ImportFailure } from "./admin/import/ImportTransaction.ts"
export type { ImportOptions, ImportReport, RowCounts } from "./admin/import/ImportReport.ts"
export type { NotTheOwner } from "./admin/TableOwner.ts"
export { UserNotFound } from "./admin/users/UserNotFound.ts"
export type { UserQuery, UserSort } from "./admin/users/UserQuery.ts"
export { textFile } from "./formats/TextFile.ts"
export * as Purge from "./admin/purge/Purge.ts"
export * as Stats from "./admin/stats/Stats.ts"
export * as Users from "./admin/users/Users.ts"
export type { Erased, ListError, User, UserDetails } from "./admin/users/Users.ts"
export { LineReader } from "./formats/LineReader.ts"
