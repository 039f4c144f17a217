/**
 * Splits text into the words of search. Case, composition, typography and invisible characters make no difference.
 *
 * A word is a run of letters and digits with their combining marks. In scripts without spaces, each character is a word. So
 * is every other visible character: `50%_off` has the words 50, %, _ and off. No character is an operator.
 *
 * The database stores these words, and tags beside them. After a change to what is stored, increase `form`:
 * `Migrations.up` then computes it again.
 */

/** The version of what is stored. */
export const form = 3

/** In characters. Only the beginning of a longer word is stored and compared, because the size of an index entry is limited. */
const maxLength = 64

/** U+200C (zero-width non-joiner) is part of a word here; see `words`. */
const word =
  /[[\p{L}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]][[\p{L}\p{N}\p{M}\u200c]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]*|[\S--\u200c][\p{M}--[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]*/gv

/** The same for text in ASCII only. It is twice as fast. */
const plainWord = /[a-z0-9]+|[!-~]/g
// oxlint-disable-next-line no-control-regex -- the range has tabs and line breaks
const isPlain = /^[\t-\r -~]*$/

/** Folds case. Upper case comes first, because it makes more letters equal. All forms of sigma become one letter. */
const fold = (text: string): string =>
  text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC")

/** Variants of one character that keyboards and word processors write. Unicode normalization does not make them equal. */
const apostrophes =
  /[\u00b4\u02b9\u02bb-\u02bd\u055a\u05f3\u2018\u2019\u201b\u2032\u2035\u1fbd\u1fbf\u1ffd\u1ffe\ua78b\ua78c]/g
const quotes = /[\u201c-\u201f\u2033\u2036\u301d-\u301f]/g
const dashes = /[[\p{Pd}\u2043\u2212\u02d7]--[\u301c\u3030\u30a0]]/gv

/** Symbols that NFKC turns into letters or digits: ½ ① ㊗ № ™. Spaces keep these apart from the words beside them. */
const symbols =
  /[\u00bc-\u00be\u2116\u2117\u2120\u2122\u2150-\u215e\u2189\u2460-\u24ff\u2776-\u2793\u3200-\u32ff\u{1f100}-\u{1f2ff}]/gu

/** Invisible characters, which are removed. U+200C stays; see `words`. */
const invisible = /[\p{Default_Ignorable_Code_Point}--[\u200b\u200c]]|[\p{Me}--[\u20dd-\u20e0\u20e2-\u20e4]]|\u0640/gv
/** These end a word: U+200B (UAX 29), control characters, and marks that enclose a digit, such as a keycap. */
const boundaries = /[\u20dd-\u20e0\u20e2-\u20e4\u200b\p{Cc}]/gu

/** Lower case turns İ into i with U+0307, and upper case turns ı into I. All four count as i, in every language. */
const dotted = /(i\p{M}*?)\u0307/gu

/** Makes texts equal that look the same to a reader. */
const normalise = (text: string): string =>
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

const truncate = (text: string): string =>
  text.length <= maxLength ? text : Array.from(text).slice(0, maxLength).join("")

const split = (text: string): ReadonlyArray<string> =>
  isPlain.test(text) ? (text.toLowerCase().match(plainWord) ?? []) : (normalise(text).match(word) ?? [])

const withoutJoiners = (word: string): string => word.replaceAll("\u200c", "")

/**
 * The words by which a text is found, in order, with repetitions. Persian joins the parts of a word with U+200C, but many
 * people write nothing or a space instead. So such a word is found as a whole, and by each of its parts.
 */
export const words = (text: string): ReadonlyArray<string> =>
  split(text)
    .flatMap((word) =>
      word.includes("\u200c") ? [withoutJoiners(word), ...word.split("\u200c").filter((part) => part !== "")] : word
    )
    .map(truncate)

/** The words of a search text. */
export const askedWords = (q: string): ReadonlyArray<string> => split(q).map(withoutJoiners).map(truncate)

/** The form of a tag among the stored words. It begins with a space, because no word has one. */
export const tagWord = (tag: string): string => ` ${tag}`

/** Everything that is stored for a row of `todos`, as SQL: its words, and its tags in the form of `tagWord`. */
export const storedWords = (row: string): string =>
  `${row}.title_words || ${row}.description_words || array(select ' ' || tag from unnest(${row}.tags) tag)`

/** The sort key of a title. */
export const titleKey = (title: string): string => truncate(fold(title))

/** A text that sorts after every text that begins with `prefix`, by code point. */
export const endOfPrefix = (prefix: string): string => `${prefix}\u{10ffff}`
