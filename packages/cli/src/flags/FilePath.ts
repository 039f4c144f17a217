import { homedir } from "node:os"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"

const environment = Config.all({
  script: Config.option(Config.String("npm_lifecycle_event")),
  startedIn: Config.option(Config.String("INIT_CWD"))
})

/**
 * Resolves the name of a file from the command line. `npm run todo-admin` changes to the folder of package.json, so a
 * relative name is resolved against the folder where npm was started. Most shells do not expand `~` in `--output=~/file`.
 */
export const resolveFilePath = Effect.fnUntraced(function* (name: string) {
  const path = yield* Path.Path
  if (/^~(\/|$)/.test(name)) return path.join(homedir(), name.slice(1))
  const { script, startedIn } = yield* environment
  // Other npm scripts may call this program from any folder. Their relative names are meant from that folder.
  return Option.contains(script, "todo-admin") && Option.isSome(startedIn) ? path.resolve(startedIn.value, name) : name
})
