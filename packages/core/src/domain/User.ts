import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/**
 * Who owns a row: the `sub` of the caller's token, opaque text of 1 to 255
 * characters without control characters. Not a UUID: issuers send what they like.
 */
export const UserId = Schema.String.check(
  // `\p{Cc}` spelled out: validators that read the pattern without the flag `u` would take its letters.
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]+$/u, { expected: "text without control characters" }),
  Schema.makeFilter<string>((id) => id.isWellFormed(), { expected: "well-formed text" }),
  Schema.isBetweenCodePoints(1, 255)
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
    /** The owner of what is read and written. */
    readonly id: UserId
  }
>()("@todo/core/CurrentUser") {}
