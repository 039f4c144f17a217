import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as ServerRequirements from "../../installation/ServerRequirements.ts"
import { settingMessage, settings } from "../../installation/settings.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"

/** Finds settings that are invalid, unknown or without effect, and settings that keep a server from starting. */
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
    const hint = "set DATABASE_URL as well, or unset TODO_MIGRATE_URL"
    findings.push(failed("settings", "TODO_MIGRATE_URL is set and DATABASE_URL is not", hint))
  }
  findings.push(...(yield* start))
  return findings.length > 0
    ? findings
    : [passed("settings", "the settings are valid, and a server can start with them")]
})

/**
 * What keeps a server from starting. It is a failure in production. Elsewhere it is a warning, because the server may run
 * on another machine.
 */
const start: Effect.Effect<ReadonlyArray<Finding>> = Effect.gen(function* () {
  const found = (yield* ServerRequirements.isProduction) ? failed : warning
  return yield* ServerRequirements.load.pipe(
    Effect.as([]),
    Effect.catchTags({
      MissingSetting: ({ message }) =>
        Effect.succeed([found("settings", `a server would not start: ${message}`, "set it where the server runs")]),
      UnsafeSetting: ({ message }) =>
        Effect.succeed([
          failed("settings", `a server would not start: ${message}`, "remove the setting that does not belong there")
        ])
    })
  )
  // Invalid settings have been reported above.
}).pipe(Effect.catchTag("ConfigError", () => Effect.succeed([])))

/** The names in the environment that begin with these words. A `ConfigProvider` lists one word at a time. */
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
