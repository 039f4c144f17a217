import { randomUUID } from "node:crypto"
import { request as open } from "node:http"
import { resolve } from "node:path"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { lockUser, waitingForLock } from "../support/lockUser.ts"
import { assertPromised } from "../support/OpenApiAnswers.ts"
import { launch, main, type Program, settings, useDatabase } from "../support/program.ts"
import { claims, request, type Sent, sign } from "../support/testServer.ts"

const example = (name: string) => resolve(import.meta.dirname, "../../examples", name)

/** Authenticates by a session of the host. */
const bySession = async (origin: string, user: string): Promise<Record<string, string>> => {
  const response = await fetch(`${origin}/sign-in/${encodeURIComponent(user)}`, { method: "POST" })
  expect(response.status).toBe(204)
  return { cookie: response.headers.get("set-cookie")?.split(";", 1)[0] ?? "" }
}

const byToken = async (_: string, user: string): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await sign(claims(user))}`
})

const hosts = [
  { name: "Effect's HttpRouter", script: example("effect.ts"), prefix: "/api/todos", identify: bySession },
  { name: "Hono", script: example("hono.ts"), prefix: "/api/todos", identify: bySession },
  { name: "Express", script: example("express.ts"), prefix: "/api/todos", identify: bySession },
  { name: "Fastify", script: example("fastify.ts"), prefix: "/api/todos", identify: bySession },
  {
    name: "a route handler of Next.js",
    script: resolve(import.meta.dirname, "../support/nextServer.ts"),
    prefix: "/api/todos",
    identify: bySession
  },
  { name: "its own server", script: main, prefix: "", identify: byToken }
]

/** A timeout for a busy machine. */
const patient = { timeout: 20_000, interval: 20 }

/** The statement that all streams of a process share. It runs four times a second while a stream is open. */
const lastTick = `select max(query_start)::text as at from pg_stat_activity
  where datname = current_database() and usename = 'todo_runtime' and query like '%calls.seen%'`

// The examples do not support the pooler of `TEST_POOLER`.
describe.skipIf(process.env["TEST_POOLER"] !== undefined).each(hosts)(
  "In $name",
  ({ identify, name, prefix, script }) => {
    const urls = useDatabase()
    let program: Program | undefined
    let origin = ""
    const end = async () => {
      program?.kill("SIGKILL")
      await program?.ended
    }
    const begin = async () => {
      await end()
      const begun = launch(script, { ...settings, DATABASE_URL: urls.unlimited })
      program = begun
      origin = await begun.address()
      return begun
    }
    beforeAll(begin)
    afterAll(end)

    const asSuperuser = <A>(use: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown>) =>
      Effect.flatMap(SqlClient.SqlClient, use).pipe(Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 })))
    const ask = (statement: string) =>
      Effect.runPromise(asSuperuser((sql) => sql.unsafe<Record<string, unknown>>(statement)))

    /** Sends a request, and checks the response against the OpenAPI document. */
    const send = async (method: string, path: string, sent: Sent = {}) => {
      const answer = await request(origin + prefix + path, method, sent)
      assertPromised({ ...answer, method, url: origin + path })
      return answer
    }

    const newUser = async () => {
      const id = `user-${randomUUID()}`
      const headers = await identify(origin, id)
      return {
        id,
        headers,
        send: (method: string, path: string, sent: Sent = {}) =>
          send(method, path, { ...sent, headers: { ...headers, ...sent.headers } })
      }
    }

    /** Opens an event stream. It is closed with the test at the latest. */
    const follow = async (headers: Record<string, string>, query = "") => {
      const controller = new AbortController()
      onTestFinished(() => controller.abort())
      const response = await fetch(`${origin}${prefix}/v1/changes${query}`, {
        headers: { ...headers, accept: "text/event-stream" },
        signal: controller.signal
      })
      let text = ""
      const ended = (async () => {
        for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += part
        return "ended"
      })().catch(() => "cut")
      const titles = () => [...text.matchAll(/"title":"(\w+)"/g)].map(([, title]) => title)
      return { response, ended, titles, text: () => text, cut: () => controller.abort() }
    }

    const waiting = () => waitingForLock(urls.admin)

    it("a todo is created, read, changed, put into the trash and restored", async () => {
      const me = await newUser()
      const created = await me.send("POST", "/v1/todos", {
        json: { title: "Buy milk", tags: ["home", "now"] },
        headers: { "x-request-id": "given-1" }
      })
      expect(created).toMatchObject({
        status: 201,
        headers: {
          etag: '"1"',
          location: `${prefix}/v1/todos/${created.body.id}`,
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "x-request-id": "given-1"
        }
      })
      // A client can follow the `Location`.
      const found = await request(origin + created.headers["location"], "GET", { headers: me.headers })
      expect(found).toMatchObject({ status: 200, body: created.body, headers: { etag: '"1"' } })

      const path = `/v1/todos/${created.body.id}`
      expect(await me.send("GET", path, { headers: { "if-none-match": '"1"' } })).toMatchObject({
        status: 304,
        text: ""
      })
      const done = await me.send("PATCH", path, { json: { completed: true }, headers: { "if-match": '"1"' } })
      expect(done).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { completed: true } })
      expect((await me.send("GET", "/v1/todos?tag=home&tag=now&completed=true")).body.items).toEqual([done.body])
      expect(await me.send("DELETE", path)).toMatchObject({ status: 204, text: "" })
      expect((await me.send("POST", `${path}/restore`)).body).toMatchObject({ deletedAt: null, revision: 4 })
      expect(await me.send("HEAD", path)).toMatchObject({ status: 200, text: "", headers: { etag: '"4"' } })
      expect((await me.send("PUT", `/v1/todos/${randomUUID()}`, { json: { title: "mine" } })).status).toBe(201)
      expect((await me.send("GET", "/v1/me")).body).toMatchObject({ id: me.id, counts: { open: 1, completed: 1 } })
    })

    it("a stale tag is 412 with the current one", async () => {
      const me = await newUser()
      const { body } = await me.send("POST", "/v1/todos", { json: { title: "a" } })
      const stale = { json: { title: "b" }, headers: { "if-match": '"7"' } }
      expect(await me.send("PATCH", `/v1/todos/${body.id}`, stale)).toMatchObject({
        status: 412,
        headers: { etag: '"1"' },
        body: { code: "revision-mismatch" }
      })
    })

    it("a repeated request with the same key is applied once", async () => {
      const me = await newUser()
      const sent = { json: { title: "once" }, headers: { "idempotency-key": "a-key" } }
      const [first, second] = [await me.send("POST", "/v1/todos", sent), await me.send("POST", "/v1/todos", sent)]
      expect(second.body).toEqual(first.body)
      expect((await me.send("GET", "/v1/todos")).body.items).toHaveLength(1)
    })

    it("a body over the limit is 413, with and without Content-Length", async () => {
      const me = await newUser()
      const headers = { "content-type": "application/json" }
      const told = await me.send("POST", "/v1/todos", { headers, body: `{"title":"${"x".repeat(256 * 1_024)}"}` })
      expect(told).toMatchObject({ status: 413, body: { code: "payload-too-large" } })
      const chunk = new Uint8Array(10_000).fill(0x20)
      let sent = 0
      const chunks = new ReadableStream({
        pull: (controller) => (++sent > 30 ? controller.close() : controller.enqueue(chunk))
      })
      const untold = await me.send("POST", "/v1/todos", { headers, body: chunks })
      expect(untold).toMatchObject({ status: 413, body: { code: "payload-too-large" } })
      // A body within the limit is accepted, also in chunks.
      const fits = new Blob([JSON.stringify({ title: "fits", description: "x".repeat(10_000) })]).stream()
      expect((await me.send("POST", "/v1/todos", { headers, body: fits })).status).toBe(201)
    })

    it("another media type is 415, malformed JSON 400, and invalid input 422", async () => {
      const me = await newUser()
      const post = (type: string, body: string) =>
        me.send("POST", "/v1/todos", { headers: { "content-type": type }, body })
      expect(await post("text/plain", '{"title":"a"}')).toMatchObject({ status: 415 })
      expect(await post("application/xml", "<a/>")).toMatchObject({ status: 415 })
      expect(await post("application/json", '{"title":')).toMatchObject({ status: 400 })
      expect(await post("application/json", '{"title":"a","b":1}')).toMatchObject({
        status: 422,
        body: { code: "invalid-input", errors: [{ pointer: "/b" }] }
      })
    })

    it("an unauthenticated request is 401", async () => {
      const answer = await send("GET", "/v1/todos")
      expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } })
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer /)
    })

    it("a user cannot see the todos of another", async () => {
      const [me, other] = [await newUser(), await newUser()]
      const { body } = await me.send("POST", "/v1/todos", { json: { title: "mine" } })
      const path = `/v1/todos/${body.id}`
      const missing = `/v1/todos/${randomUUID()}`
      for (const [method, json] of [["GET"], ["PATCH", { title: "x" }], ["DELETE"]] as const) {
        const sent = json === undefined ? {} : { json }
        const [foreign, absent] = [await other.send(method, path, sent), await other.send(method, missing, sent)]
        expect(foreign).toMatchObject({ status: 404, body: { code: "todo-not-found" } })
        expect({ ...foreign.body, requestId: "" }).toEqual({ ...absent.body, requestId: "" })
      }
      expect((await other.send("GET", "/v1/todos")).body.items).toEqual([])
      expect((await other.send("GET", "/v1/changes")).body.changes).toEqual([])
      expect((await me.send("GET", path)).body).toEqual(body)
    })

    it("unknown paths are 404 and unknown methods 405, as problems", async () => {
      const me = await newUser()
      for (const path of ["/v1/nothing", "/v1/todos/", "//v1/todos", "/V1/todos", "/v1/todos/a/b/c"]) {
        expect(await me.send("GET", path)).toMatchObject({ status: 404 })
      }
      const answer = await me.send("DELETE", "/v1/todos")
      expect(answer).toMatchObject({ status: 405, body: { code: "method-not-allowed" } })
      expect(answer.headers["allow"]).toBe("GET, HEAD, POST, OPTIONS")
    })

    it("changes are streamed, and resume after Last-Event-ID", async () => {
      const me = await newUser()
      await me.send("POST", "/v1/todos", { json: { title: "first" } })
      const live = await follow(me.headers)
      expect(live.response.status).toBe(200)
      expect(Object.fromEntries(live.response.headers)).toMatchObject({
        "content-type": "text/event-stream",
        "cache-control": "no-store"
      })
      await expect.poll(live.titles, patient).toEqual(["first"])
      await me.send("POST", "/v1/todos", { json: { title: "second" } })
      await expect.poll(live.titles, patient).toEqual(["first", "second"])
      live.cut()
      const [id = ""] = /(?<=id: ).*/.exec(live.text()) ?? []
      await me.send("POST", "/v1/todos", { json: { title: "third" } })
      const resumed = await follow({ ...me.headers, "last-event-id": id })
      await expect.poll(resumed.titles, patient).toEqual(["second", "third"])
      expect((await me.send("GET", "/v1/changes?since=none")).status).toBe(400)
      expect((await follow({ ...me.headers, "last-event-id": "none" })).response.status).toBe(400)
    })

    it("a closed connection ends its stream", async () => {
      const me = await newUser()
      await me.send("POST", "/v1/todos", { json: { title: "first" } })
      const live = await follow(me.headers)
      await expect.poll(live.titles, patient).toEqual(["first"])
      let before: unknown
      const ticked = async () => {
        const [row] = await ask(lastTick)
        const moved = row?.["at"] !== before
        before = row?.["at"]
        return moved
      }
      await ticked()
      await expect.poll(ticked, { interval: 1_000, timeout: 10_000 }).toBe(true)
      live.cut()
      await expect.poll(ticked, { interval: 1_000, timeout: 10_000 }).toBe(false)
    })

    it("a closed connection ends its statement, which changes nothing", async () => {
      const me = await newUser()
      await me.send("POST", "/v1/todos", { json: { title: "first" } })
      const release = await lockUser(urls.admin, me.id)
      const asked = open(`${origin}${prefix}/v1/todos`, {
        agent: false,
        method: "POST",
        headers: { ...me.headers, "content-type": "application/json" }
      })
      asked.on("error", () => {}).end('{"title":"never"}')
      await expect.poll(waiting, patient).toBe(1)
      asked.destroy()
      await expect.poll(waiting, patient).toBe(0)
      release()
      await me.send("POST", "/v1/todos", { json: { title: "second" } })
      const { body } = await me.send("GET", "/v1/todos")
      expect(body.items.map(({ title }: { title: string }) => title).toSorted()).toEqual(["first", "second"])
    })

    it.skipIf(prefix === "")("the routes of the host are unchanged, also its 404", async () => {
      const page = await fetch(origin)
      expect([page.status, await page.text()]).toEqual([200, "The host's own page"])
      for (const path of ["/v1/todos", "/api", "/api/todosx/v1/todos", "/nothing"]) {
        const missing = await fetch(origin + path)
        expect(missing.status).toBe(404)
        expect(missing.headers.get("content-type")).not.toBe("application/problem+json")
        for (const ours of ["x-request-id", "ratelimit"]) expect(missing.headers.has(ours)).toBe(false)
      }
    })

    it("the OpenAPI document has the prefix", async () => {
      const { body, status } = await request(`${origin}${prefix}/openapi.json`, "GET")
      expect([status, body.openapi, body.servers]).toEqual([200, "3.1.0", [{ url: prefix === "" ? "/" : prefix }]])
      const page = await fetch(`${origin}${prefix}/docs`)
      expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")])
    })

    it("concurrent users each get their own todos", async () => {
      const users = await Promise.all(Array.from({ length: 10 }, newUser))
      const created = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          users[n % 10]?.send("POST", "/v1/todos", { json: { title: `todo-${n}` } })
        )
      )
      expect(new Set(created.map((answer) => answer?.status))).toEqual(new Set([201]))
      const lists = await Promise.all(users.map((user) => user.send("GET", "/v1/todos")))
      for (const [n, { body }] of lists.entries()) {
        const titles = body.items.map(({ title }: { title: string }) => title)
        expect(new Set(titles)).toEqual(new Set(Array.from({ length: 10 }, (_, k) => `todo-${k * 10 + n}`)))
      }
    })

    // Next.js does not tell its handlers about a shutdown.
    it.skipIf(name.includes("Next.js"))("the shutdown ends streams and answers requests in flight", async () => {
      const program = await begin()
      const me = await newUser()
      await me.send("POST", "/v1/todos", { json: { title: "first" } })
      const live = await follow(me.headers)
      await expect.poll(live.titles, patient).toEqual(["first"])
      const release = await lockUser(urls.admin, me.id)
      const writing = new Promise<number | undefined>((done, fail) => {
        const sending = open(
          `${origin}${prefix}/v1/todos`,
          { agent: false, method: "POST", headers: { ...me.headers, "content-type": "application/json" } },
          (answer) => {
            answer.resume()
            done(answer.statusCode)
          }
        )
        sending.on("error", fail).end('{"title":"last"}')
      })
      await expect.poll(waiting, patient).toBe(1)
      program.kill("SIGTERM")
      // The stream ends properly, and the connection is not cut.
      expect(await live.ended).toBe("ended")
      release()
      expect(await writing).toBe(201)
      // The runtime of Effect ends with the exit code of the signal.
      expect(await program.ended).toBe(name === "Effect's HttpRouter" ? 130 : 0)
      expect(program.stderr()).toBe("")
    })
  }
)
