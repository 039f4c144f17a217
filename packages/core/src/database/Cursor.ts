import { hash } from "node:crypto"
import * as Effect from "effect/Effect"
import { InvalidCursor } from "../domain/Errors.ts"
import type { UserId } from "../domain/User.ts"

const tagBytes = 12

/** In characters. Every cursor that this file makes is shorter. */
const maxLength = 2_048

/**
 * A cursor consists of the sort values of a page's last row and a digest that binds them to the user and the query. With
 * the digest, a cursor of another query is an error instead of a wrong page. It is not a secret and needs none: a cursor
 * only selects among the caller's own rows.
 */
const seal = (binding: string, payload: string): string => {
  const tag = hash("sha256", `${binding}\0${payload}`, "buffer").subarray(0, tagBytes)
  return Buffer.concat([tag, Buffer.from(payload)]).toString("base64url")
}

/** The owner of a cursor: a user, or an operator (`null`). */
type Holder = UserId | null

const bindingOf = (user: Holder, query: unknown): string => JSON.stringify([user, query])

/**
 * The cursor that continues `query` of `user` after the row with these sort values. It never begins with a dash, because
 * a command line would parse that as a flag. A space is added to the payload until the first character is another one.
 */
export const make = (user: Holder, query: unknown, values: ReadonlyArray<unknown>): string => {
  const binding = bindingOf(user, query)
  const from = (payload: string): string => {
    const cursor = seal(binding, payload)
    return cursor.startsWith("-") ? from(`${payload} `) : cursor
  }
  return from(JSON.stringify(values))
}

/**
 * The values in a cursor. Fails with `InvalidCursor` if the digest does not match. A client can compute the digest, so the
 * caller must validate the values.
 */
export const open = (user: Holder, query: unknown, cursor: string): Effect.Effect<unknown, InvalidCursor> => {
  const payload = Buffer.from(cursor, "base64url").subarray(tagBytes).toString()
  return Effect.try({
    try: () => {
      if (cursor.length > maxLength || seal(bindingOf(user, query), payload) !== cursor) throw new InvalidCursor()
      return JSON.parse(payload)
    },
    catch: () => new InvalidCursor()
  })
}
