/**
 * The socket that requests come in by: what it does with clients that are slow, silent or
 * do not speak HTTP, and how it ends.
 */
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, mediaType } from "./api/Problem.ts"
import { Lifecycle } from "./Lifecycle.ts"

export interface SocketSettings {
  readonly host: string
  /** How long requests in flight may take to end when the server is told to stop. */
  readonly drainTimeout: Duration.Duration
}

/** Answers what is not HTTP at all, which Node would do with an empty body. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex) => {
  if (!socket.writable || error.code === "ECONNRESET") return socket.destroy()
  const tooLong = error.code === "HPE_HEADER_OVERFLOW"
  const problem = {
    ...describe("malformed-request", tooLong ? "The headers are larger than this server reads" : "This is not HTTP"),
    ...(tooLong && { status: 431 }),
    requestId: randomUUID()
  }
  const body = JSON.stringify(problem)
  return socket.end(
    [
      `HTTP/1.1 ${tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request"}`,
      `Content-Type: ${mediaType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body
    ].join("\r\n")
  )
}

/** Listens. Slow and silent clients are cut off, and when the time to drain is over, all are. */
export const layer = (settings: SocketSettings, port: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { ended } = yield* Lifecycle
      const server = createServer({
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        // Of a header that is there once at most, Node would take the first: what a proxy in front took is another.
        joinDuplicateHeaders: true,
        connectionsCheckingInterval: 1_000
      })
      // Silent both ways for so long is a client that does not read, as event streams are never silent. Node
      // looks twice before it believes it.
      server.setTimeout(30_000)
      server.on("clientError", refuse)
      // Node would hang up on the one, and answer the other without a body; RFC 9110, 10.1.1 lets us pass over it.
      server.on("connect", (_, socket) => refuse(new Error(), socket))
      server.on("checkExpectation", (request, response) => server.emit("request", request, response))
      // Connections that were opened ahead and have not asked for anything would hold up the end.
      const unused = new Set<Duplex>()
      server.on("connection", (socket) => {
        unused.add(socket)
        socket.once("close", () => unused.delete(socket))
      })
      server.on("request", ({ socket }) => unused.delete(socket))
      // Detached, for it has to outlive what it waits for.
      yield* Effect.forkDetach(
        Effect.andThen(
          ended,
          Effect.sync(() => {
            for (const socket of unused) socket.destroy()
            setTimeout(() => server.closeAllConnections(), Duration.toMillis(settings.drainTimeout)).unref()
          })
        )
      )
      return NodeHttpServer.layer(() => server, {
        host: settings.host,
        port,
        gracefulShutdownTimeout: settings.drainTimeout
      })
    })
  )
