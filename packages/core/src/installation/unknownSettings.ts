/**
 * Names in the environment that look like settings and are none, such as misspelt ones, which would be ignored in silence.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { settings } from "./settings.ts"

const prefix = "TODO"

/** Those of our own tests. */
const isOfTests = (name: string): boolean => name.startsWith("TODO_TEST_")

/** A warning for each, without its value, and with the setting that was probably meant. */
export const unknownSettings: Effect.Effect<ReadonlyArray<string>, ConfigProvider.SourceError> = Effect.gen(
  function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    const known = Object.keys(settings)
    const names = (yield* namesBelow(provider, [prefix])).filter((name) => !known.includes(name) && !isOfTests(name))
    return names.toSorted().map((name) => {
      const meant = nearest(name, known)
      return `${name} is not a setting, and is ignored${meant === undefined ? "" : `; did you mean ${meant}?`}`
    })
  }
)

/** A provider of the environment splits names at each underscore. */
const namesBelow = (
  provider: ConfigProvider.ConfigProvider,
  path: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, ConfigProvider.SourceError> =>
  Effect.gen(function* () {
    const node = yield* provider.load(path)
    if (node === undefined) return []
    const own = node.value === undefined || path.length === 1 ? [] : [path.join("_")]
    if (node._tag !== "Record") return own
    const below = yield* Effect.forEach(node.keys, (key) => namesBelow(provider, [...path, key]))
    return [...own, ...below.flat()]
  })

/** The one that the fewest changes make of it, a third of its letters at most. */
const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const [best] = known
    .map((candidate) => ({ candidate, changes: distance(name, candidate) }))
    .filter(({ changes }) => changes <= (name.length - prefix.length) / 3)
    .toSorted((a, b) => a.changes - b.changes)
  return best?.candidate
}

/** How many letters have to be inserted, removed or replaced (Levenshtein). */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1]
    for (const [index, other] of [...to].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
