/**
 * The server of a team that makes the same promises as this one with Fastify, @fastify/jwt and pg: row-level security, a
 * revision for each user, ETag and If-Match, idempotency keys, a change feed, keyset pagination and a log line for each
 * request. `fair.sql` has its tables. It has the routes that the scenarios and `promises.ts` ask for.
 *
 * Each request is a transaction: begin, set_config, its statements, commit. They take one round trip each, which is how pg
 * works by default. With `FAIR_PIPELINE=1` it uses the pipeline mode of pg, and statements that do not need each other's
 * answers share a round trip.
 */
import { createHash } from "node:crypto"
import jwt from "@fastify/jwt"
import Fastify, { LogController, type FastifyReply, type FastifyRequest } from "fastify"
import { Pool, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult, types } from "pg"

types.setTypeParser(types.builtins.INT8, Number)

const pipeline = process.env["FAIR_PIPELINE"] === "1"
// The types of pg do not know `pipeline` yet.
const config: PoolConfig & { pipeline: boolean } = { connectionString: process.env["DATABASE_URL"], max: 10, pipeline }
const pool = new Pool(config)

/** Logs one line for each request, as this server does. Fastify would log two. */
class OneLine extends LogController {
  override incomingRequest() {}
  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply) {
    const { method, routeOptions } = request
    const line = { method, route: routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }
    if (error) reply.log.error({ ...line, err: error }, "request failed")
    else reply.log.info(line, "request")
  }
}

const app = Fastify({
  logger: true,
  logController: new OneLine(),
  ajv: { customOptions: { removeAdditional: false, discriminator: true } }
})
await app.register(jwt, {
  secret: process.env["TODO_JWT_SECRET"] ?? "",
  verify: {
    allowedIss: process.env["TODO_JWT_ISSUER"] ?? "",
    allowedAud: process.env["TODO_JWT_AUDIENCE"] ?? ""
  }
})
app.addHook("onRequest", (request) => request.jwtVerify())

// Errors

const problems = {
  "malformed-request": { status: 400, title: "Malformed request" },
  "invalid-cursor": { status: 400, title: "Invalid cursor" },
  unauthorized: { status: 401, title: "Unauthorized" },
  "todo-not-found": { status: 404, title: "Todo not found" },
  "list-not-found": { status: 404, title: "List not found" },
  "route-not-found": { status: 404, title: "Route not found" },
  "revision-mismatch": { status: 412, title: "Revision mismatch" },
  "invalid-input": { status: 422, title: "Invalid input" },
  "idempotency-key-reused": { status: 422, title: "Idempotency key reused" },
  internal: { status: 500, title: "Internal error" }
} as const

class Problem extends Error {
  readonly code: keyof typeof problems
  /** The current revision of the row, for the entity tag of a 412. */
  readonly current: number | undefined
  constructor(code: keyof typeof problems, current?: number) {
    super(problems[code].title)
    this.code = code
    this.current = current
  }
}

const codeOf = (error: { validation?: unknown; statusCode?: number; code?: string }): keyof typeof problems => {
  if (error instanceof Problem) return error.code
  if (error.validation !== undefined) return "invalid-input"
  if (error.statusCode === 401) return "unauthorized"
  if (error.statusCode !== undefined && error.statusCode < 500) return "malformed-request"
  if (error.code === "23503") return "list-not-found"
  if (error.code?.startsWith("22") === true) return "invalid-input"
  return "internal"
}

app.setErrorHandler<Error & { validation?: unknown; statusCode?: number; code?: string }>((error, request, reply) => {
  const code = codeOf(error)
  const { status, title } = problems[code]
  if (status === 500) request.log.error(error)
  if (error instanceof Problem && error.current !== undefined) reply.header("etag", etag(error.current))
  return reply
    .code(status)
    .type("application/problem+json")
    .send({ type: `urn:todo:problem:${code}`, title, status, detail: status === 500 ? title : error.message, code })
})
app.setNotFoundHandler(() => {
  throw new Problem("route-not-found")
})

// The database

const names = new Map<string, string>()
/** A prepared statement, named by its text. */
const statement = (text: string, values: Array<unknown>): QueryConfig => {
  const name = names.get(text) ?? `statement_${names.size}`
  names.set(text, name)
  return { name, text, values }
}

const setUser = (user: string) => statement("select set_config('app.user_id', $1, true)", [user])

/** Undoes the transaction and returns a result all the same. */
class Unchanged {
  readonly row: Todo
  constructor(row: Todo) {
    this.row = row
  }
}

/** Runs work in a transaction of a user. In pipeline mode its first statement goes out with the beginning. */
const transaction = async <A>(user: string, work: (client: PoolClient) => Promise<A>): Promise<A> => {
  const client = await pool.connect()
  try {
    if (pipeline) {
      const [, , result] = await Promise.all([client.query("begin"), client.query(setUser(user)), work(client)])
      await client.query("commit")
      return result
    }
    await client.query("begin")
    await client.query(setUser(user))
    const result = await work(client)
    await client.query("commit")
    return result
  } catch (error) {
    await client.query("rollback")
    throw error
  } finally {
    client.release()
  }
}

/** Runs one statement that reads as a user. In pipeline mode this takes one round trip. */
const read = async <Row extends object>(user: string, query: QueryConfig): Promise<Array<Row>> => {
  if (!pipeline) return transaction(user, async (client) => (await client.query<Row>(query)).rows)
  const client = await pool.connect()
  try {
    const all = ["begin", setUser(user), query, "commit"].map((one) => client.query<Row>(one as QueryConfig))
    const results: ReadonlyArray<QueryResult<Row>> = await Promise.all(all)
    return results[2]?.rows ?? []
  } catch (error) {
    await client.query("rollback")
    throw error
  } finally {
    client.release()
  }
}

/** Raises the revision of a user, and so locks the row until the end of the transaction. */
const nextRevision = async (client: PoolClient, user: string, by: number): Promise<number> => {
  const raised = await client.query<{ revision: number }>(
    statement("update fair.users set revision = revision + $2 where id = $1 returning revision", [user, by])
  )
  if (raised.rows[0] !== undefined) return raised.rows[0].revision - by + 1
  const { rows } = await client.query<{ revision: number }>(
    statement(
      `insert into fair.users (id, revision) values ($1, $2)
       on conflict (id) do update set revision = users.revision + $2 returning revision`,
      [user, by]
    )
  )
  return (rows[0]?.revision ?? 0) - by + 1
}

// Todos

interface Fields {
  readonly title?: string
  readonly description?: string | null
  readonly completed?: boolean
  readonly priority?: (typeof priorities)[number]
  readonly due?: object | null
  readonly tags?: ReadonlyArray<string>
  readonly listId?: string | null
}

interface Todo extends Required<Fields> {
  readonly id: string
  readonly completedAt: Date | null
  readonly position: string
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly deletedAt: Date | null
}

const priorities = ["none", "low", "medium", "high"] as const

const columns = `id, title, description, completed_at is not null as completed, completed_at as "completedAt",
  (array['none', 'low', 'medium', 'high'])[priority + 1] as priority, due, tags, list_id as "listId", position, revision,
  created_at as "createdAt", updated_at as "updatedAt", deleted_at as "deletedAt"`

const find = (user: string, id: string) =>
  statement(`select ${columns} from fair.todos where owner_id = $1 and id = $2 and deleted_at is null`, [user, id])

const insert = async (client: PoolClient, user: string, revision: number, fields: Fields): Promise<Todo> => {
  const { completed = false, description, due, listId, priority = "none", tags = [], title } = fields
  const position = `z${revision.toString(16).padStart(12, "0")}`
  const { rows } = await client.query<Todo>(
    statement(
      `insert into fair.todos
         (owner_id, title, description, priority, due, tags, list_id, completed_at, position, revision)
       values ($1, $2, $3, $4, $5, $6, $7, case when $8 then now() end, $9, $10) returning ${columns}`,
      [user, title, description, priorities.indexOf(priority), due, tags, listId, completed, position, revision]
    )
  )
  return rows[0] as Todo
}

/** How each field is set, and what is true if the row has this value already. */
const setters: Record<keyof Fields, (value: string) => readonly [assignment: string, same: string]> = {
  title: (value) => [`title = ${value}`, `title = ${value}`],
  description: (value) => [`description = ${value}`, `description is not distinct from ${value}`],
  completed: (value) => [
    `completed_at = case when ${value} then coalesce(completed_at, now()) end`,
    `(completed_at is not null) = ${value}`
  ],
  priority: (value) => [`priority = ${value}`, `priority = ${value}`],
  due: (value) => [`due = ${value}`, `due is not distinct from ${value}::jsonb`],
  tags: (value) => [`tags = ${value}`, `tags = ${value}::text[]`],
  listId: (value) => [`list_id = ${value}`, `list_id is not distinct from ${value}::uuid`]
}

interface Change {
  readonly id: string
  readonly fields: Fields
  /** The revision that the row must have. */
  readonly expected: number | undefined
}

/** Sets the fields. A row that has them already keeps its revision. */
const update = async (
  client: PoolClient,
  user: string,
  revision: number,
  change: Change
): Promise<Todo | Unchanged> => {
  const { expected, fields, id } = change
  const values: Array<unknown> = [user, id, expected, revision]
  const entries = Object.entries(fields).map(([name, value]) =>
    setters[name as keyof Fields](`$${values.push(name === "priority" ? priorities.indexOf(value) : value)}`)
  )
  if (entries.length > 0) {
    const { rows } = await client.query<Todo>(
      statement(
        `update fair.todos set ${entries.map(([assignment]) => assignment).join(", ")}, revision = $4, updated_at = now()
         where owner_id = $1 and id = $2 and revision = coalesce($3, revision) and deleted_at is null
           and not (${entries.map(([, same]) => same).join(" and ")})
         returning ${columns}`,
        values
      )
    )
    if (rows[0] !== undefined) return rows[0]
  }
  const [row] = (await client.query<Todo>(find(user, id))).rows
  return new Unchanged(at(row, expected))
}

/** Moves a todo to the trash. */
const trash = async (client: PoolClient, user: string, revision: number, change: Omit<Change, "fields">) => {
  const { expected, id } = change
  const { rows } = await client.query<Todo>(
    statement(
      `update fair.todos set deleted_at = now(), revision = $4, updated_at = now()
       where owner_id = $1 and id = $2 and revision = coalesce($3, revision) and deleted_at is null returning ${columns}`,
      [user, id, expected, revision]
    )
  )
  return rows[0] ?? at((await client.query<Todo>(find(user, id))).rows[0], expected)
}

/** The row, if it exists and has the expected revision. */
const at = (row: Todo | undefined, expected: number | undefined): Todo => {
  if (row === undefined) throw new Problem(expected === undefined ? "todo-not-found" : "revision-mismatch")
  if (expected !== undefined && row.revision !== expected) throw new Problem("revision-mismatch", row.revision)
  return row
}

/** Runs work once for each idempotency key of a user, and returns its first answer again for 24 hours. */
const once = async <A>(client: PoolClient, request: FastifyRequest, work: () => Promise<A>): Promise<A> => {
  const key = request.headers["idempotency-key"]
  if (key === undefined) return work()
  const [user, fingerprint] = [owner(request), fingerprintOf(request)]
  const taken = await client.query(
    statement(
      `insert into fair.idempotency_keys as k (owner_id, key, fingerprint) values ($1, $2, $3)
       on conflict (owner_id, key) do update set fingerprint = $3, answer = null, created_at = now()
         where k.created_at < now() - interval '24 hours'
       returning key`,
      [user, key, fingerprint]
    )
  )
  if (taken.rowCount === 0) {
    const { rows } = await client.query<{ fingerprint: string; answer: A }>(
      statement("select fingerprint, answer from fair.idempotency_keys where owner_id = $1 and key = $2", [user, key])
    )
    if (rows[0]?.fingerprint !== fingerprint) throw new Problem("idempotency-key-reused")
    return rows[0].answer
  }
  const answer = await work()
  await client.query(
    statement("update fair.idempotency_keys set answer = $3 where owner_id = $1 and key = $2", [
      user,
      key,
      JSON.stringify(answer)
    ])
  )
  return answer
}

const fingerprintOf = ({ body, method, url }: FastifyRequest) =>
  createHash("sha256")
    .update(JSON.stringify([method, url, body]))
    .digest("base64")

// Requests and responses

const owner = (request: FastifyRequest): string => (request.user as { readonly sub: string }).sub
const etag = (revision: number) => `"${revision}"`

/** The revision of If-Match. */
const expectedOf = ({ headers }: FastifyRequest): number | undefined => {
  const tag = headers["if-match"]
  if (tag === undefined || tag === "*") return undefined
  return Number(/^"(\d+)"$/.exec(tag)?.[1] ?? -1)
}

/** An object with all of these properties and no others. */
const exactly = (properties: object) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})
const nullable = (type: object) => ({ ...type, nullable: true })
const text = { type: "string" }
const time = { type: "string", format: "date-time" }
const uuid = { type: "string", format: "uuid" }
const settable = {
  title: { type: "string", minLength: 1, maxLength: 500 },
  description: nullable({ type: "string", maxLength: 10_000 }),
  completed: { type: "boolean" },
  priority: { enum: priorities },
  due: {
    oneOf: [
      exactly({ date: { type: "string", format: "date" } }),
      exactly({ dateTime: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d$" }, timeZone: text }),
      { type: "null" }
    ]
  },
  tags: { type: "array", items: { type: "string", minLength: 1, maxLength: 50 }, maxItems: 20, uniqueItems: true },
  listId: nullable(uuid)
}
const todo = {
  type: "object",
  properties: {
    id: text,
    title: text,
    description: nullable(text),
    completed: { type: "boolean" },
    completedAt: nullable(time),
    priority: text,
    due: nullable({ type: "object", properties: { date: text, dateTime: text, timeZone: text } }),
    tags: { type: "array", items: text },
    listId: nullable(text),
    position: text,
    revision: { type: "integer" },
    createdAt: time,
    updatedAt: time,
    deletedAt: nullable(time)
  }
}
const patch = { type: "object", properties: settable, additionalProperties: false }
const newTodo = { ...patch, required: ["title"] }
const params = { type: "object", properties: { id: uuid } }
const items = (of: object) => ({ type: "array", items: of })

interface WithId {
  Params: { id: string }
}

const sendTodo = (reply: FastifyReply, row: Todo) => reply.header("etag", etag(row.revision)).send(row)

app.get<WithId>("/v1/todos/:id", { schema: { params, response: { 200: todo } } }, async (request, reply) => {
  const user = owner(request)
  const [row] = await read<Todo>(user, find(user, request.params.id))
  if (row === undefined) throw new Problem("todo-not-found")
  if (request.headers["if-none-match"] === etag(row.revision))
    return reply.header("etag", etag(row.revision)).code(304).send()
  return sendTodo(reply, row)
})

/**
 * The columns of each order, and how each is read from a todo. The last one is unique. `order by priority` would mean the
 * text of the response.
 */
const orders = {
  position: { position: (row: Todo) => row.position },
  createdAt: { created_at: (row: Todo) => row.createdAt, id: (row: Todo) => row.id },
  updatedAt: { revision: (row: Todo) => row.revision },
  priority: {
    "t.priority": (row: Todo) => priorities.indexOf(row.priority),
    created_at: (row: Todo) => row.createdAt,
    id: (row: Todo) => row.id
  },
  title: { 'lower(title) collate "C"': (row: Todo) => row.title.toLowerCase(), id: (row: Todo) => row.id }
}
const sorts = Object.keys(orders).flatMap((name) => [name, `-${name}`])

const encodeCursor = (sort: string, key: ReadonlyArray<unknown>) =>
  Buffer.from(JSON.stringify([sort, ...key])).toString("base64url")

const decodeCursor = (sort: string, cursor: string): ReadonlyArray<unknown> => {
  try {
    const [sorted, ...key] = JSON.parse(Buffer.from(cursor, "base64url").toString())
    if (sorted === sort) return key
  } catch {}
  throw new Problem("invalid-cursor")
}

/** A query of words that must all be there; the last one may be incomplete. */
const tsquery = (q: string) => `${(q.match(/[\p{L}\p{N}]+/gu) ?? []).join(" & ")}:*`

interface Query {
  readonly completed?: boolean
  readonly priority?: (typeof priorities)[number]
  readonly tag?: string
  readonly listId?: string
  readonly q?: string
  readonly deleted: boolean
  readonly sort: string
  readonly limit: number
  readonly cursor?: string
}

app.get<{ Querystring: Query }>(
  "/v1/todos",
  {
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          completed: { type: "boolean" },
          priority: settable.priority,
          tag: text,
          listId: uuid,
          q: { type: "string", maxLength: 200, pattern: "[\\p{L}\\p{N}]" },
          deleted: { type: "boolean", default: false },
          sort: { enum: sorts, default: "position" },
          limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
          cursor: text
        }
      },
      response: { 200: { type: "object", properties: { items: items(todo), nextCursor: nullable(text) } } }
    }
  },
  async (request) => {
    const { completed, cursor, deleted, limit, listId, priority, q, sort, tag } = request.query
    const user = owner(request)
    const values: Array<unknown> = [user]
    const add = (value: unknown) => `$${values.push(value)}`
    const conditions = ["owner_id = $1", `deleted_at is ${deleted ? "not null" : "null"}`]
    if (completed !== undefined) conditions.push(`completed_at is ${completed ? "not null" : "null"}`)
    if (priority !== undefined) conditions.push(`priority = ${add(priorities.indexOf(priority))}`)
    if (tag !== undefined) conditions.push(`tags @> array[${add(tag)}]`)
    if (listId !== undefined) conditions.push(`list_id = ${add(listId)}`)
    if (q !== undefined) conditions.push(`search @@ to_tsquery('simple', ${add(tsquery(q))})`)

    const descending = sort.startsWith("-")
    const order: Record<string, (row: Todo) => unknown> = orders[sort.replace("-", "") as keyof typeof orders]
    const sortColumns = Object.keys(order)
    if (cursor !== undefined) {
      const key = decodeCursor(sort, cursor).map(add).join(", ")
      conditions.push(`(${sortColumns.join(", ")}) ${descending ? "<" : ">"} (${key})`)
    }
    const orderBy = sortColumns.map((column) => `${column}${descending ? " desc" : ""}`).join(", ")
    const rows = await read<Todo>(
      user,
      statement(
        `select ${columns} from fair.todos t where ${conditions.join(" and ")} order by ${orderBy} limit ${add(limit + 1)}`,
        values
      )
    )
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const more = rows.length > limit && last !== undefined
    const key = more ? Object.values(order).map((value) => value(last)) : []
    return { items: page, nextCursor: more ? encodeCursor(sort, key) : null }
  }
)

app.post<{ Body: Fields }>(
  "/v1/todos",
  { schema: { body: newTodo, response: { 201: todo } } },
  async (request, reply) => {
    const user = owner(request)
    const row = await transaction(user, (client) =>
      once(client, request, async () => insert(client, user, await nextRevision(client, user, 1), request.body))
    )
    return sendTodo(reply.code(201).header("location", `/v1/todos/${row.id}`), row)
  }
)

app.patch<WithId & { Body: Fields }>(
  "/v1/todos/:id",
  { schema: { params, body: patch, response: { 200: todo } } },
  async (request, reply) => {
    const user = owner(request)
    const change = { id: request.params.id, fields: request.body, expected: expectedOf(request) }
    const row = await transaction(user, async (client) => {
      const written = await update(client, user, await nextRevision(client, user, 1), change)
      // The rollback gives the revision back.
      if (written instanceof Unchanged) throw written
      return written
    }).catch((error: unknown) => {
      if (error instanceof Unchanged) return error.row
      throw error
    })
    return sendTodo(reply, row)
  }
)

app.delete<WithId>("/v1/todos/:id", { schema: { params } }, async (request, reply) => {
  const user = owner(request)
  const change = { id: request.params.id, expected: expectedOf(request) }
  await transaction(user, async (client) => trash(client, user, await nextRevision(client, user, 1), change))
  return reply.code(204).send()
})

type Operation =
  | { readonly op: "create"; readonly todo: Fields }
  | { readonly op: "update"; readonly id: string; readonly patch: Fields; readonly ifRevision?: number }
  | { readonly op: "delete"; readonly id: string; readonly ifRevision?: number }

const ifRevision = { type: "integer" }
/** An operation of a batch. All its properties but `ifRevision` are required. */
const operation = (op: string, properties: object) => {
  const { properties: all, ...rest } = exactly({ op: { const: op }, ...properties })
  return { ...rest, properties: { ...all, ...(op !== "create" && { ifRevision }) } }
}

app.post<{ Body: { operations: ReadonlyArray<Operation> } }>(
  "/v1/todos/batch",
  {
    schema: {
      body: {
        type: "object",
        required: ["operations"],
        additionalProperties: false,
        properties: {
          operations: {
            type: "array",
            minItems: 1,
            maxItems: 100,
            items: {
              type: "object",
              required: ["op"],
              discriminator: { propertyName: "op" },
              oneOf: [
                operation("create", { todo: newTodo }),
                operation("update", { id: uuid, patch }),
                operation("delete", { id: uuid })
              ]
            }
          }
        }
      },
      response: {
        200: {
          type: "object",
          properties: { results: items({ type: "object", properties: { index: { type: "integer" }, todo } }) }
        }
      }
    }
  },
  async (request) => {
    const user = owner(request)
    const { operations } = request.body
    const run = async (client: PoolClient, one: Operation, revision: number): Promise<Todo> => {
      if (one.op === "create") return insert(client, user, revision, one.todo)
      if (one.op === "delete") return trash(client, user, revision, { id: one.id, expected: one.ifRevision })
      const change = { id: one.id, fields: one.patch, expected: one.ifRevision }
      const written = await update(client, user, revision, change)
      return written instanceof Unchanged ? written.row : written
    }
    return transaction(user, (client) =>
      once(client, request, async () => {
        const first = await nextRevision(client, user, operations.length)
        if (pipeline) {
          const todos = await Promise.all(operations.map((one, index) => run(client, one, first + index)))
          return { results: todos.map((todo, index) => ({ index, todo })) }
        }
        const results = []
        for (const [index, one] of operations.entries())
          results.push({ index, todo: await run(client, one, first + index) })
        return { results }
      })
    )
  }
)

app.get<{ Querystring: { since: number; limit: number } }>(
  "/v1/changes",
  {
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          since: { type: "integer", minimum: 0, default: 0 },
          limit: { type: "integer", minimum: 1, maximum: 500, default: 100 }
        }
      },
      response: {
        200: {
          type: "object",
          properties: {
            changes: items({
              type: "object",
              properties: { kind: text, id: text, revision: { type: "integer" }, deleted: { type: "boolean" }, todo }
            }),
            nextCursor: text,
            hasMore: { type: "boolean" }
          }
        }
      }
    }
  },
  async (request) => {
    const { limit, since } = request.query
    const user = owner(request)
    const rows = await read<Todo>(
      user,
      statement(`select ${columns} from fair.todos where owner_id = $1 and revision > $2 order by revision limit $3`, [
        user,
        since,
        limit + 1
      ])
    )
    const page = rows.slice(0, limit)
    const changes = page.map((todo) => ({
      kind: "todo",
      id: todo.id,
      revision: todo.revision,
      deleted: todo.deletedAt !== null,
      todo
    }))
    return { changes, nextCursor: String(page.at(-1)?.revision ?? since), hasMore: rows.length > limit }
  }
)

await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" })
