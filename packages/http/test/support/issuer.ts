/**
 * Test kit: an issuer of tokens with its own keys and a JWKS endpoint that the test controls, and a verifier without server
 * and database.
 */
import { constants, generateKeyPairSync, type JsonWebKey, type KeyObject, sign as signWith } from "node:crypto"
import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import { type TokenKeys, type TokenSettings, TokenVerifier } from "@todo/http"
import { Context, Duration, Effect, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { portOf } from "./program.ts"
import { audience, claims, issuer } from "./testServer.ts"

export type Alg = "RS256" | "ES256" | "EdDSA"
export const algs: ReadonlyArray<Alg> = ["RS256", "ES256", "EdDSA"]

const generate: Record<Alg, () => { publicKey: KeyObject; privateKey: KeyObject }> = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2_048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519")
}

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

/** A JWS signature by any type of key; RSA uses PKCS #1 v1.5. */
export const signature = (alg: string, key: KeyObject, text: string): Buffer =>
  signWith(alg === "EdDSA" ? null : "sha256", Buffer.from(text), {
    key,
    dsaEncoding: "ieee-p1363",
    ...(key.asymmetricKeyType === "rsa" && { padding: constants.RSA_PKCS1_PADDING })
  })

/** A token signed by a key. Its header may name another. */
export const signed = (header: { readonly alg: string }, payload: unknown, key: KeyObject, as = header.alg): string => {
  const text = `${base64url(header)}.${base64url(payload)}`
  return `${text}.${signature(as, key, text).toString("base64url")}`
}

export interface IssuerKey {
  readonly alg: Alg
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** The public JWK. */
  readonly jwk: JsonWebKey & { readonly kid?: string }
  readonly pem: string
  /** A valid token, with changes. */
  readonly token: (changed?: { readonly header?: object; readonly claims?: object }) => string
}

export const makeKey = (alg: Alg, kid?: string, { privateKey, publicKey } = generate[alg]()): IssuerKey => ({
  alg,
  publicKey,
  privateKey,
  jwk: { ...publicKey.export({ format: "jwk" }), ...(kid !== undefined && { kid }) },
  pem: String(publicKey.export({ format: "pem", type: "spki" })),
  token: ({ claims: changed, header } = {}) =>
    signed(
      { alg, ...(kid !== undefined && { kid }), ...header },
      { ...claims("somebody"), ...changed },
      privateKey,
      alg
    )
})

/** Serves the current `answer`, and counts requests. */
export const makeEndpoint = Effect.acquireRelease(
  Effect.promise(async () => {
    const state = {
      url: new URL("http://127.0.0.1"),
      requests: 0,
      answer: ((_, response) => response.end()) as RequestListener,
      publish: (keys: ReadonlyArray<object>) => {
        state.answer = (_, response) => response.end(JSON.stringify({ keys }))
      },
      /** Closes every connection, as if nothing listened. */
      stop: () => {
        state.answer = (request) => request.socket.destroy()
      }
    }
    const server = createServer((request, response) => {
      state.requests++
      state.answer(request, response)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    state.url = new URL(`http://127.0.0.1:${portOf(server)}/jwks`)
    return { state, server }
  }),
  ({ server }) =>
    Effect.promise(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    })
).pipe(Effect.map(({ state }) => state))

/** Makes a verifier on the test clock, which starts now. It returns the user of a token, or the tag of the error. */
export const makeVerifier = Effect.fnUntraced(function* (keys: TokenKeys, changed: Partial<TokenSettings> = {}) {
  yield* TestClock.setTime(Date.now())
  const layer = TokenVerifier.layer({ issuer, audience, maxAge: Duration.hours(24), ...changed, ...keys })
  const context = yield* Layer.build(layer).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  const verifier = Context.get(context, TokenVerifier)
  return (token: string) =>
    verifier.verify(token).pipe(
      Effect.map(({ user }): string => user.id),
      Effect.catch(({ _tag }) => Effect.succeed(_tag as string)),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
})

/** Makes an endpoint that publishes the keys, and a verifier that has fetched them. */
export const setUpEndpoint = Effect.fnUntraced(function* (...keys: ReadonlyArray<object>) {
  const endpoint = yield* makeEndpoint
  endpoint.publish(keys)
  const verify = yield* makeVerifier({ jwksUrl: endpoint.url })
  yield* verify(makeKey("EdDSA").token())
  return { endpoint, verify }
})

/** Waits in real time for the network. */
export const until = (condition: () => Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.suspend(condition).pipe(
    Effect.flatMap((isTrue) => (isTrue ? Effect.void : Effect.andThen(realTime("5 millis"), until(condition))))
  )

/** Advances the test clock by seconds, and waits for the network in between. */
export const elapse = Effect.fnUntraced(function* (endpoint: { readonly requests: number }, seconds: number) {
  for (let second = 0; second < seconds; second++) {
    const before = endpoint.requests
    yield* TestClock.adjust("1 second")
    yield* realTime("2 millis")
    if (endpoint.requests > before) yield* realTime("100 millis")
  }
})

const realTime = (duration: Duration.Input) => TestClock.withLive(Effect.sleep(duration))
