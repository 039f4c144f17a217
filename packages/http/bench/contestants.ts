/** The contestants: how each is started, and the CPU time and memory that it has used. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../../../.config/freePort.ts"
import type { BenchDatabase } from "./postgres.ts"
import { claims, secret } from "./tokens.ts"

export const names = ["todo", "fair", "pipelined", "fastify", "limit", "fastapi"] as const
export type Name = (typeof names)[number]

/** The contestants that make the promises of `promises.ts`. The others only answer the scenarios. */
export const promising: ReadonlyArray<Name> = ["todo", "fair", "pipelined"]

/** The names of the contestants in tables. */
export const titles: Record<Name, string> = {
  todo: "todo",
  fair: "Fastify + pg, same promises",
  pipelined: "the same, pipelined",
  fastify: "Fastify + pg, no promises",
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

/** A Python that has the required packages: that of Debian, or of a virtual environment. */
const python = ["python3", "/usr/bin/python3"].find(
  (path) => spawnSync(path, ["-c", "import fastapi, jose, psycopg2, sqlmodel, uvicorn"]).status === 0
)

/** The reason why this machine cannot run a contestant, or `undefined`. */
export const missing = (name: Name): string | undefined =>
  name === "fastapi" && python === undefined
    ? "no Python with FastAPI here: apt-get install python3-fastapi python3-sqlmodel python3-psycopg2 python3-jose uvicorn python3-uvloop python3-httptools"
    : undefined

const command = (name: Name, port: number): readonly [string, ReadonlyArray<string>] => {
  switch (name) {
    case "todo":
      // `npm start` runs this file.
      return [process.execPath, [join(import.meta.dirname, "../src/main.ts")]]
    case "fair":
    case "pipelined":
      return [process.execPath, [join(contestants, "fair.ts")]]
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

/** The directory for CPU profiles of contestants on Node. */
const profiles = process.env["BENCH_PROFILES"]

/** Starts a contestant on the database. Its log goes to a file in the directory. */
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
      // The owner of the tables is exempt from row-level security.
      DATABASE_URL: promising.includes(name) ? database.runtimeUrl : database.url,
      ...(name === "pipelined" && { FAIR_PIPELINE: "1" }),
      // The rate limit stays on. The default number is too low for the single user who reads at depth.
      TODO_RATE_LIMIT: "1000000/minute",
      TODO_JWT_SECRET: secret,
      TODO_JWT_ISSUER: claims.iss,
      TODO_JWT_AUDIENCE: claims.aud
    }
  })
  await log.close()
  // The contestant must not outlive the bench.
  const kill = () => child.kill("SIGTERM")
  process.once("exit", kill)
  child.once("exit", () => process.off("exit", kill))
  const url = `http://127.0.0.1:${port}`
  const stop = () => end(child)
  if (await isUp(child, `${url}/readyz`)) return { name, url, pid: child.pid ?? 0, stop }
  await stop()
  throw new Error(`${titles[name]} did not start`)
}

/** Whether the contestant answers within 30 seconds. */
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

/** The ids of a process and of the children of its first thread. */
const family = async (pid: number): Promise<ReadonlyArray<number>> => {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter((id) => id !== "")
  return [pid, ...(await Promise.all(children.map((id) => family(Number(id))))).flat()]
}

/** The CPU time of a process so far, in microseconds. */
export const cpuOf = async (pid: number): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** The CPU time of a contestant and its children so far, in microseconds. */
export const cpu = async ({ pid }: Contestant): Promise<number> =>
  (await Promise.all((await family(pid)).map(cpuOf))).reduce((sum, one) => sum + one)

/** The peak memory of a contestant so far, in MiB. */
export const peakMemory = async ({ pid }: Contestant): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8")
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}
