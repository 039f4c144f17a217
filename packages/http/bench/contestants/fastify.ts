/**
 * The server of a team that wants the routes and none of the promises, with Fastify, @fastify/jwt and pg. It follows their
 * documentation: parameterised queries, and schemas of bodies and responses. It has no row-level security and no log, and
 * each row has its own version.
 */
import jwt from "@fastify/jwt"
import Fastify, { type FastifyRequest } from "fastify"
import { Pool, type PoolClient } from "pg"

const pool = new Pool({ connectionString: process.env["DATABASE_URL"], max: 10 })
const app = Fastify()
await app.register(jwt, {
  secret: process.env["TODO_JWT_SECRET"] ?? "",
  verify: {
    allowedIss: process.env["TODO_JWT_ISSUER"] ?? "",
    allowedAud: process.env["TODO_JWT_AUDIENCE"] ?? ""
  }
})
app.addHook("onRequest", (request) => request.jwtVerify())

const owner = (request: FastifyRequest): string => (request.user as { readonly sub: string }).sub
const version = (header: unknown) => (typeof header === "string" ? Number(header.replaceAll('"', "")) : null)

const nullable = (type: object) => ({ ...type, nullable: true })
const text = { type: "string" }
const time = { type: "string", format: "date-time" }
const settable = {
  title: { type: "string", minLength: 1, maxLength: 500 },
  description: nullable({ type: "string", maxLength: 10_000 }),
  completed: { type: "boolean" },
  priority: { enum: ["none", "low", "medium", "high"] },
  due: nullable({ type: "object", additionalProperties: true }),
  tags: { type: "array", items: text, maxItems: 20 },
  listId: nullable({ type: "string", format: "uuid" })
}
const todo = {
  type: "object",
  properties: {
    ...settable,
    id: text,
    priority: text,
    completedAt: nullable(time),
    position: text,
    revision: { type: "integer" },
    createdAt: time,
    updatedAt: time,
    deletedAt: nullable(time)
  }
}
const patch = { type: "object", properties: settable, additionalProperties: false }
const items = (of: object) => ({ type: "array", items: of })

const columns = `id, title, description, completed_at is not null as completed, completed_at as "completedAt", priority, due,
  tags, list_id as "listId", position, revision, created_at as "createdAt", updated_at as "updatedAt",
  deleted_at as "deletedAt"`

app.get<{ Params: { id: string } }>(
  "/v1/todos/:id",
  { schema: { response: { 200: todo } } },
  async (request, reply) => {
    const { rows } = await pool.query(
      `select ${columns} from bench.todos where owner_id = $1 and id = $2 and deleted_at is null`,
      [owner(request), request.params.id]
    )
    return rows[0] ?? reply.callNotFound()
  }
)

interface Query {
  readonly completed?: boolean
  readonly priority?: string
  readonly q?: string
  readonly sort: "position" | "-createdAt"
  readonly limit: number
}

const orders = { position: "position", "-createdAt": "created_at desc, id desc" }

app.get<{ Querystring: Query }>(
  "/v1/todos",
  {
    schema: {
      querystring: {
        type: "object",
        properties: {
          completed: { type: "boolean" },
          priority: settable.priority,
          q: { type: "string", maxLength: 200 },
          sort: { enum: Object.keys(orders), default: "position" },
          limit: { type: "integer", minimum: 1, maximum: 200, default: 50 }
        }
      },
      response: { 200: { type: "object", properties: { items: items(todo) } } }
    }
  },
  async (request) => {
    const { completed, limit, priority, q, sort } = request.query
    const values: Array<unknown> = [owner(request)]
    const add = (value: unknown) => `$${values.push(value)}`
    const conditions = ["owner_id = $1", "deleted_at is null"]
    if (completed !== undefined) conditions.push(`completed_at is ${completed ? "not null" : "null"}`)
    if (priority !== undefined) conditions.push(`priority = ${add(priority)}`)
    if (q !== undefined) conditions.push(`search @@ websearch_to_tsquery('simple', ${add(q)})`)
    const { rows } = await pool.query(
      `select ${columns} from bench.todos where ${conditions.join(" and ")}
       order by ${orders[sort]} limit ${add(limit)}`,
      values
    )
    return { items: rows }
  }
)

interface Fields {
  readonly title?: string
  readonly description?: string | null
  readonly completed?: boolean
  readonly priority?: string
  readonly due?: object | null
  readonly tags?: ReadonlyArray<string>
  readonly listId?: string | null
}

app.post<{ Body: Fields }>(
  "/v1/todos",
  { schema: { body: { ...patch, required: ["title"] }, response: { 201: todo } } },
  async (request, reply) => {
    const { completed, description, due, listId, priority, tags, title } = request.body
    const { rows } = await pool.query(
      `insert into bench.todos (owner_id, title, description, priority, due, tags, list_id, completed_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
      [owner(request), title, description, priority ?? "none", due, tags ?? [], listId, completed ? new Date() : null]
    )
    return reply.code(201).send(rows[0])
  }
)

/** Sets the given fields if the row has the expected version. */
const update = async (client: Pool | PoolClient, user: string, id: string, fields: Fields, expected: number | null) => {
  const { completed, listId, ...same } = fields
  const set = {
    ...same,
    ...(listId !== undefined && { list_id: listId }),
    ...(completed !== undefined && { completed_at: completed ? new Date() : null })
  }
  const assignments = Object.keys(set).map((column, index) => `${column} = $${index + 4}`)
  const { rows } = await client.query(
    `update bench.todos set ${[...assignments, "revision = revision + 1", "updated_at = now()"].join(", ")}
     where owner_id = $1 and id = $2 and revision = coalesce($3, revision) and deleted_at is null returning ${columns}`,
    [user, id, expected, ...Object.values(set)]
  )
  return rows[0]
}

app.patch<{ Params: { id: string }; Body: Fields }>(
  "/v1/todos/:id",
  { schema: { body: patch, response: { 200: todo } } },
  async (request, reply) => {
    const expected = version(request.headers["if-match"])
    const row = await update(pool, owner(request), request.params.id, request.body, expected)
    return row ?? reply.code(expected === null ? 404 : 412).send()
  }
)

app.post<{ Body: { operations: ReadonlyArray<{ id: string; patch: Fields; ifRevision?: number }> } }>(
  "/v1/todos/batch",
  {
    schema: {
      body: {
        type: "object",
        required: ["operations"],
        properties: {
          operations: {
            ...items({
              type: "object",
              required: ["op", "id", "patch"],
              properties: { op: { const: "update" }, id: text, patch, ifRevision: { type: "integer" } }
            }),
            maxItems: 100
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
  async (request, reply) => {
    const client = await pool.connect()
    try {
      await client.query("begin")
      const results = []
      for (const [index, { id, ifRevision, patch }] of request.body.operations.entries()) {
        const todo = await update(client, owner(request), id, patch, ifRevision ?? null)
        if (todo === undefined) {
          await client.query("rollback")
          return reply.code(ifRevision === undefined ? 404 : 412).send()
        }
        results.push({ index, todo })
      }
      await client.query("commit")
      return { results }
    } catch (error) {
      await client.query("rollback")
      throw error
    } finally {
      client.release()
    }
  }
)

app.get<{ Querystring: { since: string; limit: number } }>(
  "/v1/changes",
  {
    schema: {
      querystring: {
        type: "object",
        properties: {
          since: { ...time, default: "1970-01-01T00:00:00Z" },
          limit: { type: "integer", minimum: 1, maximum: 500, default: 100 }
        }
      },
      response: {
        200: {
          type: "object",
          properties: { changes: items(todo), nextCursor: time, hasMore: { type: "boolean" } }
        }
      }
    }
  },
  async (request) => {
    const { limit, since } = request.query
    const { rows } = await pool.query(
      `select ${columns} from bench.todos where owner_id = $1 and updated_at > $2 order by updated_at limit $3`,
      [owner(request), since, limit]
    )
    return { changes: rows, nextCursor: rows.at(-1)?.updatedAt ?? since, hasMore: rows.length === limit }
  }
)

await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" })
