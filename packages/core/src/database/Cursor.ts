import { hash } from "node:crypto"
import * as Effect from "effect/Effect"
import { InvalidCursor } from "../domain/Errors.ts"
import type { UserId } from "../domain/User.ts"

const tagBytes = 12

/** Longer than any of ours. */
const maxLength = 2_048

/**
 * A cursor is where a page ended and a digest that binds it to the user and the
 * query. The digest is no secret: a cursor only ever selects among the caller's own
 * rows. It is there so that a cursor in the wrong place is an error, not a wrong page.
 */
const seal = (binding: string, payload: string): string => {
  const tag = hash("sha256", `${binding}\0${payload}`, "buffer").subarray(0, tagBytes)
  return Buffer.concat([tag, Buffer.from(payload)]).toString("base64url")
}

/** Whose cursor it is: a user's, or an operator's (`null`). */
type Holder = UserId | null

const bindingOf = (user: Holder, query: unknown): string => JSON.stringify([user, query])

/**
 * The cursor that continues `query` of `user` after the row with these sort values. It never begins with a dash, which a
 * command line would take for a flag: with one more space behind the values it begins otherwise.
 */
export const make = (user: Holder, query: unknown, values: ReadonlyArray<unknown>): string => {
  const binding = bindingOf(user, query)
  const from = (payload: string): string => {
    const cursor = seal(binding, payload)
    return cursor.startsWith("-") ? from(`${payload} `) : cursor
  }
  return from(JSON.stringify(values))
}

/** What is in a cursor: sort values, or any JSON of somebody who made up the digest, too. What is not sealed is refused. */
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
