import { userInfo } from "node:os"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { run } from "./SystemProcess.ts"

/** The user that PostgreSQL runs as; empty for the one that this process runs as. */
export interface ProcessUser {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root: for root it runs as `nobody`. */
export const processUser = async (): Promise<ProcessUser> => {
  if (process.getuid?.() !== 0) {
    try {
      userInfo()
      return {}
    } catch {
      throw new EmbeddedPostgresError({ reason: "NoAccount", path: `user ${process.getuid?.()}` })
    }
  }
  const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, "nobody"])))
  if (uid?.status !== 0 || gid?.status !== 0) {
    throw new EmbeddedPostgresError({ reason: "NoAccount", path: "user nobody" })
  }
  return { uid: Number(uid.output), gid: Number(gid.output) }
}

/** Whether the account may pass through a directory and all above it. */
export const mayEnter = async (as: ProcessUser, directory: string): Promise<boolean> =>
  as.uid === undefined || (await run("/bin/sh", ["-c", 'cd "$1"', "sh", directory], as)).status === 0
