/**
 * The HTTP API: on a socket of its own (`Server.layer`), as a function (`createHandler`, `createNodeHandler`, and as
 * services `WebHandler`, `NodeHandler`), or among the routes of an Effect `HttpRouter` (`Mount.layer`).
 */
export * from "./api.ts"
export * as Authentication from "./Authentication.ts"
export {
  createHandler,
  createNodeHandler,
  type HandlerDatabase,
  type HandlerOptions,
  type Identification
} from "./createHandler.ts"
export type { EmbeddedSettings, HandlerSettings } from "./Embedded.ts"
export { Lifecycle } from "./Lifecycle.ts"
export * as Mount from "./Mount.ts"
export { NodeHandler } from "./NodeHandler.ts"
export { ErrorTracker, type Report, type ReportedError } from "./Reports.ts"
export * as Server from "./Server.ts"
export { CannotListen } from "./Socket.ts"
export { type TokenKeys, type TokenSettings, TokenVerifier } from "./TokenVerifier.ts"
export * as PublicKeys from "./tokens/PublicKeys.ts"
export { WebHandler } from "./WebHandler.ts"
