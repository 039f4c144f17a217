/** Flags that every command has. */
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Flags from "./Flags.ts"

export const Json = GlobalFlag.Setting("json")({ flag: Flags.boolean("json", "Print JSON") })

export const Quiet = GlobalFlag.Setting("quiet")({
  flag: Flags.boolean("quiet", "Print only results and errors, no messages and no progress")
})

export const Debug = GlobalFlag.Setting("debug")({ flag: Flags.boolean("debug", "Print the stack trace of an error") })

export const globalFlags = [Json, Quiet, Debug] as const
