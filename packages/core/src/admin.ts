/**
 * Operations on all users, for operators. They connect as the owner of the tables. Code that serves apps must not import
 * this.
 */
export * as Doctor from "./admin/doctor/Doctor.ts"
export type { Finding } from "./admin/doctor/Finding.ts"
export * as Export from "./admin/export/Export.ts"
export * as ForeignImport from "./admin/import/ForeignImport.ts"
export * as Import from "./admin/import/Import.ts"
export type { ImportConflict, ImportInvalid } from "./admin/import/ImportProblems.ts"
export type { ImportOptions, ImportReport, RowCounts } from "./admin/import/ImportReport.ts"
export type { ImportFailure } from "./admin/import/ImportTransaction.ts"
export * as Purge from "./admin/purge/Purge.ts"
export * as Stats from "./admin/stats/Stats.ts"
export type { NotTheOwner } from "./admin/TableOwner.ts"
export { UserNotFound } from "./admin/users/UserNotFound.ts"
export type { UserQuery, UserSort } from "./admin/users/UserQuery.ts"
export * as Users from "./admin/users/Users.ts"
export type { Erased, ListError, User, UserDetails } from "./admin/users/Users.ts"
export { LineReader } from "./formats/LineReader.ts"
export { textFile } from "./formats/TextFile.ts"
