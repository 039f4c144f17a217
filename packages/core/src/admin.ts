/**
 * For operators: what looks past the one user that everything else is scoped to.
 * Nothing that serves apps imports it.
 */
export * as Doctor from "./admin/Doctor.ts"
export type { Finding } from "./admin/Finding.ts"
