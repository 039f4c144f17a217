/**
 * How text is searched: words, without regard to case or to how a character is composed.
 *
 * A word is a run of letters and digits. In scripts that put no space between words,
 * each character is a word, and so is every other visible character: `50%_off` has
 * the words 50, %, _ and off, and no character means anything else than itself.
 */

/** Words are compared by their beginning, which keeps them within what an index holds. */
const maxLength = 64

const word =
  /[[\p{L}\p{N}\p{M}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]+|\S/gv

/** By way of upper case, where more letters are the same; a sigma is one wherever it stands. */
const fold = (text: string): string =>
  text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC")

const cut = (text: string): string => (text.length <= maxLength ? text : Array.from(text).slice(0, maxLength).join(""))

/** The words of a text, in order, with repetitions. */
export const words = (text: string): ReadonlyArray<string> => (fold(text).match(word) ?? []).map(cut)

/** What titles are sorted by. */
export const titleKey = (title: string): string => cut(fold(title))

/** What follows every text that begins with `prefix`, compared by code point. */
export const endOfPrefix = (prefix: string): string => `${prefix}\u{10ffff}`
