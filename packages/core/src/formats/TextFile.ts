import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ImportInvalid } from "../admin/import/ImportProblems.ts"

/** How files begin that are not text in UTF-8; the longer before the shorter. */
const others: ReadonlyArray<readonly [begin: string, what: string]> = [
  ["fffe0000", "in UTF-32 LE: save it as UTF-8"],
  ["0000feff", "in UTF-32 BE: save it as UTF-8"],
  ["fffe", "in UTF-16 LE: save it as UTF-8"],
  ["feff", "in UTF-16 BE: save it as UTF-8"],
  ["1f8b", "compressed: unpack it with gunzip"],
  ["504b0304", "a spreadsheet or a zip archive: save it as CSV, or unpack it"]
]

const mark = "efbbbf"

/**
 * The bytes of a text file in UTF-8, without its byte order mark. Fails with `ImportInvalid` where it is another kind
 * of file, or where nothing but white space is in it.
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
      const other = others.find(([begin]) => hex.startsWith(begin))?.[1]
      // Without a mark, a letter of ASCII has a zero byte beside it.
      const what = other ?? (/^(00|..00)/.test(hex) ? "in UTF-16 or no text: save it as UTF-8" : undefined)
      return what === undefined ? looked(hex.startsWith(mark) ? part.subarray(3) : part) : wrong(`the file is ${what}`)
    }
    const looked = (part: Uint8Array) => {
      isBlank &&= part.every((byte) => byte <= 0x20 && byte !== 0)
      return Effect.succeed(part)
    }
    return bytes.pipe(
      Stream.mapEffect((part) => {
        if (begin === undefined) return looked(part)
        begin = Buffer.concat([begin, part])
        return begin.length < 4 ? Effect.succeed(new Uint8Array()) : first(begin)
      }),
      Stream.concat(Stream.suspend(() => (begin === undefined ? Stream.empty : Stream.fromEffect(first(begin))))),
      Stream.concat(Stream.suspend(() => (isBlank ? Stream.fromEffect(wrong("the file is empty")) : Stream.empty)))
    )
  })

const wrong = (message: string) => Effect.fail(new ImportInvalid({ problems: [{ line: 1, message }], count: 1 }))
