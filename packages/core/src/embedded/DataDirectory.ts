/**
 * Decides whether a data directory is ours, before anything is written. A directory with other files is refused and stays
 * unchanged. Owner and permissions of an existing directory are never changed: private data is in files with mode 0600 and
 * in our own subdirectory.
 */
import { randomUUID } from "node:crypto"
import type { Dirent, Stats } from "node:fs"
import { chown, lstat, mkdir, readFile, readdir, rename, rmdir, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { ProcessUser } from "./SystemUser.ts"
import * as Cluster from "./Cluster.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Passwords from "./Passwords.ts"

/** The file with the passwords, and the default place of the database. */
export const paths = (directory: string) => ({
  credentialsFile: join(directory, "embedded-postgres.json"),
  inside: join(directory, "embedded-postgres")
})

/** Creates the data directory if it is missing. It fails if the directory has other files. */
export const prepare = async (directory: string): Promise<void> => {
  if (await isThere(directory)) return await assertDirectory(directory)
  await mkdir(dirname(directory), { recursive: true })
  // As root, PostgreSQL runs as another user, who needs to traverse the directory.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  await mkdir(directory, { mode }).catch(unless("EEXIST"))
}

/**
 * Creates the place of the database if it is missing, readable only for `as`. It fails if the place has other files. The
 * directory is renamed to `place` after its owner is set, so the owner of an existing directory is never changed.
 */
export const preparePlace = async (place: string, isKnown: boolean, as: ProcessUser): Promise<void> => {
  await assertPlace(place, isKnown)
  const there = await lstat(place).catch(unless("ENOENT"))
  if (as.uid === undefined || as.gid === undefined) {
    if (there === undefined) await mkdir(place, { mode: 0o700 }).catch(unless("EEXIST"))
    return
  }
  const isUnowned = there === undefined || (there.isDirectory() && there.uid === 0 && (await isEmpty(place)))
  if (!isUnowned) return
  const draft = `${place}.${randomUUID()}`
  await mkdir(draft, { mode: 0o700 })
  await chown(draft, as.uid, as.gid)
  // The rename replaces an empty directory. It fails if another process has put files there.
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    await rmdir(draft)
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
  })
}

const isThere = async (directory: string): Promise<boolean> => {
  const there: Stats | undefined = await stat(directory).catch(unless("ENOENT"))
  // A dangling symbolic link is refused too.
  if (there === undefined) return (await lstat(directory).catch(unless("ENOENT"))) !== undefined && refuse(directory)
  return there.isDirectory() || refuse(directory)
}

const refuse = (path: string): never => {
  throw new EmbeddedPostgresError({ reason: "NotADirectory", path })
}

/** Passes if a first start has finished here, or if there are only files of an unfinished first start. */
const assertDirectory = async (directory: string): Promise<void> => {
  const { credentialsFile, inside } = paths(directory)
  const credentials = await Passwords.read(credentialsFile).catch((error: EmbeddedPostgresError) => {
    if (error.reason !== "PasswordsBroken") throw error
    return undefined
  })
  if (await isFinished(credentials?.place ?? inside, credentials !== undefined)) return
  const entries = await readdir(directory, { withFileTypes: true })
  assertOurs(directory, entries, leftInDirectory)
  await assertPlace(inside, credentials !== undefined)
}

/** Passes if the place has a finished database of ours, or only files of an unfinished first start. */
const assertPlace = async (place: string, isKnown: boolean): Promise<void> => {
  if (await isFinished(place, isKnown)) return
  const there = await lstat(place).catch(unless("ENOENT"))
  if (there === undefined) return
  if (!there.isDirectory()) throw new EmbeddedPostgresError({ reason: "Foreign", path: place })
  const entries = await readdir(place, { withFileTypes: true })
  assertOurs(place, entries, leftInPlace)
  const data = join(place, "data")
  const isTaken = entries.some(({ name }) => name === "data") && !(await isEmpty(data))
  // Another process may have finished its first start meanwhile.
  if (isTaken && !(await isFinished(place, isKnown))) {
    throw new EmbeddedPostgresError({ reason: "Foreign", path: data })
  }
}

/**
 * Whether a first start has finished: the database directory gets its name last. Our file of passwords (`isKnown`) or our
 * `pg_hba.conf` shows that it is ours and not that of another PostgreSQL.
 */
const isFinished = async (place: string, isKnown: boolean): Promise<boolean> => {
  const read = (name: string) => readFile(join(place, "data", name), "utf8").catch(unless("ENOENT", "ENOTDIR"))
  if ((await read("PG_VERSION")) === undefined) return false
  return isKnown || (await read("pg_hba.conf")) === Cluster.access
}

type Kind = "isDirectory" | "isFile" | "isFIFO"
type Leftovers = ReadonlyArray<readonly [name: RegExp, kind: Kind]>

const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

/** Files that an interrupted first start leaves in the data directory, and `lost+found` of a mounted file system. */
const leftInDirectory: Leftovers = [
  [/^jwt-secret(\.\d+)?$/, "isFile"],
  [/^embedded-postgres\.json(\.new)?$/, "isFile"],
  [new RegExp(`^embedded-postgres(\\.${uuid})?$`), "isDirectory"],
  [/^lost\+found$/, "isDirectory"]
]

/** Files that an interrupted first start leaves in the place of the database. */
const leftInPlace: Leftovers = [
  [new RegExp(`^(lock|wait)\\.${uuid}$`), "isFIFO"],
  [/^users\.\d+(\.closing)?$/, "isFIFO"],
  [/^log$/, "isFile"],
  [/^data$/, "isDirectory"],
  [new RegExp(`^new-${uuid}$`), "isDirectory"],
  [/^native-\d[\w.+-]*$/, "isDirectory"]
]

const assertOurs = (path: string, entries: ReadonlyArray<Dirent>, leftovers: Leftovers): void => {
  const foreign = entries.find((entry) => !leftovers.some(([name, kind]) => name.test(entry.name) && entry[kind]()))
  if (foreign !== undefined) throw new EmbeddedPostgresError({ reason: "Foreign", path, detail: foreign.name })
}

const isEmpty = async (directory: string): Promise<boolean> => (await readdir(directory)).length === 0

/** Ignores errors with these codes. */
const unless =
  (...codes: ReadonlyArray<string>) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code === undefined || !codes.includes(error.code)) throw error
  }
