/**
 * Sends 20,000 random requests of several concurrent users. They are made from the OpenAPI document and a seed.
 * Repeat a failed run with `TODO_TEST_SEED=<seed>`.
 */
import { randomInt } from "node:crypto"
import { Agent, type IncomingMessage, request as httpRequest } from "node:http"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, expect, it } from "vitest"
import { assertPromised } from "../support/OpenApiAnswers.ts"
import { Random } from "../../../../.config/random.ts"
import { type Fuzzer, type FuzzRequest, makeRequest } from "../support/fuzzRequests.ts"
import { useServer } from "../support/testServer.ts"

const seed = Number(process.env["TODO_TEST_SEED"] ?? randomInt(2 ** 31))
const count = 20_000
const concurrency = 16

interface Answered {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
}

/** Sends over keep-alive connections. A stream is closed after its first bytes. */
const exchange = (agent: Agent, url: URL, { body, headers, method, path }: FuzzRequest): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ agent, host: url.hostname, port: url.port, method, path, headers, timeout: 15_000 })
    const done = (response: IncomingMessage, text: string) =>
      resolve({
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
        text
      })
    let response: IncomingMessage | undefined
    request.on("response", (incoming: IncomingMessage) => {
      response = incoming
      const isStream = incoming.headers["content-type"] === "text/event-stream"
      let text = ""
      incoming.setEncoding("utf8").on("data", (part: string) => {
        text += part
        if (!isStream) return
        done(incoming, text)
        incoming.destroy()
      })
      incoming.on("end", () => done(incoming, text)).on("error", reject)
    })
    request.on("timeout", () => request.destroy(new Error("no answer in 15 seconds")))
    // A response before the end of the request body may close the connection. It counts as a response.
    request.on("error", (error) => (response === undefined ? reject(error) : undefined))
    request.end(body)
  })

/** The heap after a garbage collection, in MiB. */
const heap = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length

/** Finds 5xx responses, responses outside of the contract, data of other users, and input that a problem repeats. */
const check = (users: ReadonlyArray<Fuzzer>, user: Fuzzer, url: string, sent: FuzzRequest, answer: Answered): void => {
  const { headers, status, text } = answer
  const isStream = headers["content-type"] === "text/event-stream"
  if (status >= 500) throw new Error(`${status}: ${text}`)
  // The URL parser normalises some paths, and then another path is requested, which may not exist.
  if (new URL(url).pathname !== sent.path.split("?", 1)[0]) assert.isTrue(status >= 400 || sent.method === "OPTIONS")
  else assertPromised({ method: sent.method, url, status, headers, ...(!isStream && { text }) })
  for (const other of users) {
    if (other !== user && text.includes(other.canary)) throw new Error(`the answer has another user's text: ${text}`)
  }
  if (status < 400 || text === "") return
  const { code, detail, requestId, status: told, title, type, ...more } = JSON.parse(text)
  const isComplete = typeof detail === "string" && typeof title === "string" && typeof requestId === "string"
  if (!isComplete || told !== status || type !== `urn:todo:problem:${code}`) throw new Error(`an odd problem: ${text}`)
  // Node refuses a URL or header that is too long before the request has an id.
  if (status !== 431) assert.strictEqual(requestId, headers["x-request-id"])
  const said = JSON.stringify({ detail, title, ...more })
  // A pointer contains the names of sent members, and some names are also sent as values.
  const unpointed = JSON.stringify({ detail, title, ...more }, (key, value) => (key === "pointer" ? undefined : value))
  const repeated =
    [user.canary, user.token].find((value) => said.includes(value)) ??
    sent.values.find((value) => unpointed.includes(value))
  if (repeated !== undefined) throw new Error(`the problem repeats ${JSON.stringify(repeated)}: ${text}`)
  assert.notMatch(said, /node_modules|\.ts:\d|\bselect\b|\bSchema|\bpg_|todo\.todos/i)
}

/** Records ids and cursors for later requests. */
const harvest = (user: Fuzzer, { path }: FuzzRequest, { headers, text }: Answered): void => {
  const keep = (list: Array<string>, value: string) => {
    if (list.push(value) > 40) list.splice(20, 1)
  }
  if (headers["etag"] !== undefined) keep(user.etags, headers["etag"])
  if (headers["content-type"] !== "application/json" || text === "") return
  const { id, nextCursor } = JSON.parse(text)
  if (headers["location"] !== undefined) keep(path.startsWith("/v1/lists") ? user.lists : user.todos, id)
  if (typeof nextCursor === "string") keep(user.cursors, nextCursor)
}

const told = ({ body, headers, method, path }: FuzzRequest): string =>
  [`${method} ${path}`, ...headers, "", body?.toString("latin1").slice(0, 2_000)].join("\n")

/** The invariants of the tables. Each statement selects rows that violate one. */
const violations: Readonly<Record<string, string>> = {
  "a user's revision is that of the last change": `select id from todo.users u where revision is distinct from (
      select max(revision) from (
        select revision from todo.todos where owner_id = u.id union all select revision from todo.lists where owner_id = u.id
      ) changes)`,
  "every change has a revision of its own": `select owner_id from (select owner_id, revision from todo.todos union all select owner_id, revision from todo.lists)
      changes group by owner_id, revision having count(*) > 1`,
  "a todo that is not in the trash is in no list that is": `select t.id from todo.todos t join todo.lists l on (l.owner_id, l.id) = (t.owner_id, t.list_id)
      where t.deleted_at is null and l.deleted_at is not null`,
  "todos are found by the words that they have, and no others": `select id from todo.todos t where
      (select array_agg(distinct word order by word) from unnest(title_words || description_words
        || array(select ' ' || tag from unnest(tags) tag)) word) is distinct from
      (select array_agg(word order by word) from todo.todo_words w where (w.owner_id, w.todo_id) = (t.owner_id, t.id))`,
  "nobody has a text of another": `select a.id from (
      select owner_id, id, concat(title, description, tags) as text from todo.todos
      union all select owner_id, id, name from todo.lists
      union all select owner_id, null, answer::text from todo.idempotency_keys
    ) a, unnest($1::text[], $2::text[]) given (user_id, canary)
    where position(canary in a.text) > 0 and a.owner_id <> user_id`,
  "no connection is left in a transaction, and no more than the pool has": `select state from pg_stat_activity where datname = current_database() and usename = 'todo_runtime'
      and (state <> 'idle' or (select count(*) from pg_stat_activity where usename = 'todo_runtime' and datname = current_database()) > 10)`
}

describe("Fuzzing", () => {
  const server = useServer()

  const makeUsers = async (random: Random) => {
    const made = await Promise.all(
      random.list(5, async (index) => {
        const { id, send, token } = await server.user()
        const { body } = await send("GET", "/v1/changes")
        return {
          id,
          token,
          send,
          canary: `canary${index}x${random.uuid().slice(0, 8)}`,
          etags: ['"1"'],
          cursors: [body.nextCursor],
          lists: random.list(4, () => random.uuid()),
          todos: random.list(12, () => random.uuid())
        }
      })
    )
    return made.map((user) => ({
      ...user,
      foreign: made.filter((other) => other !== user).flatMap(({ lists, todos }) => [...lists, ...todos])
    }))
  }

  it(`${count} random requests get responses of the contract in time, without a 5xx or data of other users`, async () => {
    console.log(`TODO_TEST_SEED=${seed}`)
    const users = await makeUsers(new Random(seed))
    const before = sockets()
    const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
    const statuses = new Map<number, number>()

    let next = 0
    const worker = async (until: number) => {
      while (next < until) {
        const number = next++
        const user = users[number % users.length] as (typeof users)[number]
        const sent = makeRequest(seed, number, user)
        try {
          const answer = await exchange(agent, new URL(server.url), sent)
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          check(users, user, server.url + sent.path, sent, answer)
          harvest(user, sent, answer)
        } catch (cause) {
          next = count
          throw new Error(`request ${number} of TODO_TEST_SEED=${seed}: ${told(sent)}`, { cause })
        }
      }
    }
    const workers = (until: number) => Promise.all(Array.from({ length: concurrency }, () => worker(until)))

    try {
      await workers(count / 4)
      const warm = heap()
      await workers(count)
      const grown = heap() - warm
      console.log(
        `the heap has ${grown.toFixed(1)} MiB more; by status: ${JSON.stringify(Object.fromEntries(statuses))}`
      )
      expect(grown).toBeLessThan(30)
    } finally {
      agent.destroy()
    }

    // The fuzzer must reach each of these statuses.
    for (const status of [200, 201, 204, 304, 400, 401, 404, 405, 409, 412, 413, 415, 422]) {
      expect(statuses.get(status), `answers with ${status}`).toBeGreaterThan(0)
    }
    for (const [rule, statement] of Object.entries(violations)) {
      const parameters = statement.includes("$2") ? [users.map(({ id }) => id), users.map(({ canary }) => canary)] : []
      await expect.poll(() => server.sql(statement, ...parameters), { message: rule, timeout: 30_000 }).toEqual([])
    }
    for (const { id, send } of users) {
      const fed: Array<unknown> = []
      for (let since = "", hasMore = true; hasMore;) {
        const { body } = await send("GET", `/v1/changes?limit=500${since}`)
        fed.push(...body.changes.map(({ id, revision }: { id: string; revision: number }) => `${revision} ${id}`))
        since = `&since=${body.nextCursor}`
        hasMore = body.hasMore
      }
      const rows: ReadonlyArray<{ id?: string; revision?: number }> = await server.sql(
        `select revision::int, id from todo.todos where owner_id = $1 union all
        select revision::int, id from todo.lists where owner_id = $1 order by revision`,
        id
      )
      expect(fed).toEqual(rows.map(({ id, revision }) => `${revision} ${id}`))
    }
    // Only the connections of the pool may stay open.
    await expect.poll(sockets, { timeout: 10_000 }).toBeLessThanOrEqual(before + 10)
    const streams = async () => /^http_event_streams (\d+)$/m.exec((await server.send("GET", "/metrics")).text)?.[1]
    await expect.poll(streams, { timeout: 10_000 }).toBe("0")
  }, 1_200_000)
})
