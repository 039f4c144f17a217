import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ImportInvalid } from "../admin/import/ImportProblems.ts"

/** The first bytes of files that are not UTF-8, in hex. Longer prefixes come first. */
const signatures: ReadonlyArray<readonly [begin: string, what: string]> = [
  ["fffe0000", "in UTF-32 LE: save it as UTF-8"],
  ["0000feff", "in UTF-32 BE: save it as UTF-8"],
  ["fffe", "in UTF-16 LE: save it as UTF-8"],
  ["feff", "in UTF-16 BE: save it as UTF-8"],
  ["1f8b", "compressed: unpack it with gunzip"],
  ["504b0304", "a spreadsheet or a zip archive: save it as CSV, or unpack it"]
]

const byteOrderMark = "efbbbf"

/**
 * Checks that a file is text in UTF-8, and removes its byte order mark.
 *
 * Fails with `ImportInvalid` if the file has another encoding, is compressed, or has only white space.
 */
export const textFile = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E | ImportInvalid, R> =>
  Stream.suspend(() => {
    let begin: Buffer | undefined = Buffer.alloc(0)
    let isBlank = true

    const first = (part: Buffer): Effect.Effect<Uint8Array, ImportInvalid> => {
      begin = undefined
      const hex = part.toString("hex", 0, 4)
      const known = signatures.find(([begin]) => hex.startsWith(begin))?.[1]
      // In UTF-16 without a byte order mark, ASCII letters have a zero byte beside them.
      const what = known ?? (/^(00|..00)/.test(hex) ? "in UTF-16 or not text: save it as UTF-8" : undefined)
      return what === undefined
        ? checkBlank(hex.startsWith(byteOrderMark) ? part.subarray(3) : part)
        : invalid(`the file is ${what}`)
    }
    const checkBlank = (part: Uint8Array) => {
      isBlank &&= part.every((byte) => byte <= 0x20 && byte !== 0)
      return Effect.succeed(part)
    }
    return bytes.pipe(
      Stream.mapEffect((part) => {
        if (begin === undefined) return checkBlank(part)
        begin = Buffer.concat([begin, part])
        return begin.length < 4 ? Effect.succeed(new Uint8Array()) : first(begin)
      }),
      Stream.concat(Stream.suspend(() => (begin === undefined ? Stream.empty : Stream.fromEffect(first(begin))))),
      Stream.concat(Stream.suspend(() => (isBlank ? Stream.fromEffect(invalid("the file is empty")) : Stream.empty)))
    )
  })

const invalid = (message: string) => Effect.fail(new ImportInvalid({ problems: [{ line: 1, message }], count: 1 }))
