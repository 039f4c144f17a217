/**
 * The HTTP API as layers: serve it alone (`Server.layer`) or among your own routes (`HttpApp.layer`).
 */
export * from "./api.ts"
export * as HttpApp from "./HttpApp.ts"
export { Lifecycle } from "./Lifecycle.ts"
export { ErrorTracker, type Report } from "./Reports.ts"
export * as Server from "./Server.ts"
export { type TokenKeys, type TokenSettings, TokenVerifier } from "./TokenVerifier.ts"
export * as PublicKeys from "./tokens/PublicKeys.ts"
