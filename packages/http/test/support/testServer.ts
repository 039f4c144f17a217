/**
 * Test kit: the real server on a free port, with a database of its own, for one test
 * file; users that no other test has, and requests as they go over the wire.
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

/** The seconds of now, as tokens count time. */
export const now = (): number => Math.floor(Date.now() / 1_000)

/** What a good token says. */
export const claims = (sub: unknown): Record<string, unknown> => ({
  sub,
  iss: issuer,
  aud: audience,
  iat: now(),
  exp: now() + 3_600
})

/** A token as an issuer makes it. */
export const sign = (payload: Record<string, unknown>, key = secret): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(key))

const base64url = (value: unknown): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === "string" ? value : JSON.stringify(value))).toString(
    "base64url"
  )

/** A token whose parts are anything at all (text and bytes are taken as they are), with a signature that fits. */
export const forge = (header: unknown, payload: unknown, key = secret, hash = "sha256"): string => {
  const signed = `${base64url(header)}.${base64url(payload)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest("base64url")}`
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
type Json = any

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  /** The JSON that came; the text where it is not JSON; `undefined` where there is none. */
  readonly body: Json
  readonly text: string
}

export interface Sent {
  readonly headers?: Record<string, string>
  /** Sent as JSON, under `application/json`. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: BodyInit
}

const parse = (text: string): Json => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** Sends, and fails where the answer is not one that the OpenAPI document promises. */
export const request = async (url: string, method: string, { body, headers, json }: Sent = {}): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(json !== undefined && { "content-type": "application/json" }), ...headers },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    // A stream is sent in chunks while the answer may come already.
    ...(body !== undefined && { body, duplex: "half" })
  })
  const text = await response.text()
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), body: parse(text), text }
  assertPromised({ ...answer, method, url })
  return answer
}

/** Somebody with a token. */
export interface TestUser {
  readonly id: string
  readonly token: string
  readonly send: (method: string, path: string, sent?: Sent) => Promise<Answer>
  /** Adds a todo and gives its JSON. */
  readonly add: (todo?: Record<string, unknown>) => Promise<Json>
}

/** What no line of the log may have, at whatever level: names, texts and secrets of the tests. */
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

/** Call it at the top of a test file: the server runs for the tests of that file. */
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
    expect(indiscreet).toEqual([])
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
    /** Runs a statement as the superuser, whom no policy holds. */
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
