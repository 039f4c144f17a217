/** Exports and imports files as text, as the owner of the schema. */
import type { UserId } from "@todo/core"
import { Export, Import } from "@todo/core/admin"
import { Effect, Stream } from "effect"
import { asOwner } from "./connections.ts"

/** The file of an export. */
export const exported = (user: UserId) =>
  asOwner(Export.snapshot(user, (snapshot) => Stream.mkString(Export.toLines(snapshot))))

interface Options {
  readonly user?: UserId
  readonly merge?: boolean
  readonly dryRun?: boolean
}

/** Imports a file in chunks of irregular sizes. */
export const imported = (file: string | Uint8Array, { dryRun = false, merge = false, user }: Options = {}) =>
  Import.restore<never, never, never>(pieces(typeof file === "string" ? Buffer.from(file) : file), {
    dryRun,
    merge,
    user,
    watch: (_step, _total, use) => use(() => Effect.void)
  }).pipe(asOwner)

const pieces = (bytes: Uint8Array) =>
  Stream.fromIterable(
    (function* () {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 60_013) {
        yield bytes.subarray(at, at + size)
      }
    })()
  )

/** The JSON documents of a file. */
export const linesOf = (file: string): ReadonlyArray<object> =>
  file
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

/** A file of these JSON documents. A string is written as it is. */
export const fileOf = (lines: ReadonlyArray<unknown>): string =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")
