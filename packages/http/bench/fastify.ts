/**
 * The contestant that a team would write instead: Fastify and pg, as their documentation
 * teaches. One table, no row-level security, no revision.
 */
import jwt from "@fastify/jwt"
import Fastify from "fastify"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env["DATABASE_URL"], max: 10 })
const app = Fastify({ logger: false })
await app.register(jwt, { secret: process.env["TODO_JWT_SECRET"] ?? "" })
app.addHook("onRequest", (request) => request.jwtVerify())

const todo = {
  type: "object",
  properties: {
    id: { type: "string" },
    title: { type: "string" },
    description: { type: ["string", "null"] },
    completed: { type: "boolean" },
    completedAt: { type: ["string", "null"] },
    priority: { type: "string" },
    due: { type: ["object", "null"], additionalProperties: true },
    tags: { type: "array", items: { type: "string" } },
    listId: { type: ["string", "null"] },
    position: { type: "string" },
    revision: { type: "integer" },
    createdAt: { type: "string" },
    updatedAt: { type: "string" },
    deletedAt: { type: ["string", "null"] }
  }
} as const

interface Row {
  readonly created_at: Date
  readonly updated_at: Date
  readonly completed_at: Date | null
  readonly deleted_at: Date | null
  readonly list_id: string | null
  readonly revision: string
}

const toJson = ({ completed_at, created_at, deleted_at, list_id, revision, updated_at, ...row }: Row) => ({
  ...row,
  completed: completed_at !== null,
  completedAt: completed_at?.toISOString() ?? null,
  listId: list_id,
  revision: Number(revision),
  createdAt: created_at.toISOString(),
  updatedAt: updated_at.toISOString(),
  deletedAt: deleted_at?.toISOString() ?? null
})

const columns =
  "id, title, description, priority, due, tags, list_id, position, revision, created_at, updated_at, completed_at, deleted_at"
const owner = (request: { readonly user: unknown }) => (request.user as { readonly sub: string }).sub

app.get<{ Params: { id: string } }>(
  "/v1/todos/:id",
  { schema: { response: { 200: todo } } },
  async (request, reply) => {
    const { rows } = await pool.query<Row>(`select ${columns} from bench.todos where owner_id = $1 and id = $2`, [
      owner(request),
      request.params.id
    ])
    return rows[0] === undefined ? reply.code(404).send() : toJson(rows[0])
  }
)

app.get<{ Querystring: { limit: number } }>(
  "/v1/todos",
  {
    schema: {
      querystring: {
        type: "object",
        properties: { limit: { type: "integer", minimum: 1, maximum: 200, default: 50 } }
      },
      response: { 200: { type: "object", properties: { items: { type: "array", items: todo } } } }
    }
  },
  async (request) => {
    const { rows } = await pool.query<Row>(
      `select ${columns} from bench.todos where owner_id = $1 order by position limit $2`,
      [owner(request), request.query.limit]
    )
    return { items: rows.map(toJson) }
  }
)

app.post<{ Body: { title: string } }>(
  "/v1/todos",
  {
    schema: {
      body: { type: "object", required: ["title"], properties: { title: { type: "string", maxLength: 500 } } },
      response: { 201: todo }
    }
  },
  async (request, reply) => {
    const { rows } = await pool.query<Row>(
      `insert into bench.todos (owner_id, id, title, priority, tags, position, revision)
       values ($1, gen_random_uuid(), $2, 'none', '{}', 'z', 1) returning ${columns}`,
      [owner(request), request.body.title]
    )
    return reply.code(201).send(rows[0] && toJson(rows[0]))
  }
)

app.patch<{ Params: { id: string }; Body: { title: string } }>(
  "/v1/todos/:id",
  {
    schema: {
      body: { type: "object", required: ["title"], properties: { title: { type: "string", maxLength: 500 } } },
      response: { 200: todo }
    }
  },
  async (request, reply) => {
    const { rows } = await pool.query<Row>(
      `update bench.todos set title = $3, revision = revision + 1, updated_at = now()
       where owner_id = $1 and id = $2 returning ${columns}`,
      [owner(request), request.params.id, request.body.title]
    )
    return rows[0] === undefined ? reply.code(404).send() : toJson(rows[0])
  }
)

await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" })
