/**
 * Test kit for hosts: a real server on a free port with a database of its own, and tokens that it takes.
 */
export { startTestServer, TestServer } from "./testing/TestServer.ts"
export * as TestTokens from "./testing/TestTokens.ts"
