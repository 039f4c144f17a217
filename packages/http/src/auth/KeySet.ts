import { Unavailable } from "@todo/core/domain"
import type * as Effect from "effect/Effect"

/** The algorithms of public keys, one for each type of key (RFC 7518, RFC 8037). `EdDSA` includes `Ed25519` (RFC 9864). */
export type PublicAlgorithm = "RS256" | "ES256" | "EdDSA"

/** A key that verifies signatures, for exactly one algorithm. */
export interface Key {
  readonly algorithm: "HS256" | PublicAlgorithm
  /** The `kid` of the key, if it has one. */
  readonly id: string | undefined
  readonly key: CryptoKey
}

/** The fields of a token's header that select a key. No other field does. */
export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
}

/** The keys that tokens are verified with. */
export interface KeySet {
  /** The candidate keys for a token with this header. Empty if no key fits. */
  readonly find: (header: TokenHeader) => Effect.Effect<ReadonlyArray<Key>, KeysUnavailable>
  /** Whether the key is still in the set, so that tokens signed with it stay valid. */
  readonly has: (key: Key) => boolean
}

/** No keys have been fetched yet, so no token can be verified. */
export class KeysUnavailable extends Unavailable {
  constructor() {
    super({ outcome: "not-applied" })
  }
  override get message() {
    return "The keys of the issuer of tokens cannot be fetched at the moment"
  }
}

/** The `alg` values of each algorithm. For the accepted keys `EdDSA` and `Ed25519` mean the same (RFC 9864, 2.2). */
const names: Record<Key["algorithm"], ReadonlyArray<string>> = {
  HS256: ["HS256"],
  RS256: ["RS256"],
  ES256: ["ES256"],
  EdDSA: ["EdDSA", "Ed25519"]
}

/** The `alg` values that name an algorithm in the header of a token or in a JWK. */
export const namesOf = (algorithm: Key["algorithm"]): ReadonlyArray<string> => names[algorithm]

/** Whether `alg` is the algorithm of a public key. */
export const isPublic = (alg: string): boolean => [...names.RS256, ...names.ES256, ...names.EdDSA].includes(alg)

/**
 * The one key that fits the header, or none. A key without an id (a PEM has none) fits any `kid`. A token without `kid`
 * fits if only one key has its algorithm.
 */
export const select = (keys: Iterable<Key>, { alg, kid }: TokenHeader): ReadonlyArray<Key> => {
  const fitting = [...keys].filter(({ algorithm }) => namesOf(algorithm).includes(alg))
  const named = kid === undefined ? fitting : fitting.filter(({ id }) => id === kid)
  const found = named.length > 0 ? named : fitting.filter(({ id }) => id === undefined)
  return found.length === 1 ? found : []
}
