import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { type ProcessUser, processUser, mayEnter } from "./SystemUser.ts"
import * as DataDirectory from "./DataDirectory.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Passwords from "./Passwords.ts"

/** The paths of an embedded database and the user that runs it. */
export interface DirectoryLayout {
  /** The user that runs PostgreSQL. */
  readonly user: ProcessUser
  /** The file with the passwords. */
  readonly credentialsFile: string
  /** The directory with the database files, the log, the pipes and copied binaries. */
  readonly place: string
  /** Whether `place` is outside of the data directory. */
  readonly elsewhere: boolean
}

/**
 * Creates the data directory, or accepts an existing one that is empty or ours. If PostgreSQL's user cannot enter it (as
 * root, below a directory that only root may enter), the place of the database is below /var/lib/todo.
 */
export const prepareLayout = async (given: string): Promise<DirectoryLayout> => {
  const directory = resolve(given)
  try {
    const user = await processUser()
    await DataDirectory.prepare(directory)
    const as = await ownerOf(directory, user)
    const { credentialsFile, inside } = DataDirectory.paths(directory)
    const known = await Passwords.read(credentialsFile)
    const barred = !(await mayEnter(as, directory))
    if (barred && existsSync(join(inside, "data"))) {
      throw new EmbeddedPostgresError({ reason: "NotPermitted", path: directory, detail: `to user ${as.uid}` })
    }
    const place = known?.place ?? (barred ? await placeOutside(directory) : inside)
    await DataDirectory.preparePlace(place, known !== undefined, as)
    return { user: await ownerOf(place, as), credentialsFile, place, elsewhere: place !== inside }
  } catch (error) {
    throw EmbeddedPostgresError.from(directory, error)
  }
}

const placeOutside = async (directory: string): Promise<string> => {
  const common = "/var/lib/todo"
  await mkdir(common, { recursive: true, mode: 0o755 })
  return join(common, createHash("sha256").update(directory).digest("hex").slice(0, 16))
}

/** The owner of the directory, if this process is root and the owner is another user. */
const ownerOf = async (directory: string, as: ProcessUser): Promise<ProcessUser> => {
  if (as.uid === undefined) return as
  const { gid, uid } = await stat(directory)
  return uid === 0 ? as : { uid, gid }
}
