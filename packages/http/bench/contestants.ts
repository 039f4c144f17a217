/** Who is measured, how each is started, and what its process has used. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { open, readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { BenchDatabase } from "./postgres.ts"
import { claims, secret } from "./tokens.ts"

export const names = ["todo", "fastify", "limit", "fastapi"] as const
export type Name = (typeof names)[number]

/** How the tables name them. */
export const titles: Record<Name, string> = {
  todo: "todo",
  fastify: "Fastify + pg",
  limit: "limit (node:http + pg)",
  fastapi: "FastAPI + SQLModel"
}

export interface Contestant {
  readonly name: Name
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

const contestants = join(import.meta.dirname, "contestants")

/** A Python that has what the plan needs: Debian's, or that of a virtual environment. */
const python = ["python3", "/usr/bin/python3"].find(
  (path) => spawnSync(path, ["-c", "import fastapi, jose, psycopg2, sqlmodel, uvicorn"]).status === 0
)

/** Why it cannot be measured here, if so. */
export const missing = (name: Name): string | undefined =>
  name === "fastapi" && python === undefined
    ? "no Python with FastAPI here: apt-get install python3-fastapi python3-sqlmodel python3-psycopg2 python3-jose uvicorn python3-uvloop python3-httptools"
    : undefined

const command = (name: Name, port: number): readonly [string, ReadonlyArray<string>] => {
  switch (name) {
    case "todo":
      // What `npm start` runs.
      return [process.execPath, [join(import.meta.dirname, "../src/main.ts")]]
    case "fastify":
    case "limit":
      return [process.execPath, [join(contestants, `${name}.ts`)]]
    case "fastapi": {
      const workers = ["--workers", "2", "--no-access-log", "--log-level", "error"]
      return [
        python ?? "python3",
        ["-m", "uvicorn", "--app-dir", contestants, "--port", String(port), ...workers, "fastapi_sqlmodel:app"]
      ]
    }
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

/** Where those that run on Node leave their CPU profiles. */
const profiles = process.env["BENCH_PROFILES"]

/** Starts it on the database; what it logs goes to a file of the directory. */
export const start = async (name: Name, database: BenchDatabase, directory: string): Promise<Contestant> => {
  const port = await freePort()
  const log = await open(join(directory, `${name}-${port}.log`), "w")
  const [program, args] = command(name, port)
  const child = spawn(program, args, {
    stdio: ["ignore", log.fd, "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      ...(profiles !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` }),
      PYTHONDONTWRITEBYTECODE: "1",
      PORT: String(port),
      DATABASE_URL: name === "todo" ? database.runtimeUrl : database.url,
      // As it is by default, but for how many: one user alone, who reads at depth, asks for more than those.
      TODO_RATE_LIMIT: "1000000/minute",
      TODO_JWT_SECRET: secret,
      TODO_JWT_ISSUER: claims.iss,
      TODO_JWT_AUDIENCE: claims.aud
    }
  })
  await log.close()
  // However the run ends, nobody goes on without it.
  const kill = () => child.kill("SIGTERM")
  process.once("exit", kill)
  child.once("exit", () => process.off("exit", kill))
  const url = `http://127.0.0.1:${port}`
  const stop = () => end(child)
  if (await isUp(child, `${url}/readyz`)) return { name, url, pid: child.pid ?? 0, stop }
  await stop()
  throw new Error(`${titles[name]} did not start`)
}

/** Whether it answers at all, within half a minute. */
const isUp = async (child: ChildProcess, url: string): Promise<boolean> => {
  const deadline = performance.now() + 30_000
  while (child.exitCode === null && performance.now() < deadline) {
    const answered = await fetch(url).then(
      ({ status }) => status !== 503,
      () => false
    )
    if (answered) return true
    await sleep(5)
  }
  return false
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  child.kill("SIGTERM")
  const late = setTimeout(() => child.kill("SIGKILL"), 15_000)
  await exited
  clearTimeout(late)
}

/** A process and its children, which its first thread has started, by their ids. */
const family = async (pid: number): Promise<ReadonlyArray<number>> => {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter((id) => id !== "")
  return [pid, ...(await Promise.all(children.map((id) => family(Number(id))))).flat()]
}

/** CPU time that it has used so far, with its children, in microseconds. */
export const cpu = async ({ pid }: Contestant): Promise<number> => {
  let ticks = 0
  for (const id of await family(pid)) {
    const fields = (await readFile(`/proc/${id}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? []
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * 10_000
}

/** The most memory that it has held so far, in MiB. */
export const peakMemory = async ({ pid }: Contestant): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8")
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}
