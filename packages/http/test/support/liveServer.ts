/**
 * Test kit: several servers on one database with counted statements, and clients that read event streams.
 */
import { randomUUID } from "node:crypto"
import { get, type IncomingMessage } from "node:http"
import { Database, Services } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Server, TokenVerifier } from "@todo/http"
import { Duration, Effect, Layer, ManagedRuntime, Redacted, References } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { afterAll, beforeAll, expect, onTestFinished } from "vitest"
import { audience, bodyLimit, claims, issuer, request, secret, type Sent, sign } from "./testServer.ts"

/** Wraps the current client, and reports the text of each statement. */
const telling = (tell: (text: string) => void) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const unsafe = (text: string, parameters?: ReadonlyArray<unknown>) => {
        tell(text)
        return sql.unsafe(text, parameters)
      }
      return new Proxy(sql, { get: (target, key) => (key === "unsafe" ? unsafe : Reflect.get(target, key)) })
    })
  )

const serverOn = (
  { prepare, url }: typeof TestDatabase.Service,
  tell: (text: string) => void,
  drainTimeout: Duration.Duration
) =>
  Server.layer({
    host: "127.0.0.1",
    port: 0,
    bodyLimit,
    requestTimeout: Duration.seconds(10),
    drainTimeout
  }).pipe(
    Layer.provide(Services.layer),
    Layer.provide(
      TokenVerifier.layer({ secrets: [Redacted.make(secret)], issuer, audience, maxAge: Duration.hours(24) })
    ),
    Layer.provide(telling(tell)),
    Layer.provide(Database.layer({ url, prepare, poolSize: 5 })),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )

export interface LiveServer {
  readonly url: string
  /** The number of its statements that contain the text. */
  readonly count: (part: string) => number
  readonly stop: () => Promise<void>
}

/** Makes a database and servers for the tests of a file. Call it at the top of the file. */
export const useServers = () => {
  const database = ManagedRuntime.make(TestDatabase.layer)
  let urls: typeof TestDatabase.Service | undefined
  beforeAll(async () => {
    urls = await database.runPromise(TestDatabase)
  })
  afterAll(() => database.dispose())
  const where = () => {
    if (urls === undefined) throw new Error("no database yet")
    return urls
  }

  return {
    /** Starts a server. It is stopped with the test at the latest. */
    start: async (drainTimeout = Duration.seconds(10)): Promise<LiveServer> => {
      const texts: Array<string> = []
      const runtime = ManagedRuntime.make(serverOn(where(), (text) => texts.push(text), drainTimeout))
      onTestFinished(() => runtime.dispose())
      const { address } = await runtime.runPromise(HttpServer.HttpServer)
      return {
        url: HttpServer.formatAddress(address),
        count: (part) => texts.filter((text) => text.includes(part)).length,
        stop: () => runtime.dispose()
      }
    },
    /** Runs a statement as the superuser. */
    sql: (statement: string, ...parameters: ReadonlyArray<unknown>) =>
      Effect.runPromise(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement, [...parameters])).pipe(
          Effect.provide(Database.layer({ url: where().adminUrl, poolSize: 1 }))
        )
      )
  }
}

/** A user with a token, who can call any server. */
export const newUser = async (id = `user-${randomUUID()}`, expires?: number) => {
  const token = await sign({ ...claims(id), ...(expires !== undefined && { exp: expires }) })
  const authorization = `Bearer ${token}`
  return {
    id,
    token,
    authorization,
    send: (server: { readonly url: string }, method: string, path: string, sent?: Sent) =>
      request(server.url + path, method, { ...sent, headers: { authorization, ...sent?.headers } }),
    follow: (server: { readonly url: string }, options: Following = {}) => follow(server.url, authorization, options)
  }
}

interface Following {
  readonly lastEventId?: string | undefined
  readonly since?: string
  /** The query string, instead of `since`. */
  readonly search?: string
  /** Whether the client reads the stream. The default is `true`. */
  readonly reads?: boolean
}

export interface LiveEvent {
  readonly id: string
  readonly event: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read any JSON
  readonly change: any
}

const parse = (block: string): LiveEvent => {
  const fields = new Map(block.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]))
  const [id, event, data] = [fields.get("id") ?? "", fields.get("event") ?? "", fields.get("data") ?? "null"]
  return { id, event, change: JSON.parse(data) }
}

/** Opens a stream on its own connection. It is closed with the test at the latest. */
const follow = async (url: string, authorization: string, { lastEventId, reads = true, search, since }: Following) => {
  const path = `/v1/changes${search ?? (since === undefined ? "" : `?since=${encodeURIComponent(since)}`)}`
  const headers = {
    accept: "text/event-stream",
    authorization,
    ...(lastEventId !== undefined && { "last-event-id": lastEventId })
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url + path, { agent: false, headers }, resolve).on("error", reject)
  )
  onTestFinished(() => void response.destroy())
  let text = ""
  const ended = new Promise<"end" | "cut">((resolve) =>
    response.on("end", () => resolve("end")).on("error", () => resolve("cut"))
  )
  response.setEncoding("utf8")
  if (reads) response.on("data", (part: string) => (text += part))
  const blocks = () => text.split("\n\n").slice(0, -1)
  const events = () =>
    blocks()
      .filter((block) => /^id: /m.test(block))
      .map(parse)
  return {
    status: response.statusCode,
    headers: response.headers,
    /** The received text. */
    text: () => text,
    events,
    /** Waits until so many events have arrived. */
    until: async (length: number): Promise<ReadonlyArray<LiveEvent>> => {
      await expect.poll(() => events().length, { timeout: 30_000, interval: 10 }).toBeGreaterThanOrEqual(length)
      return events()
    },
    ended,
    cut: () => void response.destroy()
  }
}
