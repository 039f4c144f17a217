import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** Writes text as it comes, no faster than it is taken: to a file, or else to stdout. */
export const writeTo = Effect.fnUntraced(function* <E, R>(
  output: Option.Option<string>,
  text: Stream.Stream<string, E, R>
) {
  if (Option.isSome(output)) return yield* toFile(output.value, text)
  const stdio = yield* Stdio.Stdio
  return yield* Stream.run(text, stdio.stdout())
})

/**
 * The file is there when all of it is on the disk, and what was there before stays until then. Others may not read it.
 * A device or a pipe cannot be replaced, and is written to as it is.
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
