import { homedir } from "node:os"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"

const environment = Config.all({
  script: Config.option(Config.String("npm_lifecycle_event")),
  stood: Config.option(Config.String("INIT_CWD"))
})

/**
 * The path of a file that a person names. `npm run todo-admin` changes to the folder of package.json: what is relative
 * begins where the person stands. The `~` of `--output=~/file` is left by most shells.
 */
export const resolveFilePath = Effect.fnUntraced(function* (name: string) {
  const path = yield* Path.Path
  if (/^~(\/|$)/.test(name)) return path.join(homedir(), name.slice(1))
  const { script, stood } = yield* environment
  // Other scripts that call this program name files from where they run it.
  return Option.contains(script, "todo-admin") && Option.isSome(stood) ? path.resolve(stood.value, name) : name
})
