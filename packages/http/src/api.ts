/**
 * The contract of the HTTP API: endpoints, schemas and problems, without handlers. Runs in a browser.
 */
export { Api } from "./api/Api.ts"
export { Authorization } from "./api/Authorization.ts"
export { etag } from "./api/Headers.ts"
export { MalformedRequest, Unauthorized } from "./api/Problem.ts"
export { type ProblemCode, problemTypes } from "./api/ProblemTypes.ts"
