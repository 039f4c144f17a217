/**
 * A stand-in for the local database of an app: the user's rows, and the cursor of the last change that they contain.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import type { Change } from "@todo/http/client/promise"

const file = "todo-copy.json"

const stored: { readonly cursor?: string; readonly rows: Record<string, Change> } = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : { rows: {} }
const { rows } = stored

/** Pass it as `since`. It is `undefined` at the first start. */
export const { cursor } = stored

/** Applies a change and stores it together with its cursor, so that a crash cannot separate them. */
export const save = (change: Change, cursor: string | undefined): void => {
  if (change.deleted) delete rows[change.id]
  else rows[change.id] = change
  writeFileSync(`${file}.new`, JSON.stringify({ cursor, rows }))
  renameSync(`${file}.new`, file)
  console.log(change.kind, change.revision)
}
