/**
 * The upper bound on Node and PostgreSQL: node:http, named prepared statements, JSON made by PostgreSQL, tokens in a map, and
 * no validation. It is not fit for users.
 *
 * A write increases the revision of its user, like this server. It does so in one statement, which is a transaction in one
 * round trip, because pg does not pipeline.
 */
import { createServer, type IncomingMessage } from "node:http"
import { jwtVerify } from "jose"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env["DATABASE_URL"], max: 10 })
const secret = new TextEncoder().encode(process.env["TODO_JWT_SECRET"])

const subjects = new Map<string, string>()
const subjectOf = async (token: string): Promise<string> => {
  const sub = subjects.get(token) ?? (await jwtVerify(token, secret)).payload.sub ?? ""
  subjects.set(token, sub)
  return sub
}

let statements = 0
/** Makes a function that runs a prepared statement and returns its only value as text. */
const prepared = (text: string) => {
  const name = `statement_${statements++}`
  return async (...values: ReadonlyArray<unknown>): Promise<string | undefined> =>
    (await pool.query({ name, text, values: [...values], rowMode: "array" })).rows[0]?.[0]
}

const todo = `json_build_object('id', t.id, 'title', t.title, 'description', t.description,
  'completed', t.completed_at is not null, 'completedAt', t.completed_at, 'priority', t.priority, 'due', t.due,
  'tags', t.tags, 'listId', t.list_id, 'position', t.position, 'revision', t.revision, 'createdAt', t.created_at,
  'updatedAt', t.updated_at, 'deletedAt', t.deleted_at)`

const get = prepared(`select ${todo}::text from bench.todos t where owner_id = $1 and id = $2 and deleted_at is null`)

const list = (condition: string, order: string) =>
  prepared(`select json_build_object('items', coalesce(json_agg(todo), '[]'))::text from (
    select ${todo} as todo from bench.todos t where owner_id = $1 and deleted_at is null and ${condition}
    order by ${order} limit 50) page`)

/** The lists by query string, which is not parsed. */
const lists = new Map([
  ["limit=50", list("true", "position")],
  [
    "completed=false&priority=high&sort=-createdAt",
    list("completed_at is null and priority = 'high'", "created_at desc, id desc")
  ]
])
const search = list("search @@ websearch_to_tsquery('simple', $2)", "position")

const counted = (by: string) =>
  `me as (update bench.users set revision = revision + ${by} where id = $1 returning revision)`

const create = prepared(`with ${counted("1")}
  insert into bench.todos as t (owner_id, title, revision) select $1, $2::json->>'title', revision from me
  returning ${todo}::text`)

/** Sets only the fields that the scenarios change. */
const changed = (fields: string) => `title = coalesce(${fields}->>'title', title), updated_at = now(),
  completed_at = case (${fields}->>'completed')::boolean when true then now() when false then null else completed_at end`

const update = prepared(`with ${counted("1")}
  update bench.todos t set ${changed("$3::json")}, revision = me.revision from me
  where owner_id = $1 and id = $2 and t.revision = coalesce($4::bigint, t.revision) returning ${todo}::text`)

const batch = prepared(`with ops as (
    select op->>'id' as id, op->'patch' as patch, n from json_array_elements($2::json->'operations') with ordinality _ (op, n)
  ), ${counted("(select count(*) from ops)")}, done as (
    update bench.todos t set ${changed("patch")}, revision = me.revision from me, ops
    where owner_id = $1 and t.id = ops.id::uuid returning n, ${todo} as todo
  )
  select json_build_object('results', json_agg(json_build_object('index', n - 1, 'todo', todo) order by n))::text from done`)

const changes = prepared(`select json_build_object('changes', coalesce(json_agg(todo), '[]'),
    'nextCursor', coalesce(max(updated_at), $2::timestamptz), 'hasMore', count(*) = 100)::text
  from (select updated_at, ${todo} as todo from bench.todos t where owner_id = $1 and updated_at > $2::timestamptz
    order by updated_at limit 100) page`)

const read = async (request: IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request) body += chunk
  return body
}

/** The status and body of a response. */
const answer = async (request: IncomingMessage): Promise<readonly [number, string | undefined]> => {
  const { headers, method, url = "" } = request
  const user = await subjectOf(headers.authorization?.slice("Bearer ".length) ?? "")
  const [path = "", query = ""] = url.split("?")
  if (path === "/v1/todos" && method === "POST") return [201, await create(user, await read(request))]
  if (path === "/v1/todos/batch") return [200, await batch(user, await read(request))]
  if (path === "/v1/changes") {
    const since = /^since=([^&]+)/.exec(query)?.[1]
    return [200, await changes(user, since === undefined ? "1970-01-01T00:00:00Z" : decodeURIComponent(since))]
  }
  if (path === "/v1/todos") {
    if (query.startsWith("q=")) return [200, await search(user, decodeURIComponent(query.slice("q=".length)))]
    return [200, await lists.get(query)?.(user)]
  }
  const id = path.slice("/v1/todos/".length)
  if (method === "GET") return [200, await get(user, id)]
  return [200, await update(user, id, await read(request), headers["if-match"]?.replaceAll('"', "") ?? null)]
}

createServer((request, response) => {
  answer(request).then(
    ([status, body]) => {
      if (body === undefined)
        return void response.writeHead(request.headers["if-match"] === undefined ? 404 : 412).end()
      response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      response.end(body)
    },
    () => response.writeHead(500).end()
  )
}).listen(Number(process.env["PORT"]), "127.0.0.1")
