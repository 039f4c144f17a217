/** Sends the requests of a plan, whose path is the argument. `wrk.lua` does the same for wrk. */
import { readFile } from "node:fs/promises"
import autocannon from "autocannon"
import type { Plan, Run } from "./load.ts"

const { connections, seconds, url }: Plan = JSON.parse(await readFile(process.argv[2] ?? "", "utf8"))
const waiting = [...connections]

const fill = (text: string, round: number): string =>
  text
    .replaceAll(/@(\d+)@/g, (_, revision) => String(Number(revision) + round))
    .replaceAll("@n", String(round).padStart(8, "0"))

/** A request with placeholders is built again for each round. */
const request = ({ body, ...message }: Plan["connections"][number][number]): autocannon.Request => {
  const ifMatch = message.headers["if-match"]
  if (ifMatch === undefined && body?.includes("@") !== true) return { ...message, ...(body !== undefined && { body }) }
  let round = 0
  return {
    ...message,
    setupRequest: (made) => {
      if (ifMatch !== undefined) made.headers = { ...made.headers, "if-match": fill(ifMatch, round) }
      if (body !== undefined) made.body = fill(body, round)
      round++
      return made
    }
  }
}

const times: Array<number> = []
const instance = autocannon(
  {
    url,
    connections: connections.length,
    duration: seconds,
    setupClient: (client) => client.setRequests((waiting.shift() ?? []).map(request))
  },
  (error, result) => {
    if (error) throw error
    times.sort((a, b) => a - b)
    const percentile = (share: number) => times[Math.floor(times.length * share)] ?? 0
    const run: Run = {
      requests: result.requests.total,
      seconds: result.duration,
      failed: result.non2xx + result.errors,
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99)
    }
    console.log(JSON.stringify(run))
  }
)
instance.on("response", (_client, _status, _bytes, time) => times.push(time))
