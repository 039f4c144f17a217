import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { settingMessage, settings } from "../Settings.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"

/** Whether what is set is valid and known, the server's settings too, and whether any of it is without effect. */
export const check: Effect.Effect<ReadonlyArray<Finding>> = Effect.gen(function* () {
  const findings: Array<Finding> = []
  const configs: ReadonlyArray<Config.Config<unknown>> = Object.values(settings)
  for (const config of configs) {
    yield* Effect.catch(Config.option(config), (error) =>
      Effect.sync(() =>
        findings.push(failed("settings", settingMessage(error), "correct it, or unset it for its default"))
      )
    )
  }

  const set = yield* namesSet(["TODO"])
  const known = new Set(Object.keys(settings))
  for (const name of set.filter((name) => !known.has(name))) {
    findings.push(warning("settings", `${name} is set, but there is no such setting`, "correct its name or unset it"))
  }
  if (set.includes("TODO_MIGRATE_URL") && (yield* namesSet(["DATABASE"])).every((name) => name !== "DATABASE_URL")) {
    const mend = "set DATABASE_URL as well, or unset TODO_MIGRATE_URL"
    findings.push(failed("settings", "TODO_MIGRATE_URL is set and DATABASE_URL is not", mend))
  }
  return findings.length > 0 ? findings : [passed("settings", "what is set is valid")]
})

/** The names in the environment that begin with these words; a provider only tells the next word of each. */
const namesSet = (words: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const node = yield* Effect.orDie((yield* ConfigProvider.ConfigProvider).load(words))
    if (node === undefined) return []
    const next =
      node._tag === "Record"
        ? [...node.keys]
        : node._tag === "Array"
          ? Array.from({ length: node.length }, (_, at) => `${at}`)
          : []
    const longer = yield* Effect.forEach(next, (word) => namesSet([...words, word]))
    return [...(node.value === undefined ? [] : [words.join("_")]), ...longer.flat()]
  })
