/**
 * The listening socket: its timeouts for slow and silent clients, its responses to input that is not HTTP, and its
 * shutdown.
 */
import { randomUUID } from "node:crypto"
import { createServer, type ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { describe, mediaType, unparsedRequests } from "../api/ProblemTypes.ts"
import * as HostHeader from "../boundary/HostHeader.ts"
import { Lifecycle } from "../boundary/Lifecycle.ts"

export interface SocketSettings {
  /** The address to listen on: `127.0.0.1` serves this machine only, `0.0.0.0` serves others too. */
  readonly host: string
  /** How long requests in flight may run after the server has stopped taking new ones. */
  readonly drainTimeout: Duration.Duration
  /** The most open connections, 10,000 by default. Further ones are closed at once. */
  readonly maxConnections?: number | undefined
}

/** The response to each error code of Node's HTTP parser. Any other code means that the input is not HTTP. */
const refusals: Record<string, (typeof unparsedRequests)[keyof typeof unparsedRequests]> = {
  HPE_HEADER_OVERFLOW: unparsedRequests.headersTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: unparsedRequests.late
}

/** Answers input that is not HTTP, or incomplete, with problem details. Node's own response has no body. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex, begun: boolean) => {
  if (!socket.writable || begun || error.code === "ECONNRESET") return socket.destroy()
  const { detail, status } = refusals[error.code ?? ""] ?? unparsedRequests.notHttp
  const body = JSON.stringify({ ...describe("malformed-request", detail), status, requestId: randomUUID() })
  return socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${mediaType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body
    ].join("\r\n")
  )
}

const noAddress = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EAI_AGAIN", "EINVAL", "ENOTFOUND"])

/** The server cannot listen on its host and port. The message names the setting and what to do. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  /** The setting of the port, among `ServerSettings`. */
  setting: Schema.Literals(["port", "metricsPort"]),
  /** The address or name to listen on. */
  host: Schema.String,
  /** The port to listen on. */
  port: Schema.Int,
  /** The error code of the system: `EADDRINUSE`, `EACCES`, `ENOTFOUND`. */
  code: Schema.String
}) {
  override get message() {
    return this.describe({ host: "host", port: "port", metricsPort: "metricsPort" })
  }

  /** The message, with the names by which the program knows its settings. */
  describe(names: Readonly<Record<"host" | "port" | "metricsPort", string>>): string {
    const { code, host, port } = this
    const name = names[this.setting]
    if (code === "EADDRINUSE") return `${name}: ${port} is taken on ${host}; stop what listens there or set another`
    if (code === "EACCES") return `${name}: this user may not listen on ${port}; set one from 1024 on`
    return noAddress.has(code)
      ? `${names.host}: ${host} is no address of this machine (${code}); set 127.0.0.1, or 0.0.0.0 to serve others`
      : `${name}: the server cannot listen on ${port} of ${host} (${code}); set another`
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error"

/** Listens on a port. Fails with `CannotListen`. Slow and silent clients are disconnected, and all clients after the drain timeout. */
export const layer = (settings: SocketSettings, port: number, setting: "port" | "metricsPort") =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { ended } = yield* Lifecycle
      const server = createServer({
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        // By default Node takes the first of repeated headers, and a proxy in front may have taken another one.
        joinDuplicateHeaders: true,
        requireHostHeader: false,
        connectionsCheckingInterval: 1_000,
        // Longer than the idle timeout of load balancers (60 s). If the server closed first, a request could be lost.
        keepAliveTimeout: 65_000,
        // `Upgrade` is ignored (RFC 9110, 7.8). Some clients send it with each request.
        shouldUpgradeCallback: () => false
      })
      server.maxConnections = settings.maxConnections ?? 10_000
      // Event streams send heartbeats, so a connection that is silent both ways belongs to a client that does not read.
      // Node closes it after one to two of these intervals.
      server.setTimeout(30_000)
      const responses = new WeakMap<Duplex, ServerResponse>()
      server.on("request", HostHeader.markMissing)
      server.on("request", ({ socket }, response) => responses.set(socket, response))
      const refuseOn = (error: NodeJS.ErrnoException, socket: Duplex) => {
        const response = responses.get(socket)
        // A response that has begun cannot be followed by an error response.
        refuse(error, socket, response !== undefined && response.headersSent && !response.writableFinished)
      }
      server.on("clientError", refuseOn)
      // Node would close the connection of a CONNECT request, and answer an unknown `Expect` without a body. RFC 9110,
      // 10.1.1 allows ignoring `Expect`.
      server.on("connect", (_, socket) => refuseOn(new Error(), socket))
      server.on("checkExpectation", (request, response) => server.emit("request", request, response))
      // Connections without a first request would delay the shutdown.
      const unused = new Set<Duplex>()
      server.on("connection", (socket) => {
        unused.add(socket)
        socket.once("close", () => unused.delete(socket))
      })
      server.on("request", ({ socket }) => unused.delete(socket))
      // Detached, because it must outlive the scope that it waits for.
      yield* Effect.forkDetach(
        Effect.andThen(
          ended,
          Effect.sync(() => {
            // A first request may be arriving on a new connection.
            setTimeout(() => unused.forEach((socket) => socket.destroy()), 100).unref()
            // Requests that are interrupted at the timeout still get their response.
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
