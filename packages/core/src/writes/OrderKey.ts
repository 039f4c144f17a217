/**
 * Reads order keys, for imports. `schema/functions/positions.ts` makes them and explains their form.
 */

/** The letters of the shortest integer parts: keys below and above the first one. */
const first = { down: "Z".charCodeAt(0), up: "a".charCodeAt(0) }

/**
 * The revision in the integer part of an order key, or `undefined` if the text is not one. New keys at the ends have
 * later revisions, so a key cannot collide with them once its user has reached this revision.
 */
export const revisionOf = (key: string): number | undefined => {
  // Up to 13 hexadecimal digits are 52 bits, which a JavaScript number holds exactly.
  if (!/^[N-Za-m][0-9a-f]+$/.test(key)) return undefined
  const letter = key.charCodeAt(0)
  const isUp = letter >= first.up
  const width = 1 + (isUp ? letter - first.up : first.down - letter)
  if (key.length <= width) return undefined
  if (key.length > 1 + width && key.endsWith("0")) return undefined
  const number = Number.parseInt(key.slice(1, 1 + width), 16)
  return isUp ? number : 16 ** width - 1 - number
}
