import { Unavailable } from "@todo/core/domain"
import type * as Effect from "effect/Effect"

/** The algorithms of public keys, one for each kind of key (RFC 7518, RFC 8037). `EdDSA` stands for `Ed25519` (RFC 9864) too. */
export type PublicAlgorithm = "RS256" | "ES256" | "EdDSA"

/** What signatures are verified with: a key, for exactly one algorithm. */
export interface Key {
  readonly algorithm: "HS256" | PublicAlgorithm
  /** Its `kid`, where it has one. */
  readonly id: string | undefined
  readonly key: CryptoKey
}

/** What a token says about its key. Nothing else in its header is looked at to find one. */
export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
}

/** The keys of the issuer. */
export interface KeySet {
  /** The keys that may have signed a token with this header; none where there is none. */
  readonly find: (header: TokenHeader) => Effect.Effect<ReadonlyArray<Key>, KeysUnavailable>
  /** Whether the key is still one of the set, and what it has signed still good. */
  readonly has: (key: Key) => boolean
}

/** No keys were fetched yet, so that nothing can be said about any token. */
export class KeysUnavailable extends Unavailable {
  constructor() {
    super({ outcome: "not-applied" })
  }
  override get message() {
    return "The keys of the issuer of tokens cannot be fetched at the moment"
  }
}

/** How tokens may name the algorithm: of the keys that we take, `EdDSA` and `Ed25519` mean the same (RFC 9864, 2.2). */
const names: Record<Key["algorithm"], ReadonlyArray<string>> = {
  HS256: ["HS256"],
  RS256: ["RS256"],
  ES256: ["ES256"],
  EdDSA: ["EdDSA", "Ed25519"]
}

/** The names of a key's algorithm, in the header of a token or in a JWK. */
export const namesOf = (algorithm: Key["algorithm"]): ReadonlyArray<string> => names[algorithm]

/** Whether a public key may have signed a token with this `alg`. */
export const isPublic = (alg: string): boolean => [...names.RS256, ...names.ES256, ...names.EdDSA].includes(alg)

/**
 * The one key that fits the header. A key without an id (a PEM has none) stands for any
 * `kid`; a token without `kid` says enough where a single key has its algorithm.
 */
export const select = (keys: Iterable<Key>, { alg, kid }: TokenHeader): ReadonlyArray<Key> => {
  const fitting = [...keys].filter(({ algorithm }) => namesOf(algorithm).includes(alg))
  const named = kid === undefined ? fitting : fitting.filter(({ id }) => id === kid)
  const found = named.length > 0 ? named : fitting.filter(({ id }) => id === undefined)
  return found.length === 1 ? found : []
}
