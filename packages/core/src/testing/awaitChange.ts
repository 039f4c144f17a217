import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Change } from "../domain/Change.ts"
import { Changes } from "../changes/Changes.ts"

/**
 * Waits for a matching change of the current user, from any process. Earlier changes count too (after `since`, if given), so
 * a change between its cause and this call is not missed.
 *
 * @param options `since`: a cursor. `within`: the longest wait, 10 seconds by default.
 * @returns the change, and the cursor behind it.
 *
 * Fails with `TimeoutError` if no change matches in time. It needs the real clock: with `@effect/vitest`, use `it.live`.
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
