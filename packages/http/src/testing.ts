/**
 * Test kit for programs that use the API: a real server on a free port with its own database, and tokens for it.
 */
export { startTestServer, TestServer } from "./testing/TestServer.ts"
export * as TestTokens from "./testing/TestTokens.ts"
