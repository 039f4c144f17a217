import { userInfo } from "node:os"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { run } from "./SystemProcess.ts"

/** The user that runs PostgreSQL. Empty for the user of this process. */
export interface ProcessUser {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root, so for root this is `nobody`. */
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

/** Whether the user may traverse a directory and all directories above it. */
export const mayEnter = async (as: ProcessUser, directory: string): Promise<boolean> =>
  as.uid === undefined || (await run("/bin/sh", ["-c", 'cd "$1"', "sh", directory], as)).status === 0
