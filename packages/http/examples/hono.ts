/**
 * Mounts the API in a Hono app.
 */
import { serve } from "@hono/node-server"
import { createHandler } from "@todo/http"
import { Hono } from "hono"
import * as Sessions from "./Sessions.ts" // your sign-in

const { dispose, handler } = createHandler({
  url: process.env["DATABASE_URL"] ?? "",
  prefix: "/api/todos",
  authenticate: (request) => Sessions.userOf(request.headers.get("cookie"))
})

const app = new Hono()
app.all("/api/todos/*", (context) => handler(context.req.raw))

app.get("/", (context) => context.text("The host's own page"))
app.post("/sign-in/:user", (context) => {
  context.header("set-cookie", Sessions.signIn(context.req.param("user")))
  return context.body(null, 204)
})

const server = serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3_000) }, ({ port }) =>
  console.log(`listening on http://127.0.0.1:${port}`)
)
process.once("SIGTERM", () => {
  server.close()
  void dispose()
})
