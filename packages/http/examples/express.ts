/**
 * Mounts the API in an Express app.
 */
import { createNodeHandler } from "@todo/http"
import express from "express"
import { signIn, userOf } from "./Sessions.ts"

const { dispose, handler } = createNodeHandler({
  url: process.env["DATABASE_URL"] ?? "",
  prefix: "/api/todos",
  authenticate: (request) => userOf(request.headers.cookie)
})

const app = express()
// Before the body parsers: the handler reads bodies itself.
app.use("/api/todos", handler)
app.use(express.json())

app.get("/", (_request, response) => response.send("The host's own page"))
app.post("/sign-in/:user", (request, response) =>
  response.set("set-cookie", signIn(request.params.user)).status(204).end()
)

const server = app.listen(Number(process.env["PORT"] ?? 3_000), () => {
  const address = server.address()
  if (address !== null && typeof address === "object") console.log(`listening on http://127.0.0.1:${address.port}`)
})
process.once("SIGTERM", () => {
  server.close()
  void dispose()
})
