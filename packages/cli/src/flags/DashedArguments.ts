import { isBooleanFlag } from "./Flags.ts"

/** The syntax of flags. The short flags listed here are all that exist. */
const isFlag = (word: string): boolean => /^(--[a-z][\w-]*|-[uohv])(=.*)?$/is.test(word)

/**
 * Rewrites values and arguments that begin with a dash, because `effect/cli` would parse them as flags. A value is joined
 * to its flag (`--sort=-createdAt`), and an argument moves after `--` (`-- "- bullet"`). Words with the syntax of a flag
 * stay flags.
 */
export const protectDashedArguments = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
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
    needsValue = isFlag(word) && !word.includes("=") && !isBooleanFlag(word)
  }
  if (end === -1 && after.length === 0) return before
  return [...before, "--", ...after, ...(end === -1 ? [] : words.slice(end + 1))]
}
