/**
 * Test kit: calls a route handler like Next.js. The file of the route exports a function for each method. It gets the path
 * parameters and a `Request` whose signal aborts when the client disconnects.
 */
import { serve } from "@hono/node-server"
import { signIn } from "../../examples/Sessions.ts"
import * as route from "../../examples/next/route.ts"

type Handler = (request: Request, context: unknown) => Promise<Response>
const handlers: Record<string, Handler> = route

const server = serve(
  {
    port: Number(process.env["PORT"]),
    overrideGlobalObjects: false,
    fetch: (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === "/") return new Response("The host's own page")
      const [, folder, ...path] = pathname.split("/")
      if (folder === "sign-in") {
        return new Response(null, {
          status: 204,
          headers: { "set-cookie": signIn(decodeURIComponent(path.join("/"))) }
        })
      }
      if (!pathname.startsWith("/api/todos/"))
        return new Response("404: This page could not be found.", { status: 404 })
      const params = Promise.resolve({ path: path.slice(1) })
      return handlers[request.method]?.(request, { params }) ?? new Response(null, { status: 405 })
    }
  },
  ({ port }) => console.log(`listening on http://127.0.0.1:${port}`)
)
process.once("SIGTERM", () => {
  server.close()
  process.exit(0)
})
