/**
 * Generates load in a process of its own, so that it shares only the cores with the server. It uses wrk if that is
 * installed, because wrk costs the least CPU time, else autocannon.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import type { Request, User } from "./scenarios.ts"

/** The result of one run. Times are in milliseconds. */
export interface Run {
  readonly requests: number
  readonly seconds: number
  readonly failed: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** A request of a user. It is repeated in turn with the others of its connection, or of its thread of wrk. */
export interface Sent {
  readonly user: User
  readonly request: Request
}

/** The input of `autocannon.ts`. */
export interface Plan {
  readonly url: string
  readonly seconds: number
  /** The requests of each connection, with the placeholders of `message`. */
  readonly connections: ReadonlyArray<ReadonlyArray<ReturnType<typeof message>>>
}

const hasWrk = spawnSync("wrk", ["--version"]).error === undefined

export const generator = hasWrk ? "wrk" : "autocannon"

/** Placeholders: `@n` becomes the round as eight digits, and `@42@` the sum of 42 and the round. */
const message = ({ request: { body, ifMatch, method, path }, user }: Sent) => ({
  method,
  path,
  headers: {
    authorization: `Bearer ${user.token}`,
    ...(ifMatch !== undefined && { "if-match": `"@${ifMatch}@"` }),
    ...(body !== undefined && { "content-type": "application/json" })
  } as Record<string, string>,
  body
})

const raw = (sent: Sent): string => {
  const { body = "", headers, method, path } = message(sent)
  const length = Buffer.byteLength(body.replaceAll("@n", "00000000"))
  const fields = Object.entries({ host: "127.0.0.1", ...headers, ...(length > 0 && { "content-length": length }) })
  return `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`
}

/** Sends each list of requests on its own connection. */
export const load = async (
  url: string,
  connections: ReadonlyArray<ReadonlyArray<Sent>>,
  seconds: number,
  directory: string
): Promise<Run> => {
  await mkdir(directory, { recursive: true })
  const args = hasWrk
    ? await forWrk(url, connections, seconds, directory)
    : await forAutocannon(url, connections, seconds, directory)
  const child = spawn(hasWrk ? "wrk" : process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  const output = await text(child.stdout)
  const [line] = /^\{.*\}$/m.exec(output) ?? []
  if (line === undefined) throw new Error(`the load came to nothing:\n${output}`)
  return JSON.parse(line)
}

/** Interleaves lists: the first of each list, then the second of each. */
export const takingTurns = (lists: ReadonlyArray<ReadonlyArray<Sent>>): ReadonlyArray<Sent> =>
  Array.from({ length: Math.max(0, ...lists.map(({ length }) => length)) }, (_, n) =>
    lists.flatMap((list) => list[n] ?? [])
  ).flat()

type Arguments = Parameters<typeof load>

/**
 * The threads of wrk. Both numbers of connections are multiples of it. More threads would wait for a core themselves: with
 * 100 threads for 100 connections, the p99 of the mixed load is 118 ms; with two it is 49 ms.
 */
const fewThreads = 2

const forWrk = async (...[url, connections, seconds, directory]: Arguments) => {
  // If the order of requests matters, each connection has its own thread: the script of wrk only knows the thread.
  const ordered = connections.some((sent) => sent.some(({ request }) => request.ifMatch !== undefined))
  const threads = ordered ? connections.length : fewThreads
  const lists = Array.from({ length: threads }, (_, thread) =>
    takingTurns(connections.filter((_, index) => index % threads === thread))
  )
  for (const [index, sent] of lists.entries()) {
    await writeFile(join(directory, String(index)), sent.map((one) => `${raw(one)}\0`).join(""))
  }
  const script = join(import.meta.dirname, "wrk.lua")
  const counts = ["-t", String(threads), "-c", String(connections.length), "-d", `${seconds}s`]
  return [...counts, "--timeout", "10s", "-s", script, url, "--", directory]
}

const forAutocannon = async (...[url, connections, seconds, directory]: Arguments) => {
  const plan: Plan = { url, seconds, connections: connections.map((sent) => sent.map(message)) }
  const path = join(directory, "plan.json")
  await writeFile(path, JSON.stringify(plan))
  return [join(import.meta.dirname, "autocannon.ts"), path]
}
