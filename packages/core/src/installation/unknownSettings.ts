/**
 * Finds variables that look like settings and are not, such as misspelt ones. Without a warning they would be ignored
 * silently.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { settings } from "./settings.ts"

const prefix = "TODO"

/** Variables of our own tests. */
const isOfTests = (name: string): boolean => name.startsWith("TODO_TEST_")

/** One warning for each variable, without its value and with the setting that was probably meant. */
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

/** The `ConfigProvider` of the environment splits names at each underscore, so this joins them again. */
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

/** The known name with the smallest distance, at most a third of the letters. */
const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const [best] = known
    .map((candidate) => ({ candidate, changes: distance(name, candidate) }))
    .filter(({ changes }) => changes <= (name.length - prefix.length) / 3)
    .toSorted((a, b) => a.changes - b.changes)
  return best?.candidate
}

/** Levenshtein distance: the number of inserted, removed and replaced letters. */
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
