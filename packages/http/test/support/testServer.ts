/**
 * Test kit: the real server on a free port with its own database for one test file, unique users, and real requests.
 */
import { createHmac, randomUUID } from "node:crypto"
import { Database, Services } from "@todo/core"
import { layerDatabase, TestDatabase } from "@todo/core/testing"
import { Server, TokenVerifier } from "@todo/http"
import { Duration, Effect, Layer, Logger, ManagedRuntime, Redacted, References } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { SignJWT } from "jose"
import { afterAll, beforeAll, expect } from "vitest"
import { assertPromised } from "./OpenApiAnswers.ts"

export const secret = "the-secret-of-the-test-server-0123456789"
export const previousSecret = "the-secret-before-that-one-0123456789"
export const issuer = "https://issuer.test"
export const audience = "https://todo.test"
export const bodyLimit = 256 * 1_024

/** The current time in seconds, as in tokens. */
export const now = (): number => Math.floor(Date.now() / 1_000)

/** The claims of a valid token. */
export const claims = (sub: unknown): Record<string, unknown> => ({
  sub,
  iss: issuer,
  aud: audience,
  iat: now(),
  exp: now() + 3_600
})

/** A signed token. */
export const sign = (payload: Record<string, unknown>, key = secret): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(key))

const base64url = (value: unknown): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === "string" ? value : JSON.stringify(value))).toString(
    "base64url"
  )

/** A token with arbitrary parts and a valid signature. Text and bytes are used unchanged. */
export const forge = (header: unknown, payload: unknown, key = secret, hash = "sha256"): string => {
  const signed = `${base64url(header)}.${base64url(payload)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest("base64url")}`
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests read any JSON
type Json = any

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  /** The body as JSON, or as text if it is not JSON, or `undefined` if it is empty. */
  readonly body: Json
  readonly text: string
}

export interface Sent {
  readonly headers?: Record<string, string>
  /** A body to send as `application/json`. */
  readonly json?: unknown
  /** A body to send unchanged. */
  readonly body?: BodyInit
}

const parse = (text: string): Json => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** Sends a request, and fails if the response does not fit the OpenAPI document. */
export const request = async (url: string, method: string, { body, headers, json }: Sent = {}): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(json !== undefined && { "content-type": "application/json" }), ...headers },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    // A stream is sent in chunks, and the response may arrive before its end.
    ...(body !== undefined && { body, duplex: "half" })
  })
  const text = await response.text()
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), body: parse(text), text }
  assertPromised({ ...answer, method, url })
  return answer
}

/** A user with a token. */
export interface TestUser {
  readonly id: string
  readonly token: string
  readonly send: (method: string, path: string, sent?: Sent) => Promise<Answer>
  /** Adds a todo and returns its JSON. */
  readonly add: (todo?: Record<string, unknown>) => Promise<Json>
}

/** Texts and secrets of the tests that no log line may contain, at any level. */
const confidential = /user-[\da-f]{8}-|Buy milk|the-secret-|canary|eyJ[\w-]*\./
const indiscreet: Array<string> = []
const logger = Logger.layer([
  Logger.map(Logger.formatJson, (line) => {
    if (confidential.test(line)) indiscreet.push(line)
  })
])

const layer = (services: typeof Services.layer) =>
  Server.layer({
    host: "127.0.0.1",
    port: 0,
    bodyLimit,
    requestTimeout: Duration.seconds(10),
    drainTimeout: Duration.seconds(1)
  }).pipe(
    Layer.provide(services),
    Layer.provide(
      TokenVerifier.layer({
        secrets: [Redacted.make(secret), Redacted.make(previousSecret)],
        issuer,
        audience,
        maxAge: Duration.hours(24)
      })
    ),
    Layer.provideMerge(layerDatabase),
    Layer.provide([logger, Layer.succeed(References.MinimumLogLevel, "All")])
  )

/** Starts a server for the tests of a file. Call it at the top of the file. */
export const useServer = (services = Services.layer) => {
  const runtime = ManagedRuntime.make(layer(services))
  let address = ""
  beforeAll(async () => {
    address = await runtime.runPromise(
      Effect.map(HttpServer.HttpServer, (server) => HttpServer.formatAddress(server.address))
    )
  })
  afterAll(async () => {
    await runtime.dispose()
    expect(indiscreet.splice(0)).toEqual([])
  })

  const send = (method: string, path: string, sent?: Sent) => request(address + path, method, sent)

  const user = async (id = `user-${randomUUID()}`): Promise<TestUser> => {
    const token = await sign(claims(id))
    const asUser = (method: string, path: string, sent?: Sent) =>
      send(method, path, { ...sent, headers: { authorization: `Bearer ${token}`, ...sent?.headers } })
    return {
      id,
      token,
      send: asUser,
      add: async (todo = {}) => {
        const { body, status, text } = await asUser("POST", "/v1/todos", { json: { title: "Buy milk", ...todo } })
        if (status !== 201) throw new Error(`POST /v1/todos answered ${status}: ${text}`)
        return body
      }
    }
  }

  return {
    get url() {
      return address
    },
    send,
    user,
    /** Runs a statement as the superuser, who bypasses row-level security. */
    sql: (statement: string, ...parameters: ReadonlyArray<unknown>) =>
      runtime.runPromise(
        Effect.flatMap(TestDatabase, ({ adminUrl }) =>
          Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement, [...parameters])).pipe(
            Effect.provide(Database.layer({ url: adminUrl, poolSize: 1 }))
          )
        )
      )
  }
}
