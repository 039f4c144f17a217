/**
 * `npm run bench`: this server beside what a team would write instead, on one PostgreSQL
 * with the same todos, in turn. Prints medians and ratios; quote them with the machine.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { Database, Migrations } from "@todo/core"
import { startThrowAway } from "@todo/core/postgres"
import autocannon from "autocannon"
import { Effect, Redacted } from "effect"
import { SignJWT } from "jose"
import { Client } from "pg"
import { seed, users } from "./data.ts"

const seconds = Number(process.env["BENCH_SECONDS"] ?? 3)
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5)
const secret = randomBytes(32).toString("base64url")

interface Contestant {
  readonly name: string
  readonly url: string
  readonly process: ChildProcess
}

const start = async (
  name: string,
  file: string,
  port: number,
  environment: Record<string, string>
): Promise<Contestant> => {
  const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      TODO_JWT_SECRET: secret,
      NODE_ENV: "production",
      ...environment
    }
  })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(url).then(
        () => true,
        () => false
      )
    )
      return { name, url, process: child }
    await sleep(100)
  }
  throw new Error(`${name} did not start`)
}

/** CPU time of a process so far, in seconds. */
const cpu = (pid: number | undefined): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const postgres = await startThrowAway()
const contestants: Array<Contestant> = []
try {
  const url = postgres.url("postgres")
  await Effect.runPromise(
    Effect.provide(Migrations.up({ runtimeRole: "todo_runtime" }), Database.layer({ url: Redacted.make(url) }))
  )
  const client = new Client(url)
  await client.connect()
  const ids = await seed(client)
  await client.end()

  const tokens = await Promise.all(
    users.map((user) =>
      new SignJWT({ sub: user, iss: "bench", aud: "bench" })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(new TextEncoder().encode(secret))
    )
  )
  const runtime = url.replace("postgres@", "todo_runtime@")
  const claims = { TODO_JWT_ISSUER: "bench", TODO_JWT_AUDIENCE: "bench" }
  contestants.push(
    await start("todo", "../src/main.ts", 4801, { DATABASE_URL: runtime, TODO_MIGRATE_URL: url, ...claims }),
    await start("fastify + pg", "fastify.ts", 4802, { DATABASE_URL: url })
  )

  const json = { "content-type": "application/json" }
  const scenarios: Record<string, (user: number, n: number) => autocannon.Request> = {
    "get one": (user, n) => ({ method: "GET", path: `/v1/todos/${ids[user]?.[n % 500]}` }),
    "list 50": () => ({ method: "GET", path: "/v1/todos?limit=50" }),
    create: (_, n) => ({
      method: "POST",
      path: "/v1/todos",
      headers: json,
      body: JSON.stringify({ title: `new ${n}` })
    }),
    patch: (user, n) => ({
      method: "PATCH",
      path: `/v1/todos/${ids[user]?.[n % 500]}`,
      headers: json,
      body: JSON.stringify({ title: `changed ${Math.random()}` })
    })
  }

  /** One contestant under one scenario for some seconds: requests a second, and CPU a request. */
  const measure = async (contestant: Contestant, scenario: (user: number, n: number) => autocannon.Request) => {
    const requests = Array.from({ length: 1_000 }, (_, n) => {
      const user = n % users.length
      const request = scenario(user, n)
      return { ...request, headers: { ...request.headers, authorization: `Bearer ${tokens[user]}` } }
    })
    const before = cpu(contestant.process.pid)
    const result = await autocannon({ url: contestant.url, connections: 16, duration: seconds, requests })
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${contestant.name}: ${result.non2xx} bad answers`)
    const total = result.requests.total
    return {
      rate: total / result.duration,
      micros: ((cpu(contestant.process.pid) - before) / total) * 1e6,
      p99: result.latency.p99
    }
  }

  console.log(
    `16 connections, ${rounds} rounds of ${seconds} s in turn after a warm-up; requests/s (spread), CPU a request, p99`
  )
  for (const [name, scenario] of Object.entries(scenarios)) {
    const runs = contestants.map(() => [] as Array<Awaited<ReturnType<typeof measure>>>)
    for (const contestant of contestants) await measure(contestant, scenario)
    for (let round = 0; round < rounds; round++) {
      for (const [index, contestant] of contestants.entries()) runs[index]?.push(await measure(contestant, scenario))
    }
    const ratio = median((runs[0] ?? []).map(({ rate }, round) => rate / (runs[1]?.[round]?.rate ?? 1)))
    const columns = contestants.map(({ name }, index) => {
      const rates = (runs[index] ?? []).map(({ rate }) => rate)
      const [micros, p99] = [
        median((runs[index] ?? []).map((run) => run.micros)),
        median((runs[index] ?? []).map((run) => run.p99))
      ]
      return `${name} ${Math.round(median(rates))}/s (${Math.round(Math.min(...rates))}-${Math.round(Math.max(...rates))}) ${Math.round(micros)} us ${p99} ms`
    })
    console.log(`${name.padEnd(8)} ${ratio.toFixed(2)} x   ${columns.join("   ")}`)
  }
} finally {
  for (const { process } of contestants) process.kill("SIGTERM")
  await postgres.stop()
}
