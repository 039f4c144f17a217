/**
 * Splits text into the words of search. Case, composition, typography and invisible characters make no difference.
 *
 * A word is a run of letters and digits with their marks. In scripts without spaces each character is a word, and so is
 * every other visible character: `50%_off` has the words 50, %, _ and off. No character is an operator.
 *
 * Words are stored, and tags beside them. After a change to what is stored, raise `form`: `Migrations.up` then renews it.
 */

/** Counts the changes to what is stored. */
export const form = 3

/** Words are compared by their beginning, which keeps them within what an index holds. */
const maxLength = 64

/** U+200C stands within words here; see `words`. */
const word =
  /[[\p{L}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]][[\p{L}\p{N}\p{M}\u200c]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]*|[\S--\u200c][\p{M}--[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]*/gv

/** The same for text of ASCII alone, twice as fast. */
const plainWord = /[a-z0-9]+|[!-~]/g
// oxlint-disable-next-line no-control-regex -- it is about them
const isPlain = /^[\t-\r -~]*$/

/** By way of upper case, where more letters are the same; a sigma is one wherever it stands. */
const fold = (text: string): string =>
  text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC")

/** Spellings of one character that no normalization makes the same, as keyboards and word processors have them. */
const apostrophes =
  /[\u00b4\u02b9\u02bb-\u02bd\u055a\u05f3\u2018\u2019\u201b\u2032\u2035\u1fbd\u1fbf\u1ffd\u1ffe\ua78b\ua78c]/g
const quotes = /[\u201c-\u201f\u2033\u2036\u301d-\u301f]/g
const dashes = /[[\p{Pd}\u2043\u2212\u02d7]--[\u301c\u3030\u30a0]]/gv

/** Symbols that NFKC makes letters or digits of, which then must not run into the word beside them: ½ ① ㊗ № ™. */
const symbols =
  /[\u00bc-\u00be\u2116\u2117\u2120\u2122\u2150-\u215e\u2189\u2460-\u24ff\u2776-\u2793\u3200-\u32ff\u{1f100}-\u{1f2ff}]/gu

/** What cannot be seen, but for U+200C. U+200B ends a word (UAX 29); so do controls, and the key around a digit. */
const invisible = /[\p{Default_Ignorable_Code_Point}--[\u200b\u200c]]|[\p{Me}--[\u20dd-\u20e0\u20e2-\u20e4]]|\u0640/gv
const boundaries = /[\u20dd-\u20e0\u20e2-\u20e4\u200b\p{Cc}]/gu

/** What lower case makes of İ. Upper case makes I of ı, so all four are one letter: a search asks in no language. */
const dotted = /(i\p{M}*?)\u0307/gu

const seen = (text: string): string =>
  fold(
    text
      .replace(invisible, "")
      .replace(boundaries, " ")
      .replace(apostrophes, "'")
      .replace(quotes, '"')
      .replace(symbols, " $& ")
  )
    .replace(dashes, "-")
    .replace(dotted, "$1")
    .normalize("NFC")

const cut = (text: string): string => (text.length <= maxLength ? text : Array.from(text).slice(0, maxLength).join(""))

const found = (text: string): ReadonlyArray<string> =>
  isPlain.test(text) ? (text.toLowerCase().match(plainWord) ?? []) : (seen(text).match(word) ?? [])

const joined = (word: string): string => word.replaceAll("\u200c", "")

/**
 * The words that a text is found by, in order, with repetitions. What Persian joins with U+200C others write together or
 * with a space: such a word is found as a whole and by each of its parts.
 */
export const words = (text: string): ReadonlyArray<string> =>
  found(text)
    .flatMap((word) =>
      word.includes("\u200c") ? [joined(word), ...word.split("\u200c").filter((part) => part !== "")] : word
    )
    .map(cut)

/** The words that a search asks for. */
export const askedWords = (q: string): ReadonlyArray<string> => found(q).map(joined).map(cut)

/** How a tag is stored among the words: behind a space, which no word has. */
export const tagWord = (tag: string): string => ` ${tag}`

/** All that is stored of a row of `todos`, as SQL: its words, and its tags as `tagWord` has them. */
export const storedWords = (row: string): string =>
  `${row}.title_words || ${row}.description_words || array(select ' ' || tag from unnest(${row}.tags) tag)`

/** What titles are sorted by. */
export const titleKey = (title: string): string => cut(fold(title))

/** What follows every text that begins with `prefix`, compared by code point. */
export const endOfPrefix = (prefix: string): string => `${prefix}\u{10ffff}`
