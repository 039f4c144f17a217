import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync } from "node:fs"
import { Agent, request as send } from "node:http"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Worker } from "node:worker_threads"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it, onTestFinished } from "vitest"
import { bearer, exchange, held, load, percentile, type Sample, statuses } from "../support/load.ts"
import { answers, type Program, settings, start, useDatabase } from "../support/program.ts"
import { logInLongRuns, long } from "../support/longRun.ts"

/** The longest response time of other clients, times ten on a busy machine. */
const promised = long ? 250 : 2_500

/** Makes the server collect garbage on request, and report the MB of objects and buffers that are left. */
const collects = `process.on('SIGUSR2', () => {
  gc()
  const { arrayBuffers, external, heapUsed } = process.memoryUsage()
  process.stdout.write('holds ' + Math.round((arrayBuffers + external + heapUsed) / 1e6) + ' MB\\n')
})`

describe("Clients that are slow or rude", () => {
  const urls = useDatabase()
  let headers: Record<string, string> = {}
  let seeded = false
  const user = "somebody-with-much"

  const asSuperuser = (statement: string, ...parameters: ReadonlyArray<unknown>) =>
    Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<{ n: number }>(statement, parameters)).pipe(
        Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 }))
      )
    )

  /** One response with 2 MB of todos, made once. */
  const seed = async (address: string) => {
    headers = await bearer(user)
    if (seeded) return
    seeded = true
    const json = { title: "a", description: "x".repeat(10_000) }
    const made = await exchange(address, { headers, method: "POST", path: "/v1/todos", json })
    if (made.status !== 201) throw new Error(made.text)
    await asSuperuser(
      `insert into todo.todos select (jsonb_populate_record(t, jsonb_build_object(
         'id', gen_random_uuid(), 'revision', n, 'position', 'b' || n))).*
       from todo.todos t cross join generate_series(2, 200) n where owner_id = $1`,
      user
    )
    await asSuperuser("update todo.users set revision = 200 where id = $1", user)
  }

  const begin = async (more: Record<string, string> = {}) => {
    const program = start({
      ...settings,
      DATABASE_URL: urls.DATABASE_URL,
      NODE_OPTIONS: `--expose-gc --import=data:text/javascript,${encodeURIComponent(collects)}`,
      ...more
    })
    const address = await program.address()
    await answers(address, "/readyz", 200)
    await seed(address)
    // The warm-up allocates what every server keeps after its first requests.
    for (let n = 0; n < 50; n++) await exchange(address, { headers, path: "/v1/todos?limit=200" })
    return { address, program, port: Number(new URL(address).port) }
  }

  /** The resources after a garbage collection. */
  const settled = async ({ kill, pid, stdout }: Program) => {
    const said = () => [...stdout().matchAll(/^holds (\d+) MB$/gm)]
    const before = said().length
    kill("SIGUSR2")
    await expect.poll(() => said().length, { timeout: 10_000, interval: 20 }).toBeGreaterThan(before)
    return { ...(await held(pid)), live: Number(said().at(-1)?.[1]) }
  }

  /** The active backends of the database. */
  const busy = async () => {
    const [row] = await asSuperuser(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and usename = 'todo_runtime' and state <> 'idle'"
    )
    return row?.n
  }

  const open = async (port: number, bytes = ""): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => {})
    onTestFinished(() => void socket.destroy())
    await once(socket, "connect")
    socket.write(bytes)
    return socket
  }

  /** Expects connections, statements, files and memory as before, and that all connections of the pool work. */
  const expectNothingLost = async (
    { address, program }: { readonly address: string; readonly program: Program },
    before: Awaited<ReturnType<typeof settled>>
  ) => {
    await expect.poll(busy, { timeout: 15_000 }).toBe(0)
    await expect
      .poll(async () => (await settled(program)).files, { timeout: 15_000, interval: 200 })
      // Up to ten connections of the pool, and that of the last request.
      .toBeLessThan(before.files + 15)
    const all = await Promise.all(
      Array.from({ length: 40 }, () => exchange(address, { agent: false, headers, path: "/v1/me" }))
    )
    expect(statuses(all)).toEqual({ 200: 40 })
    await expect
      .poll(async () => (await settled(program)).live, { timeout: 15_000, interval: 500 })
      .toBeLessThan(before.live + 20)
    expect(program.stderr()).toBe("")
    const metrics = (await exchange(address, { path: "/metrics" })).text
    expect(/^http_event_streams (\S+)/m.exec(metrics)?.[1] ?? "0").toBe("0")
    return settled(program)
  }

  const report = (what: string, samples: ReadonlyArray<Sample>, before: object, after: object) =>
    logInLongRuns(what, statuses(samples), `p99 ${Math.round(percentile(samples, 99))} ms`, before, after)

  const sockets = 2_000
  it(`${sockets} clients that send their headers byte by byte are disconnected, and others are served`, async () => {
    const server = await begin()
    const before = await settled(server.program)
    const clients = await load(server.address, { rate: 20 })
    const slow = new Worker(new URL("../support/slowSockets.ts", import.meta.url), {
      workerData: { port: server.port, sockets }
    })
    onTestFinished(async () => void (await slow.terminate()))
    const cutOff = once(slow, "exit")
    expect(await once(slow, "message")).toEqual([sockets])
    await expect
      .poll(async () => (await held(server.program.pid)).files, { timeout: 30_000 })
      .toBeGreaterThan(before.files + sockets - 1)
    await cutOff
    const samples = await clients.stop()
    report(`${sockets} slow sockets`, samples, before, await expectNothingLost(server, before))
    expect(statuses(samples)["200"]).toBeGreaterThan(50)
    expect(samples.filter(({ status }) => status !== 200 && status !== 201)).toEqual([])
    expect(percentile(samples, 99)).toBeLessThan(promised)
  })

  const seconds = long ? 60 : 6
  it(
    `50 aborts a second for ${seconds} s: no other request fails, and nothing is lost`,
    { timeout: 180_000 },
    async () => {
      const server = await begin({ TODO_DATABASE_POOL: "4" })
      const before = await settled(server.program)
      const clients = await load(server.address, { rate: 20 })
      const agent = new Agent({ keepAlive: true })
      const abort = (n: number) => {
        const paths = ["/v1/todos?limit=200", "/v1/todos?q=x", "/v1/changes", "/v1/me"]
        const writes = n % 3 === 0
        const asked = send(server.address + (writes ? "/v1/todos" : (paths[n % paths.length] ?? "")), {
          agent: n % 2 === 0 ? agent : false,
          method: writes ? "POST" : "GET",
          headers: {
            ...headers,
            ...(n % 5 === 0 && !writes && { accept: "text/event-stream" }),
            ...(writes && { "content-type": "application/json" })
          }
        })
        asked.on("error", () => {}).on("response", (answer) => answer.on("error", () => {}).resume())
        if (writes) asked.write(n % 2 === 0 ? `{"title":"aborted"` : `{"title":"aborted"}`)
        if (!writes || n % 2 === 1) asked.end()
        setTimeout(() => asked.destroy(), Math.random() * 30)
      }
      const began = performance.now()
      for (let n = 0; n < seconds * 50; n++) {
        await sleep(Math.max(0, began + n * 20 - performance.now()))
        abort(n)
      }
      const samples = await clients.stop()
      agent.destroy()
      report(`${seconds * 50} aborts`, samples, before, await expectNothingLost(server, before))
      expect(samples.filter(({ status }) => status !== 200 && status !== 201)).toEqual([])
      expect(percentile(samples, 99)).toBeLessThan(promised)
      const metrics = (await exchange(server.address, { path: "/metrics" })).text
      expect(metrics).not.toMatch(/http_requests_total\{[^}]*status="500"/)
    }
  )

  it("a half-sent body gets a response or a close at the deadline", async () => {
    const server = await begin({ TODO_REQUEST_TIMEOUT: "1 second" })
    const head = Object.entries({ ...headers, host: "x", "content-type": "application/json" })
    const lines = ["POST /v1/todos HTTP/1.1", ...head.map(([name, value]) => `${name}: ${value}`)]
    const bodies = [
      [...lines, "Content-Length: 20", "", '{"title":'],
      [...lines, "Transfer-Encoding: chunked", "", "5", '{"tit', ""]
    ].map((part) => part.join("\r\n"))
    const before = await settled(server.program)
    const ended = Array.from({ length: 20 }, async (_, n) => {
      const socket = await open(server.port, bodies[n % 2])
      let received = ""
      socket.setEncoding("latin1").on("data", (part) => (received += part))
      await once(socket, "close")
      return received
    })
    const began = performance.now()
    for (const received of await Promise.all(ended)) expect(received).toMatch(/^(HTTP\/1\.1 (503|408) |$)/)
    expect(performance.now() - began).toBeLessThan(8_000)
    await expectNothingLost(server, before)
  })

  it("clients that never read large answers: others are served, and nothing is lost when they are gone", async () => {
    const server = await begin()
    const before = await settled(server.program)
    const lines = Object.entries({ ...headers, host: "x" }).map(([name, value]) => `${name}: ${value}`)
    const ask = (path: string, ...more: ReadonlyArray<string>) =>
      [`GET ${path} HTTP/1.1`, ...lines, ...more, "", ""].join("\r\n")
    const clients = await load(server.address, { rate: 20 })
    const deaf = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        open(
          server.port,
          n % 2 === 0 ? ask("/v1/todos?limit=200").repeat(5) : ask("/v1/changes", "Accept: text/event-stream")
        )
      )
    )
    for (const socket of deaf) socket.pause()
    await sleep(3_000)
    const samples = await clients.stop()
    for (const socket of deaf) socket.destroy()
    report("20 that never read", samples, before, await expectNothingLost(server, before))
    expect(samples.filter(({ status }) => status !== 200 && status !== 201)).toEqual([])
  })

  it.runIf(long)("a client that never reads its answer is cut off", { timeout: 180_000 }, async () => {
    const server = await begin()
    const before = await settled(server.program)
    const lines = Object.entries({ ...headers, host: "x" }).map(([name, value]) => `${name}: ${value}`)
    const began = performance.now()
    const deaf = await Promise.all(
      Array.from({ length: 20 }, () =>
        open(server.port, ["GET /v1/todos?limit=200 HTTP/1.1", ...lines, "", ""].join("\r\n").repeat(3))
      )
    )
    for (const socket of deaf) socket.pause()
    const files = async () => (await held(server.program.pid)).files
    await expect.poll(files, { timeout: 20_000 }).toBeGreaterThanOrEqual(before.files + deaf.length)
    await expect.poll(files, { timeout: 150_000, interval: 1_000 }).toBeLessThan(before.files + 12)
    logInLongRuns(`cut off after ${Math.round((performance.now() - began) / 1_000)} s`)
    await expectNothingLost(server, before)
  })

  const upgrades = ["websocket", "h2c", "TLS/1.0, HTTP/1.1", "nonsense"]
  const routes = ["/livez", "/v1/todos", "/v1/changes", "/v1/todos/batch", "/docs", "/nowhere", "/metrics"]
  it("200 clients that request an upgrade and reset do no harm", async () => {
    const server = await begin()
    const before = await settled(server.program)
    for (let n = 0; n < 200; n++) {
      const socket = await open(
        server.port,
        `${n % 3 === 0 ? "POST" : "GET"} ${routes[n % routes.length]} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers["authorization"]}\r\nConnection: Upgrade\r\nUpgrade: ${upgrades[n % upgrades.length]}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`
      )
      if (n % 2 === 0) await sleep(Math.random() * 10)
      socket.resetAndDestroy()
    }
    await expectNothingLost(server, before)
    expect((await exchange(server.address, { path: "/livez" })).status).toBe(200)
  })

  it.each(upgrades)("a request to upgrade to %s is answered in HTTP/1.1, and its body is read", async (protocol) => {
    const server = await begin()
    const more = { connection: "Upgrade", upgrade: protocol, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" }
    const asked = { ...headers, ...more }
    const agent = new Agent()
    expect(await exchange(server.address, { agent, headers: asked, path: "/v1/me" })).toMatchObject({ status: 200 })
    const post = { agent, headers: asked, method: "POST", path: "/v1/todos", json: { title: "over HTTP/1.1" } }
    for (const chunked of [false, true]) {
      expect(await exchange(server.address, { ...post, chunked })).toMatchObject({ status: 201 })
    }
  })

  it("100 pipelined requests are answered in order, and garbage after a request ends the connection", async () => {
    const server = await begin()
    const gather = async (bytes: string, until: RegExp) => {
      const socket = await open(server.port, bytes)
      let received = ""
      socket.setEncoding("latin1").on("data", (part) => {
        received += part
        if (until.test(received)) socket.end()
      })
      await once(socket, "close")
      return received
    }
    const ids = Array.from({ length: 100 }, (_, n) => `request-${n}`)
    const received = await gather(
      ids.map((id) => `GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`).join(""),
      /request-99[\s\S]*\}$/
    )
    expect([...received.matchAll(/x-request-id: (\S+)/gi)].map(([, id]) => id)).toEqual(ids)
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    const shapes = [
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length : 0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nX: a\r\n Content-Length: 0\r\n\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\nHost: x\nContent-Length: 0\n\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n${smuggled}`,
      `POST /v1/todos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n${smuggled}`,
      `GET http://x/livez HTTP/9.9\r\nHost: x\r\n\r\n${smuggled}`,
      "\0\0\0\0\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: x\r\n\0: a\r\n\r\n${smuggled}`
    ]
    for (const shape of shapes) {
      const answer = await gather(shape, /never/)
      // One refusal, then the connection closes. The smuggled request is not executed.
      expect([shape, answer]).toEqual([shape, expect.stringMatching(/^HTTP\/1\.1 40[01] /)])
      expect(answer).not.toContain("route-not-found")
    }
    expect((await exchange(server.address, { path: "/livez" })).status).toBe(200)
    expect(server.program.stderr()).toBe("")
  })

  it("connections above the limit are closed, and later ones are accepted again", async () => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_MAX_CONNECTIONS: "20" })
    const address = await program.address()
    await answers(address, "/readyz", 200)
    headers = await bearer(user)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const mine = () => exchange(address, { agent, headers, path: "/v1/me" })
    expect((await mine()).status).toBe(200)
    const many = await Promise.all(Array.from({ length: 40 }, () => open(Number(new URL(address).port))))
    const closed = () => many.filter((socket) => socket.resume().closed).length
    await expect.poll(closed, { timeout: 30_000 }).toBeGreaterThanOrEqual(20)
    expect((await exchange(address, { agent: false, path: "/livez" })).status).not.toBe(200)
    // Open connections are still served.
    expect((await mine()).status).toBe(200)
    for (const socket of many) socket.destroy()
    await answers(address, "/livez", 200)
  })

  const limits = "/usr/bin/prlimit"
  it.skipIf(!existsSync(limits))(
    "the process lives without free file descriptors, and serves again when there are some",
    async () => {
      const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL })
      const address = await program.address()
      await answers(address, "/readyz", 200)
      headers = await bearer(user)
      execFileSync(limits, ["--pid", String(program.pid), "--nofile=150:150"])
      const many = await Promise.all(Array.from({ length: 300 }, () => open(Number(new URL(address).port))))
      // The connections have used up the descriptors.
      await expect.poll(() => readdirSync(`/proc/${program.pid}/fd`).length, { timeout: 30_000 }).toBeGreaterThan(140)
      for (const socket of many) socket.destroy()
      await answers(address, "/readyz", 200)
      expect((await exchange(address, { headers, path: "/v1/me" })).status).toBe(200)
    }
  )
})
