/**
 * `node packages/http/bench/request.ts` prints the CPU time of the server's own part of a request: `GET /livez` through
 * `createHandler`, without socket, token and database. Run it in turn with and without a change.
 */
import { createHandler } from "../src/index.ts"
import { median } from "./rounds.ts"

const [blocks, requests] = [110, 1_000]

const { dispose, handler } = createHandler({
  url: "postgres://user@127.0.0.1:1/todo",
  authenticate: () => undefined,
  log: () => {}
})

/** The CPU time of a request in microseconds. */
const measure = async (): Promise<number> => {
  const before = process.cpuUsage()
  for (let i = 0; i < requests; i++) await (await handler(new Request("http://localhost/livez"))).text()
  const { system, user } = process.cpuUsage(before)
  return (user + system) / requests
}

const measured: Array<number> = []
for (let block = 0; block < blocks; block++) measured.push(await measure())
console.log(`GET /livez: ${median(measured.slice(20)).toFixed(1)} µs of CPU`)
await dispose()
