/** Flags that every command has. */
import * as GlobalFlag from "effect/cli/GlobalFlag"
import { boolean } from "./Flags.ts"

export const Json = GlobalFlag.Setting("json")({ flag: boolean("json", "Print JSON") })

export const Quiet = GlobalFlag.Setting("quiet")({
  flag: boolean("quiet", "Print only results and errors, no messages and no progress")
})

export const Debug = GlobalFlag.Setting("debug")({ flag: boolean("debug", "Print the stack trace of an error") })

export const globalFlags = [Json, Quiet, Debug] as const
