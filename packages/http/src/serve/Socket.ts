/**
 * The socket that requests come in by: what it does with clients that are slow, silent or
 * do not speak HTTP, and how it ends.
 */
import { randomUUID } from "node:crypto"
import { createServer, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { describe, mediaType } from "../api/Problem.ts"
import * as HostHeader from "../boundary/HostHeader.ts"
import { Lifecycle } from "./Lifecycle.ts"

export interface SocketSettings {
  /** The address of this machine that it listens on: `127.0.0.1` for itself alone, `0.0.0.0` for all. */
  readonly host: string
  /** How long requests in flight may take to end when the server is told to stop. */
  readonly drainTimeout: Duration.Duration
  /** How many connections at once, 10,000 where nothing is said; those on top are closed as they come. */
  readonly maxConnections?: number | undefined
}

/** What Node finds wrong with what came, by its code: status line and detail. Anything else is no HTTP. */
const refusals: Record<string, readonly [status: number, reason: string, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "The headers are larger than this server reads"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "The request did not come to its end in time"]
}
const notHttp = [400, "Bad Request", "This is not HTTP"] as const

/** Answers what is not HTTP at all or does not come to its end, which Node would do with an empty body. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex, begun: boolean) => {
  if (!socket.writable || begun || error.code === "ECONNRESET") return socket.destroy()
  const [status, reason, detail] = refusals[error.code ?? ""] ?? notHttp
  const body = JSON.stringify({ ...describe("malformed-request", detail), status, requestId: randomUUID() })
  return socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      `Content-Type: ${mediaType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body
    ].join("\r\n")
  )
}

const noAddress = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EAI_AGAIN", "EINVAL", "ENOTFOUND"])

/** The server cannot listen where its settings say. Its message names the setting, and what to do. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  /** Which of the two ports it is about. */
  setting: Schema.Literals(["PORT", "TODO_METRICS_PORT"]),
  /** The address or name it was to listen on. */
  host: Schema.String,
  /** The port. */
  port: Schema.Int,
  /** What the system says: `EADDRINUSE`, `EACCES`, `ENOTFOUND`. */
  code: Schema.String
}) {
  override get message() {
    const { code, host, port, setting } = this
    if (code === "EADDRINUSE") return `${setting}: ${port} is taken on ${host}; stop what listens there or set another`
    if (code === "EACCES") return `${setting}: this user may not listen on ${port}; set one from 1024 on`
    return noAddress.has(code)
      ? `HOST: ${host} is no address of this machine (${code}); set 127.0.0.1, or 0.0.0.0 to serve others`
      : `${setting}: the server cannot listen on ${port} of ${host} (${code}); set another`
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error"

/** Listens. Slow and silent clients are cut off, and when the time to drain is over, all are. */
export const layer = (settings: SocketSettings, port: number, setting: "PORT" | "TODO_METRICS_PORT") =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { ended } = yield* Lifecycle
      const server = createServer({
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        // Of a header that is there once at most, Node would take the first: what a proxy in front took is another.
        joinDuplicateHeaders: true,
        requireHostHeader: false,
        connectionsCheckingInterval: 1_000,
        // Longer than the minute after which balancers close theirs: whoever closes first never hits a request.
        keepAliveTimeout: 65_000,
        // Who asks for another protocol, as some clients do with each request, is answered in this one (RFC 9110, 7.8).
        shouldUpgradeCallback: () => false
      })
      server.maxConnections = settings.maxConnections ?? 10_000
      // Silent both ways for so long is a client that does not read, as event streams are never silent. Node
      // looks twice before it believes it.
      server.setTimeout(30_000)
      const answers = new WeakMap<Duplex, ServerResponse>()
      server.on("request", HostHeader.markMissing)
      server.on("request", ({ socket }, answer) => answers.set(socket, answer))
      const refuseOn = (error: NodeJS.ErrnoException, socket: Duplex) => {
        const answer = answers.get(socket)
        // In the middle of an answer there is no place for another.
        refuse(error, socket, answer !== undefined && answer.headersSent && !answer.writableFinished)
      }
      server.on("clientError", refuseOn)
      // Node would hang up on the one, and answer the other without a body; RFC 9110, 10.1.1 lets us pass over it.
      server.on("connect", (_, socket) => refuseOn(new Error(), socket))
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
            // A request may be on its way in one that was just opened.
            setTimeout(() => unused.forEach((socket) => socket.destroy()), 100).unref()
            // What is interrupted at the deadline still says so.
            setTimeout(() => server.closeAllConnections(), Duration.toMillis(settings.drainTimeout) + 100).unref()
          })
        )
      )
      return NodeHttpServer.layer(() => server, {
        host: settings.host,
        port,
        gracefulShutdownTimeout: settings.drainTimeout
      })
    })
  ).pipe(
    Layer.catchTag("ServeError", ({ cause }) =>
      Layer.effectContext(Effect.fail(new CannotListen({ setting, host: settings.host, port, code: codeOf(cause) })))
    )
  )
