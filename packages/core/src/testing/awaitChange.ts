import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Change } from "../domain/Change.ts"
import { Changes } from "../changes/Changes.ts"

/**
 * Waits for a change of the current user that matches, whichever process makes it, and gives it
 * with the cursor that goes on behind it. Changes that have happened already count, those after
 * `since` where one is given, so nothing is missed between the cause and the wait.
 *
 * Fails with `TimeoutError` where none comes `within` 10 seconds. It needs the real clock: with
 * `@effect/vitest`, use `it.live`.
 *
 * @example
 * const { change } = yield* awaitChange((change) => change.kind === "todo" && change.todo.completed)
 */
export const awaitChange = (
  matches: (change: Change) => boolean,
  options: { readonly since?: string; readonly within?: Duration.Input } = {}
) =>
  Effect.flatMap(Changes, (changes) =>
    changes.stream(options.since === undefined ? {} : { since: options.since }).pipe(
      Stream.filter(({ change }) => matches(change)),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      // The stream has no end of its own.
      Effect.catchTag("NoSuchElementError", Effect.die),
      Effect.timeout(options.within ?? "10 seconds")
    )
  )
