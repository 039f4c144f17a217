import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { type ProcessUser, processUser, mayEnter } from "./SystemUser.ts"
import * as DataDirectory from "./DataDirectory.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Passwords from "./Passwords.ts"

/** Where things are. */
export interface DirectoryLayout {
  readonly user: ProcessUser
  /** The file with the passwords. */
  readonly credentialsFile: string
  /** The folder of everything else: database files, log, pipes, copied binaries. */
  readonly place: string
  /** Whether `place` is outside of the data directory. */
  readonly elsewhere: boolean
}

/**
 * Makes the data directory, or takes the one that is there if it is empty or ours. Where PostgreSQL's user cannot
 * enter it (as root, in or below a folder that only root may enter), the place of the database is below /var/lib/todo.
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

/** As root in a directory of another user: that user. */
const ownerOf = async (directory: string, as: ProcessUser): Promise<ProcessUser> => {
  if (as.uid === undefined) return as
  const { gid, uid } = await stat(directory)
  return uid === 0 ? as : { uid, gid }
}
