import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Key, KeySet } from "./KeySet.ts"

const algorithm = { name: "HMAC", hash: "SHA-256" }

const fromSecret = async (secret: Redacted.Redacted): Promise<Key> => ({
  algorithm: "HS256",
  id: undefined,
  key: await crypto.subtle.importKey("raw", Buffer.from(Redacted.value(secret)), algorithm, false, ["verify"])
})

/** A key set of HS256 secrets. The key is the UTF-8 bytes of the secret. Secrets have no ids, so each one is tried. */
export const make = (secrets: ReadonlyArray<Redacted.Redacted>): Effect.Effect<KeySet> =>
  Effect.map(
    Effect.promise(() => Promise.all(secrets.map(fromSecret))),
    (keys) => ({
      find: ({ alg }) => Effect.succeed(alg === "HS256" ? keys : []),
      has: () => true
    })
  )
