/**
 * Test kit: clients that send load and record the result of each request, and the resources of a process.
 */
import { randomUUID } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { Agent, request as send } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { expect } from "vitest"
import { claims, sign } from "./testServer.ts"

export interface Sample {
  readonly method: string
  /** The time of sending, of `performance.now`. */
  readonly began: number
  readonly milliseconds: number
  /** The status of the response, or the error. */
  readonly status: number | string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

export interface Sent {
  readonly path: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly json?: unknown
  /** Whether the body is chunked, without Content-Length. */
  readonly chunked?: boolean
  readonly agent?: Agent | false
  /** The timeout in milliseconds, after which the result is `no answer`. */
  readonly patience?: number
}

/** Sends one request; never fails. */
export const exchange = (
  url: string,
  { agent, chunked = false, headers, json, method = "GET", path, patience = 30_000 }: Sent
) =>
  new Promise<Sample>((resolve) => {
    const began = performance.now()
    const body = json === undefined ? undefined : JSON.stringify(json)
    const done = (status: number | string, text = "", headers: Sample["headers"] = {}) => {
      clearTimeout(late)
      resolve({ method, began, milliseconds: performance.now() - began, status, headers, text })
    }
    const asked = send(url + path, {
      method,
      agent,
      headers: {
        ...headers,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(body !== undefined &&
          (chunked ? { "transfer-encoding": "chunked" } : { "content-length": Buffer.byteLength(body) }))
      }
    })
    const late = setTimeout(() => {
      done("no answer")
      asked.destroy()
    }, patience)
    asked.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    asked.on("response", (answer) => {
      let text = ""
      answer.setEncoding("utf8").on("data", (part) => (text += part))
      answer.on("end", () => done(answer.statusCode ?? 0, text, answer.headers))
      answer.on("error", () => done("cut off"))
    })
    asked.end(body)
  })

/** The headers of a user with a token. */
export const bearer = async (id = `user-${randomUUID()}`) => ({ authorization: `Bearer ${await sign(claims(id))}` })

export interface LoadOptions {
  /** The requests per second. */
  readonly rate: number
  readonly agent?: Agent | false
  readonly patience?: number
}

/** Sends reads and writes of 20 users in turn, at fixed times that do not depend on responses (open model). */
export const load = async (url: string, { agent = new Agent({ keepAlive: true }), patience, rate }: LoadOptions) => {
  const users = await Promise.all(Array.from({ length: 20 }, () => bearer()))
  const samples: Array<Promise<Sample>> = []
  const ended: Array<Sample> = []
  const began = performance.now()
  const end = new AbortController()
  const next = (n: number): Sent => {
    const headers = users[n % users.length] ?? {}
    const one = { headers, agent, ...(patience !== undefined && { patience }) }
    return n % 3 === 0
      ? { ...one, method: "POST", path: "/v1/todos", json: { title: `todo ${n}` } }
      : { ...one, path: n % 3 === 1 ? "/v1/todos?limit=5" : "/v1/me" }
  }
  const sending = (async () => {
    for (let n = 0; !end.signal.aborted; n++) {
      const wait = began + (n * 1_000) / rate - performance.now()
      if (wait > 1) await sleep(wait)
      const sample = exchange(url, next(n))
      samples.push(sample)
      void sample.then((one) => ended.push(one))
    }
  })()
  return {
    /** The number of sent requests. */
    sent: () => samples.length,
    /** The requests that have ended. */
    ended: (): ReadonlyArray<Sample> => ended,
    /** Stops sending, and waits for requests in flight. */
    stop: async (): Promise<ReadonlyArray<Sample>> => {
      end.abort()
      await sending
      const all = await Promise.all(samples)
      if (agent !== false) agent.destroy()
      return all
    }
  }
}

/** The number of results of each status. */
export const statuses = (samples: ReadonlyArray<Sample>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status } of samples) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** A percentile of the response times. */
export const percentile = (samples: ReadonlyArray<Sample>, percent: number): number => {
  const times = samples.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b)
  return times[Math.min(times.length - 1, Math.floor((times.length * percent) / 100))] ?? 0
}

/** Fails unless each result is a success or a 503 of the contract. */
export const expectAnsweredOrUnavailable = (samples: ReadonlyArray<Sample>): void => {
  const strange = samples.filter(({ headers, status, text }) =>
    status === 503
      ? headers["retry-after"] === undefined || JSON.parse(text).code !== "unavailable"
      : status !== 200 && status !== 201
  )
  expect(strange.map(({ method, status, text }) => ({ method, status, text })).slice(0, 5)).toEqual([])
}

/** The resources of a process: open files, and memory in MB. */
export const held = async (pid: number) => {
  const status = await readFile(`/proc/${pid}/status`, "utf8")
  return {
    files: (await readdir(`/proc/${pid}/fd`)).length,
    memory: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024)
  }
}
