/**
 * Whose a data directory is. This is looked at before anything is written: a directory that holds anything but our own
 * files is refused as it is. The permissions and the owner of a directory that was there before are never changed: what
 * must be private lies in files with mode 0600 and in a subdirectory of our own.
 */
import { randomUUID } from "node:crypto"
import type { Dirent, Stats } from "node:fs"
import { chown, lstat, mkdir, readFile, readdir, rename, rmdir, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { ProcessUser } from "./SystemUser.ts"
import * as Cluster from "./Cluster.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Passwords from "./Passwords.ts"

/** The file with the passwords, and the place of the database where that is in the data directory. */
export const paths = (directory: string) => ({
  credentialsFile: join(directory, "embedded-postgres.json"),
  inside: join(directory, "embedded-postgres")
})

/** Makes the data directory where there is none; fails where it holds something else. */
export const prepare = async (directory: string): Promise<void> => {
  if (await isThere(directory)) return await look(directory)
  await mkdir(dirname(directory), { recursive: true })
  // As root, PostgreSQL runs as another user, who has to pass through.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  await mkdir(directory, { mode }).catch(unless("EEXIST"))
}

/**
 * Makes the place of the database where there is none, for the account alone; fails where it holds something else.
 * It gets its name when it belongs to the account, so the owner of a directory with that name is never changed.
 */
export const preparePlace = async (place: string, isKnown: boolean, as: ProcessUser): Promise<void> => {
  await lookAtPlace(place, isKnown)
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
  // This replaces an empty directory, and fails where another process has begun to use one.
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    await rmdir(draft)
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
  })
}

const isThere = async (directory: string): Promise<boolean> => {
  const there: Stats | undefined = await stat(directory).catch(unless("ENOENT"))
  // A link to nothing has no directory behind it either.
  if (there === undefined) return (await lstat(directory).catch(unless("ENOENT"))) !== undefined && refuse(directory)
  return there.isDirectory() || refuse(directory)
}

const refuse = (path: string): never => {
  throw new EmbeddedPostgresError({ reason: "NotADirectory", path })
}

/** Passes where a first start of ours has finished here, or where nothing but the files of an unfinished one is here. */
const look = async (directory: string): Promise<void> => {
  const { credentialsFile, inside } = paths(directory)
  const credentials = await Passwords.read(credentialsFile).catch((error: EmbeddedPostgresError) => {
    if (error.reason !== "PasswordsBroken") throw error
    return undefined
  })
  if (await isFinished(credentials?.place ?? inside, credentials !== undefined)) return
  const entries = await readdir(directory, { withFileTypes: true })
  assertOurs(directory, entries, leftInDirectory)
  await lookAtPlace(inside, credentials !== undefined)
}

/** The same for the place of the database. */
const lookAtPlace = async (place: string, isKnown: boolean): Promise<void> => {
  if (await isFinished(place, isKnown)) return
  const there = await lstat(place).catch(unless("ENOENT"))
  if (there === undefined) return
  if (!there.isDirectory()) throw new EmbeddedPostgresError({ reason: "Foreign", path: place })
  const entries = await readdir(place, { withFileTypes: true })
  assertOurs(place, entries, leftInPlace)
  const data = join(place, "data")
  const isTaken = entries.some(({ name }) => name === "data") && !(await isEmpty(data))
  // Another process may have finished in between.
  if (isTaken && !(await isFinished(place, isKnown))) {
    throw new EmbeddedPostgresError({ reason: "Foreign", path: data })
  }
}

/**
 * Whether a first start has finished: the database directory gets its name last. That it is ours, and not that of another
 * PostgreSQL, is told by our file of passwords or by our rules of access.
 */
const isFinished = async (place: string, isKnown: boolean): Promise<boolean> => {
  const read = (name: string) => readFile(join(place, "data", name), "utf8").catch(unless("ENOENT", "ENOTDIR"))
  if ((await read("PG_VERSION")) === undefined) return false
  return isKnown || (await read("pg_hba.conf")) === Cluster.access
}

type Kind = "isDirectory" | "isFile" | "isFIFO"
type Leftovers = ReadonlyArray<readonly [name: RegExp, kind: Kind]>

const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

/** What a first start that was interrupted leaves in the data directory, and what a file system of its own has there. */
const leftInDirectory: Leftovers = [
  [/^jwt-secret(\.\d+)?$/, "isFile"],
  [/^embedded-postgres\.json(\.new)?$/, "isFile"],
  [new RegExp(`^embedded-postgres(\\.${uuid})?$`), "isDirectory"],
  [/^lost\+found$/, "isDirectory"]
]

/** What it leaves in the place of the database. */
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

/** Lets some kinds of failure pass. */
const unless =
  (...codes: ReadonlyArray<string>) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code === undefined || !codes.includes(error.code)) throw error
  }
