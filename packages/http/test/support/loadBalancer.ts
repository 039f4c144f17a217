/**
 * Test kit: a simple load balancer. It polls `/readyz` of each server, keeps connections to ready servers, and does not
 * repeat requests.
 */
import { once } from "node:events"
import { Agent, createServer, request as send } from "node:http"
import { onTestFinished } from "vitest"
import { exchange } from "./load.ts"
import { portOf } from "./program.ts"

/** The interval of health checks in milliseconds. After a failed check a server gets no requests. */
export const healthInterval = 200

export const loadBalancer = async () => {
  const servers = new Map<string, { readonly agent: Agent; ready: boolean }>()
  let turn = 0
  const front = createServer({ keepAliveTimeout: 65_000 }, (asked, answer) => {
    const ready = [...servers].filter(([, server]) => server.ready)
    const [url, server] = ready[turn++ % ready.length] ?? []
    if (server === undefined) return answer.writeHead(502).end("no server")
    const { connection: _, ...headers } = asked.headers
    const onward = send(`${url}${asked.url}`, { agent: server.agent, headers, method: asked.method })
    onward.on("response", (given) => {
      const { connection: _, "keep-alive": _timeout, ...headers } = given.headers
      answer.writeHead(given.statusCode ?? 502, headers)
      given.pipe(answer)
      given.on("error", () => answer.destroy())
    })
    onward.on("error", (error) => answer.writeHead(502).end(error.message))
    return asked.pipe(onward)
  }).listen(0, "127.0.0.1")
  await once(front, "listening")
  const look = () =>
    Promise.all(
      [...servers].map(async ([url, server]) => {
        const { status } = await exchange(url, { path: "/readyz", agent: false, patience: 5_000 })
        server.ready = status === 200
      })
    )
  const looking = setInterval(() => void look(), healthInterval)
  onTestFinished(() => {
    clearInterval(looking)
    front.close()
    front.closeAllConnections()
    for (const { agent } of servers.values()) agent.destroy()
  })
  return {
    url: `http://127.0.0.1:${portOf(front)}`,
    /** Adds a server, which gets requests once it is ready. */
    add: async (url: string) => {
      servers.set(url, { agent: new Agent({ keepAlive: true }), ready: false })
      await look()
    }
  }
}
