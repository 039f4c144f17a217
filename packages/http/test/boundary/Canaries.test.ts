/**
 * Data of users and secrets must not appear in log lines, metrics, traces or errors. Each value carries a canary, and the
 * whole output of the server at the most verbose level is searched for it.
 */
import { randomBytes, randomUUID } from "node:crypto"
import { get } from "node:http"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it } from "vitest"
import { invalidTokens } from "../support/invalidTokens.ts"
import { type Fuzzer, makeRequest } from "../support/fuzzRequests.ts"
import { unreadableQueries } from "../support/hostileAddresses.ts"
import { badFields, malformedBodies } from "../support/hostileInputs.ts"
import { collector } from "../support/otlpCollector.ts"
import { answers, gate, settings, start, useDatabase } from "../support/program.ts"
import { Random } from "../../../../.config/random.ts"
import { routes } from "../support/routes.ts"
import { type Answer, claims, request, type Sent, sign } from "../support/testServer.ts"

/** Letters that occur nowhere else, and that JSON and URLs do not escape. */
const marker = `zqxj${randomBytes(6).toString("hex")}`

/** The canary in several encodings. */
const forms = [
  marker,
  Buffer.from(marker).toString("hex"),
  // Base64 for each alignment, without the characters that depend on neighbouring bytes.
  ...[0, 1, 2].map((offset) =>
    Buffer.from("\0".repeat(offset) + marker)
      .toString("base64")
      .slice(offset === 0 ? 0 : 4, -4)
  )
].map((form) => form.toLowerCase())

const secretOf = (name: string) => `${marker}-${name}-${randomBytes(16).toString("hex")}`

describe("Canaries", () => {
  const database = useDatabase()

  const asSuperuser = (...statements: ReadonlyArray<string>) =>
    Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared, { discard: true })
      ).pipe(Effect.provide(Database.layer({ url: database.admin, poolSize: 1 })))
    )

  /** Reads the first event of a stream, and closes it. */
  const follow = (address: string, authorization: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { authorization, accept: "text/event-stream", cookie: marker }
      get(`${address}/v1/changes`, { agent: false, headers }, (response) => {
        response.setEncoding("utf8").on("data", (text: string) => {
          if (!text.includes("event: change")) return
          resolve(text)
          response.destroy()
        })
        response.on("error", () => {})
      }).on("error", reject)
    })

  it.each(["json", "pretty"])("canaries never appear in a response or a log, with logs as %s", async (format) => {
    const otlp = await collector()
    const way = await gate(database.DATABASE_URL)
    await way.open()
    const url = new URL(way.url)
    url.password = secretOf("password")
    const keys = { TODO_JWT_SECRET: secretOf("secret"), TODO_JWT_SECRET_PREVIOUS: secretOf("previous") }
    const program = start({
      ...settings,
      ...keys,
      DATABASE_URL: url.href,
      TODO_LOG_LEVEL: "All",
      TODO_LOG_FORMAT: format,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url
    })
    const address = await program.address()

    const user = `${marker}|${randomUUID()}`
    const tokens = [await sign(claims(user), keys.TODO_JWT_SECRET)]
    const statuses = new Map<number, number>()
    const said: Array<string> = []
    const send = async (method: string, path: string, { headers, ...sent }: Sent = {}): Promise<Answer> => {
      const answer = await request(address + path, method, {
        ...sent,
        headers: { authorization: `Bearer ${tokens[0]}`, cookie: `a=${marker}`, "user-agent": marker, ...headers }
      })
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status >= 400) said.push(answer.text, JSON.stringify(answer.headers))
      return answer
    }

    const todo = { title: `${marker} title`, description: `${marker} description`, tags: [marker] }
    const keyed = () => ({ "idempotency-key": `${marker}-${randomUUID()}` })
    /** Requests of a route with canaries in all places, valid and invalid. */
    const visit = async ({ method, path }: (typeof routes)[number], id: string) => {
      const body = path.endsWith("batch")
        ? { operations: [{ op: "create", todo }] }
        : path.endsWith("move")
          ? { before: id }
          : path.includes("lists")
            ? { name: `${marker} again` }
            : todo
      await send(method, path.replace(":id", id), {
        headers: { ...keyed(), "if-none-match": method === "GET" ? `"${marker}"` : "*" },
        ...(method.startsWith("P") && { json: body })
      })
      const query = `q=${marker}&tag=${marker}&cursor=${marker}&since=${marker}&access_token=${tokens[0]}`
      await send(method, `${path.replace(":id", marker)}?${query}`)
    }
    const walk = async () => {
      const list = await send("POST", "/v1/lists", { json: { name: `${marker} list` }, headers: keyed() })
      const one = await send("POST", "/v1/todos", { json: { ...todo, listId: list.body.id }, headers: keyed() })
      for (const route of routes) await visit(route, (route.path.includes("lists") ? list : one).body.id)
      await send("GET", `/v1/todos?q=${marker}&tag=${marker}&tag=%7a${marker.slice(1)}&limit=1`)
      await send("GET", `/v1/todos?cursor=${Buffer.from(marker.repeat(3)).toString("base64url")}`)
      await send("PATCH", `/v1/todos/${one.body.id}`, { json: todo, headers: { "if-match": '"0"' } })
      await send("PROPFIND", `/${marker}?${marker}`)
      await send("DELETE", `/v1/${marker}`)
    }

    await walk()
    const streamed = await follow(address, `Bearer ${tokens[0]}`)
    expect(streamed).toContain(marker)

    // Hostile bodies, and todos with hostile members and the canary in the title.
    const json = { "content-type": "application/json" }
    for (const [, members] of badFields.slice(0, 120)) {
      await send("PUT", `/v1/todos/${randomUUID()}`, { body: `{"title":"${marker}",${members}}`, headers: json })
    }
    for (const [, body] of malformedBodies) {
      const marked = typeof body === "string" ? `${marker}${body}` : body
      await send("POST", "/v1/todos", { body: marked, headers: { ...json, ...keyed() } })
    }
    for (const query of unreadableQueries) await send("GET", `/v1/todos?q=${marker}&${query}`)
    await send("POST", "/v1/todos", { body: marker.repeat(20_000), headers: json })
    await send("POST", "/v1/todos", { body: marker, headers: { "content-type": `text/${marker}` } })
    for (const [, make] of invalidTokens) {
      await send("GET", `/v1/me?access_token=${marker}`, { headers: { authorization: `Bearer ${make()}` } })
    }
    for (const claimed of [{ exp: 1 }, { aud: marker }, { iss: marker }, { sub: `${marker}\u0000` }, { iat: marker }]) {
      const token = await sign({ ...claims(user), ...claimed }, keys.TODO_JWT_SECRET)
      tokens.push(token)
      await send("GET", "/v1/me", { headers: { authorization: `Bearer ${token}` } })
    }
    await send("GET", "/v1/me", { headers: { authorization: `Basic ${btoa(`${marker}:${marker}`)}` } })
    const random = new Random(1)
    const ids = random.list(5, () => random.uuid())
    const fuzzer: Fuzzer = {
      canary: marker,
      token: tokens[0] ?? "",
      etags: ['"1"'],
      cursors: [marker],
      todos: ids,
      lists: ids,
      foreign: ids
    }
    for (let number = 0; number < 300; number++) {
      const { body, headers, method, path } = makeRequest(1, number, fuzzer)
      if (/^(TRACE|CONNECT)$/.test(method) || headers.includes("text/event-stream")) continue
      const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : []))
      const sent = Object.fromEntries(
        pairs.filter(([name]) => !/^(host|content-length|transfer-encoding)$/.test(name ?? ""))
      )
      const withBody = body !== undefined && !/^(GET|HEAD)$/.test(method)
      await send(method, path, { headers: sent, ...(withBody && { body: new Uint8Array(body) }) })
    }

    // 500: an unknown constraint, whose error quotes the row, and a missing function.
    await asSuperuser(`alter table todo.todos add constraint odd check (title not like '%${marker} title') not valid`)
    expect((await send("POST", "/v1/todos", { json: todo })).status).toBe(500)
    await asSuperuser(
      "alter table todo.todos drop constraint odd",
      "alter function todo.write_locked(todo.users, jsonb) rename to sound"
    )
    for (const body of [
      "raise exception 'broken by %', op",
      "raise exception 'broken' using detail = op::text, hint = op::text",
      "return to_json(op::text)",
      "return op",
      "return null"
    ]) {
      await asSuperuser(
        `create or replace function todo.write_locked(account todo.users, op jsonb) returns json language plpgsql as $$ begin ${body}; end $$`,
        "grant execute on function todo.write_locked(todo.users, jsonb) to public"
      )
      expect((await send("POST", "/v1/todos", { json: todo })).status).toBe(500)
    }
    await asSuperuser("drop function todo.write_locked(todo.users, jsonb)")
    await Promise.all(routes.map((route) => visit(route, randomUUID())))
    await asSuperuser("alter function todo.sound(todo.users, jsonb) rename to write_locked")
    // 503: the database stops while statements run.
    const pending = Array.from({ length: 5 }, () => send("POST", "/v1/todos", { json: todo, headers: keyed() }))
    await way.close()
    await Promise.all(pending)
    await answers(address, "/readyz", 503)
    await Promise.all(routes.map((route) => visit(route, randomUUID())))
    const metrics = (await send("GET", "/metrics", { headers: { authorization: "" } })).text
    program.kill("SIGTERM")
    await program.ended

    const sources: Record<string, string> = {
      stdout: program.stdout(),
      stderr: program.stderr(),
      metrics,
      errors: said.join("\n"),
      ...Object.fromEntries(["traces", "metrics", "logs"].map((signal) => [`OTLP ${signal}`, otlp.received(signal)]))
    }
    const found = Object.entries(sources).flatMap(([source, text]) => {
      const lower = text.toLowerCase()
      const secrets = [...forms, ...tokens.map((token) => token.split(".")[2]?.toLowerCase() ?? "")]
      return secrets.flatMap((secret) => {
        const at = lower.indexOf(secret)
        return at === -1 ? [] : [`${source}: ${text.slice(Math.max(0, at - 400), at + 100)}`]
      })
    })
    expect(found).toEqual([])

    // Every output must have content, or the search proves nothing.
    for (const status of [200, 201, 204, 400, 401, 404, 405, 412, 413, 415, 422, 500, 503]) {
      expect(statuses.get(status), `answers with ${status}`).toBeGreaterThan(0)
    }
    expect(sources["stdout"]).toContain("request failed")
    expect(metrics).toContain("http_requests_total")
    expect(sources["OTLP traces"]).toContain("/v1/todos")
    expect(sources["OTLP logs"]).toContain("request failed")
    expect(sources["OTLP metrics"]).toContain("http_requests_total")
  })
})
