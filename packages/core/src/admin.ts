/**
 * For operators: what looks past the one user that everything else is scoped to.
 * Nothing that serves apps imports it.
 */
export * as Doctor from "./admin/Doctor.ts"
export type { Finding } from "./admin/Finding.ts"
export type { NotTheOwner } from "./admin/Owner.ts"
export { UserNotFound } from "./admin/UserNotFound.ts"
export type { UserQuery, UserSort } from "./admin/UserQuery.ts"
export * as Purge from "./admin/Purge.ts"
export * as Stats from "./admin/Stats.ts"
export * as Users from "./admin/Users.ts"
export type { Erased, ListError, User, UserDetails } from "./admin/Users.ts"
