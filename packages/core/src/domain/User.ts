import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/**
 * The id of a user: the `sub` of the caller's token. Opaque text of 1 to 255 code points without control characters. It is
 * not a UUID, because each issuer has its own form.
 */
export const UserId = Schema.String.check(
  Schema.isBetweenCodePoints(1, 255, { expected: "a string of 1 to 255 characters" }),
  // `\p{Cc}` written as ranges, because some JSON Schema validators read patterns without the flag `u`.
  // oxlint-disable-next-line no-control-regex -- the pattern refuses control characters
  Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]+$/u, { message: "must not contain control characters" }),
  Schema.makeFilter<string>((id) => id.isWellFormed(), { message: "must not contain unpaired surrogates" })
).pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/**
 * The user on whose behalf a method runs. Every user-scoped method requires it,
 * so leaving the user out is a compile error.
 *
 * @example
 * todos.list({}).pipe(Effect.provideService(CurrentUser, { id: UserId.make("alice") }))
 */
export class CurrentUser extends Context.Service<
  CurrentUser,
  {
    /** The owner of all rows that the method reads and writes. */
    readonly id: UserId
  }
>()("@todo/core/CurrentUser") {}
