import { randomBytes } from "node:crypto"
import { open, readFile, rename, rm } from "node:fs/promises"
import * as Schema from "effect/Schema"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** 32 random bytes in base64url, which needs no quoting in SQL or in a URL. */
const Password = Schema.String.check(Schema.isPattern(/^[\w-]{43}$/))

/** The content of `embedded-postgres.json`. */
export const Credentials = Schema.Struct({
  /** The place of the database, if it is outside of the data directory. */
  place: Schema.optionalKey(Schema.NonEmptyString),
  passwords: Schema.Struct({ postgres: Password, todo_owner: Password, todo_runtime: Password })
})
export type Credentials = typeof Credentials.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Credentials))

export const read = async (path: string): Promise<Credentials | undefined> => {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw EmbeddedPostgresError.from(path, error)
  }
  try {
    return decode(text)
  } catch {
    throw new EmbeddedPostgresError({ reason: "PasswordsBroken", path })
  }
}

/** Creates passwords and stores them, readable for this user only. The file appears complete or not at all. */
export const create = async (path: string, place: string | undefined): Promise<Credentials> => {
  const password = () => randomBytes(32).toString("base64url")
  const credentials = {
    ...(place === undefined ? {} : { place }),
    passwords: { postgres: password(), todo_owner: password(), todo_runtime: password() }
  }
  try {
    // Always create a new file, so that a symbolic link is not followed.
    await rm(`${path}.new`, { force: true })
    const file = await open(`${path}.new`, "wx", 0o600)
    try {
      await file.writeFile(JSON.stringify(credentials, undefined, 2))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
  } catch (error) {
    throw EmbeddedPostgresError.from(path, error)
  }
  return credentials
}
