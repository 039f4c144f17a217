import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { chmod, chown, mkdir, readdir, stat } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { type Account, account, mayEnter } from "./Account.ts"
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
 * Makes the data directory, or takes the one that is there if it is empty, has
 * been one before or is private to its owner. Where PostgreSQL's user cannot
 * enter it (as root, below a folder that only root may enter), the place of the
 * database is below /var/lib/todo.
 */
export const home = async (given: string): Promise<Home> => {
  const directory = resolve(given)
  try {
    const as = await own(directory, await account())
    const keeping = join(directory, "embedded-postgres.json")
    const inside = join(directory, "embedded-postgres")
    const recorded = (await Passwords.read(keeping))?.place
    const barred = !(await mayEnter(as, directory))
    if (barred && existsSync(join(inside, "data"))) {
      throw new EmbeddedPostgresError({ reason: "NotPermitted", path: directory, detail: `to user ${as.uid}` })
    }
    const place = recorded ?? (barred ? await retreat(directory) : inside)
    return { account: await own(place, as), keeping, place, elsewhere: place !== inside }
  } catch (error) {
    throw EmbeddedPostgresError.from(directory, error)
  }
}

const retreat = async (directory: string): Promise<string> => {
  const common = "/var/lib/todo"
  await mkdir(common, { recursive: true })
  await chmod(common, 0o755)
  return join(common, createHash("sha256").update(directory).digest("hex").slice(0, 16))
}

/** Makes a directory that is the account's alone, and returns the account that it belongs to. */
const own = async (directory: string, as: Account): Promise<Account> => {
  await mkdir(dirname(directory), { recursive: true })
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error
  })
  const there = await stat(directory)
  if (!there.isDirectory()) throw new EmbeddedPostgresError({ reason: "NotADirectory", path: directory })
  const names = await readdir(directory)
  const known = names.length === 0 || names.some((name) => ours.test(name))
  if (names.includes("PG_VERSION") || (!known && (there.mode & 0o077) !== 0)) {
    throw new EmbeddedPostgresError({ reason: "Foreign", path: directory })
  }
  if (known && (there.mode & 0o777) !== 0o700) await chmod(directory, 0o700)
  if (as.uid === undefined || as.gid === undefined) return as
  // As root in a directory of another user: as that user.
  if (there.uid !== 0) return { uid: there.uid, gid: there.gid }
  if (known) await chown(directory, as.uid, as.gid)
  return as
}

/** What this program keeps in the data directory, and in the place of the database. */
const ours = /^(embedded-postgres|jwt-secret|data$|new-|log$|lock\.|wait\.|users\.|native-)/
