/**
 * Order keys that come from outside. What makes them, and how they are built, is in `schema/functions/positions.ts`.
 */

const first = { down: "Z".charCodeAt(0), up: "a".charCodeAt(0) }

/**
 * The revision that a key was made at, or whose keys it lies between; `undefined` where the text is no key. Keys of
 * later revisions lie outside of all of these, so a key is harmless as long as its user has come that far.
 */
export const revisionOf = (key: string): number | undefined => {
  // Up to 13 digits, 52 bits: numbers that JavaScript holds.
  if (!/^[N-Za-m][0-9a-f]+$/.test(key)) return undefined
  const letter = key.charCodeAt(0)
  const isUp = letter >= first.up
  const width = 1 + (isUp ? letter - first.up : first.down - letter)
  if (key.length <= width) return undefined
  if (key.length > 1 + width && key.endsWith("0")) return undefined
  const number = Number.parseInt(key.slice(1, 1 + width), 16)
  return isUp ? number : 16 ** width - 1 - number
}
