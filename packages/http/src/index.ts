/**
 * The HTTP API in three forms: as a server with its own socket (`Server.layer`), as a function (`createHandler` and
 * `createNodeHandler`, or the services `WebHandler` and `NodeHandler`), and as routes of an Effect `HttpRouter`
 * (`Mount.layer`).
 */
export * from "./api.ts"
export * as Authentication from "./auth/Authentication.ts"
export {
  createHandler,
  createNodeHandler,
  type HandlerDatabase,
  type HandlerOptions,
  type Identification
} from "./embed/createHandler.ts"
export type { EmbeddedSettings, HandlerSettings } from "./embed/EmbeddedApi.ts"
export { Lifecycle } from "./boundary/Lifecycle.ts"
export * as Mount from "./embed/Mount.ts"
export { NodeHandler } from "./embed/NodeHandler.ts"
export { ErrorTracker, type Report, type ReportedError } from "./observability/ErrorReports.ts"
export * as Server from "./serve/Server.ts"
export { CannotListen } from "./serve/Socket.ts"
export { type TokenKeys, type TokenSettings, TokenVerifier } from "./auth/TokenVerifier.ts"
export * as PublicKeys from "./auth/PublicKeys.ts"
export { WebHandler } from "./embed/WebHandler.ts"
