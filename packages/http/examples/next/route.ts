/**
 * Mounts the API in a Next.js app: `app/api/todos/[...path]/route.ts`.
 */
import { createHandler } from "@todo/http"
import { userOf } from "../Sessions.ts"

const { handler } = createHandler({
  url: process.env["DATABASE_URL"] ?? "",
  prefix: "/api/todos",
  authenticate: (request) => userOf(request.headers.get("cookie"))
})

export {
  handler as DELETE,
  handler as GET,
  handler as HEAD,
  handler as OPTIONS,
  handler as PATCH,
  handler as POST,
  handler as PUT
}
