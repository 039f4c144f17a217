/**
 * Mounts the API in a Fastify app.
 */
import { createNodeHandler } from "@todo/http"
import { fastify } from "fastify"
import { signIn, userOf } from "./Sessions.ts"

const { dispose, handler } = createNodeHandler({
  url: process.env["DATABASE_URL"] ?? "",
  prefix: "/api/todos",
  authenticate: (request) => userOf(request.headers.cookie)
})

const app = fastify()
await app.register(
  async (todos) => {
    // The handler reads bodies itself.
    todos.removeAllContentTypeParsers()
    todos.addContentTypeParser("*", (_request, _payload, done) => done(null))
    todos.all("/*", (request, reply) => {
      reply.hijack()
      handler(request.raw, reply.raw)
    })
  },
  { prefix: "/api/todos" }
)
app.addHook("preClose", dispose)

app.get("/", async () => "The host's own page")
app.post<{ Params: { user: string } }>("/sign-in/:user", async (request, reply) =>
  reply.header("set-cookie", signIn(request.params.user)).code(204).send()
)

await app.listen({ port: Number(process.env["PORT"] ?? 3_000), host: "127.0.0.1" })
console.log(`listening on ${app.listeningOrigin}`)
process.once("SIGTERM", () => void app.close())
