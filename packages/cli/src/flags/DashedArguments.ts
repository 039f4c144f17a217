import type * as Flag from "effect/cli/Flag"
import { type CommandDescriptor, type FlagDescriptor, fromCommand } from "effect/cli/Completions"
import * as Command from "effect/cli/Command"

/** Flags as they are written (`--user`, `-u`), and whether each takes a value. */
type Flags = ReadonlyMap<string, boolean>

/** The flags of a command, of its subcommands, and of `globals`. */
export const flagsOf = (
  command: Command.Command.Any,
  globals: ReadonlyArray<{ readonly flag: Flag.Flag<unknown> }>
): Flags => {
  const all = ({ flags, subcommands }: CommandDescriptor): ReadonlyArray<FlagDescriptor> => [
    ...flags,
    ...subcommands.flatMap(all)
  ]
  const globalsOnly = Command.make("globals", { flags: globals.map(({ flag }) => flag) })
  return new Map(
    [command, globalsOnly]
      .flatMap((command) => all(fromCommand(command)))
      .flatMap(({ aliases, name, type }) =>
        [`--${name}`, ...aliases.map((alias) => `-${alias}`)].map((flag) => [flag, type._tag !== "Boolean"])
      )
  )
}

/**
 * Rewrites values and arguments that begin with a dash, because `effect/cli` would parse them as flags. A value is joined
 * to its flag (`--sort=-createdAt`), and an argument moves after `--` (`-- "- bullet"`). Words with the syntax of a flag
 * stay flags: each `--word`, so that `effect/cli` reports a misspelled flag, and the short flags that exist.
 */
export const protectDashedArguments = (words: ReadonlyArray<string>, flags: Flags): ReadonlyArray<string> => {
  const nameOf = (word: string) => word.replace(/=.*/s, "").toLowerCase()
  const isFlag = (word: string) => /^--[a-z][\w-]*$/.test(nameOf(word)) || flags.has(nameOf(word))
  const end = words.indexOf("--")
  const before: Array<string> = []
  const after: Array<string> = []
  let needsValue = false
  for (const word of end === -1 ? words : words.slice(0, end)) {
    const isText = /^-./s.test(word) && !isFlag(word)
    if (needsValue && isText) before.push(`${before.pop()}=${word}`)
    // Later arguments move as well, to keep their order.
    else if (!needsValue && (isText || (after.length > 0 && !isFlag(word)))) after.push(word)
    else before.push(word)
    needsValue = isFlag(word) && !word.includes("=") && (flags.get(word) ?? true)
  }
  if (end === -1 && after.length === 0) return before
  return [...before, "--", ...after, ...(end === -1 ? [] : words.slice(end + 1))]
}
