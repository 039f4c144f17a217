import { isBooleanFlag } from "./Flags.ts"

/** How flags are written; the short ones are all that there are. */
const isFlag = (word: string): boolean => /^(--[a-z][\w-]*|-[uohv])(=.*)?$/is.test(word)

/**
 * Lets values and arguments begin with a dash, which `effect/cli` takes for flags: a value is tied to its flag
 * (`--sort=-createdAt`), an argument goes behind `--` (`-- "- bullet"`). What is written like a flag stays one.
 */
export const protectDashedArguments = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = words.indexOf("--")
  const before: Array<string> = []
  const behind: Array<string> = []
  let isAwaited = false
  for (const word of end === -1 ? words : words.slice(0, end)) {
    const isText = /^-./s.test(word) && !isFlag(word)
    if (isAwaited && isText) before.push(`${before.pop()}=${word}`)
    // Arguments keep their order.
    else if (!isAwaited && (isText || (behind.length > 0 && !isFlag(word)))) behind.push(word)
    else before.push(word)
    isAwaited = isFlag(word) && !word.includes("=") && !isBooleanFlag(word)
  }
  if (end === -1 && behind.length === 0) return before
  return [...before, "--", ...behind, ...(end === -1 ? [] : words.slice(end + 1))]
}
