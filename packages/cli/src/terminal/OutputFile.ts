import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** Writes a stream of text to a file, or else to stdout, with back-pressure. */
export const write = Effect.fnUntraced(function* <E, R>(
  output: Option.Option<string>,
  text: Stream.Stream<string, E, R>
) {
  if (Option.isSome(output)) return yield* toFile(output.value, text)
  const stdio = yield* Stdio.Stdio
  return yield* Stream.run(text, stdio.stdout())
})

/**
 * Writes to a temporary file and renames it after fsync, so an older file stays until the new one is complete. Only the
 * user may read the file. A device or a pipe cannot be replaced, so it is written to directly.
 */
const toFile = Effect.fnUntraced(function* <E, R>(path: string, text: Stream.Stream<string, E, R>) {
  const files = yield* FileSystem.FileSystem
  const bytes = Stream.encodeText(text)
  const found = yield* Effect.option(files.stat(path))
  if (Option.isSome(found) && found.value.type !== "File") return yield* Stream.run(bytes, files.sink(path))

  const target = Option.isSome(found) ? yield* files.realPath(path) : path
  const draft = `${target}.${randomBytes(4).toString("hex")}.partial`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* files.open(draft, { flag: "wx", mode: 0o600 })
      yield* Stream.runForEach(bytes, (part) => file.writeAll(part))
      yield* file.sync
    })
  ).pipe(
    Effect.andThen(files.rename(draft, target)),
    Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.ignore(files.remove(draft, { force: true }))))
  )
})
