import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { type Account, account, mayEnter } from "./SystemUser.ts"
import * as DataDirectory from "./DataDirectory.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Passwords from "./Passwords.ts"

/** Where things are. */
export interface Home {
  readonly account: Account
  /** The file with the passwords. */
  readonly keeping: string
  /** The folder of everything else: database files, log, pipes, copied binaries. */
  readonly place: string
  /** Whether `place` is outside of the data directory. */
  readonly elsewhere: boolean
}

/**
 * Makes the data directory, or takes the one that is there if it is empty or ours. Where PostgreSQL's user cannot
 * enter it (as root, in or below a folder that only root may enter), the place of the database is below /var/lib/todo.
 */
export const home = async (given: string): Promise<Home> => {
  const directory = resolve(given)
  try {
    const most = await account()
    await DataDirectory.prepare(directory)
    const as = await ownerOf(directory, most)
    const { inside, keeping } = DataDirectory.paths(directory)
    const known = await Passwords.read(keeping)
    const barred = !(await mayEnter(as, directory))
    if (barred && existsSync(join(inside, "data"))) {
      throw new EmbeddedPostgresError({ reason: "NotPermitted", path: directory, detail: `to user ${as.uid}` })
    }
    const place = known?.place ?? (barred ? await retreat(directory) : inside)
    await DataDirectory.preparePlace(place, known !== undefined, as)
    return { account: await ownerOf(place, as), keeping, place, elsewhere: place !== inside }
  } catch (error) {
    throw EmbeddedPostgresError.from(directory, error)
  }
}

const retreat = async (directory: string): Promise<string> => {
  const common = "/var/lib/todo"
  await mkdir(common, { recursive: true, mode: 0o755 })
  return join(common, createHash("sha256").update(directory).digest("hex").slice(0, 16))
}

/** As root in a directory of another user: that user. */
const ownerOf = async (directory: string, as: Account): Promise<Account> => {
  if (as.uid === undefined) return as
  const { gid, uid } = await stat(directory)
  return uid === 0 ? as : { uid, gid }
}
