import { once } from "node:events"
import { createServer, get } from "node:http"
import { describe, expect, it, onTestFinished } from "vitest"
import { heartbeat } from "../../src/handlers/EventStream.ts"
import { clients, type SeenEvent } from "../support/eventSources.ts"
import { newUser, useServers } from "../support/liveServer.ts"
import { portOf } from "../support/program.ts"

/**
 * A proxy that cuts each stream in the middle of an event after a number of events. It adds heartbeats before and after the
 * first event, and shortens the retry delay of clients.
 */
const cuttingProxy = async (target: string, cuts: ReadonlyArray<number>) => {
  const asked: Array<string> = []
  const server = createServer((request, response) => {
    const cut = cuts[asked.length] ?? Infinity
    asked.push(`${request.url} ${request.headers["last-event-id"] ?? ""}`)
    const { host: _host, ...headers } = request.headers
    const upstream = get(target + request.url, { agent: false, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      let text = ""
      let sent = 0
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece.replace(/^retry: \d+$/m, "retry: 20")
        const ends = [...text.matchAll(/\n\n/g)].map(({ index }) => index + 2)
        const isCut = ends.length > cut
        // The first 30 characters of the event that is cut: its name and the beginning of its data.
        const until = isCut ? (ends[cut - 1] ?? 0) + 30 : text.length
        if (sent === 0 && until > 0) response.write(text.slice(sent, (sent = text.indexOf("\n") + 1)) + heartbeat)
        response.write(text.slice(sent, until).replace(/\n\n(?!$)/g, `\n\n${heartbeat}`))
        sent = until
        if (isCut) response.socket?.destroySoon()
      })
      answer.on("error", () => {}).on("end", () => response.end())
    })
    upstream.on("error", () => {})
    response.on("close", () => upstream.destroy())
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${portOf(server)}`, asked }
}

describe("Clients of event streams", () => {
  const servers = useServers()

  it.each(Object.entries(clients))("%s sees each event once over connections that are cut", async (_, client) => {
    const server = await servers.start()
    const me = await newUser()
    for (const title of ["a", "b", "c", "d"]) await me.send(server, "POST", "/v1/todos", { json: { title } })
    const expected = await (await me.follow(server)).until(4)
    // The second and third stream end in the middle of the first event and of the second.
    const proxy = await cuttingProxy(server.url, [2, 0, 1])

    const seen: Array<SeenEvent> = []
    onTestFinished(client(`${proxy.url}/v1/changes`, { authorization: me.authorization }, (event) => seen.push(event)))
    await expect.poll(() => seen.length, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(4)
    await me.send(server, "POST", "/v1/todos", { json: { title: "e" } })
    await expect.poll(() => seen.length, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(5)

    expect(proxy.asked).toHaveLength(4)
    expect(seen.map(({ type }) => type)).toEqual(Array(5).fill("change"))
    expect(seen.slice(0, 4)).toMatchObject(expected.map(({ change, id }) => ({ id, data: JSON.stringify(change) })))
    expect(JSON.parse(seen[4]?.data ?? "")).toMatchObject({ todo: { title: "e" } })
  })
})
