import { randomUUID } from "node:crypto"
import { createHandler } from "@todo/http"
import { describe, expect, it, onTestFinished } from "vitest"
import { routes } from "../support/routes.ts"
import { useServer } from "../support/testServer.ts"

/** The methods of each path: those of the contract, and those that HTTP adds. */
const known = new Map<string, Set<string>>([
  ["/openapi.json", new Set(["GET", "HEAD", "OPTIONS"])],
  ["/docs", new Set(["GET", "HEAD", "OPTIONS"])],
  ["/metrics", new Set(["GET", "HEAD", "OPTIONS"])]
])
for (const { method, path } of routes) {
  const methods = known.get(path) ?? new Set(["OPTIONS"])
  known.set(path, methods.add(method))
  if (method === "GET") methods.add("HEAD")
}

describe("Methods", () => {
  const server = useServer()
  const at = (path: string) => path.replaceAll(/:\w+/g, randomUUID())
  const allowed = (headers: Record<string, string>) => headers["allow"]?.split(", ").toSorted()

  describe.each([...known])("%s", (path, methods) => {
    const wrong = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => !methods.has(method))

    it("every other method is answered 405 with Allow, with and without a token", async () => {
      const { send } = await server.user()
      for (const method of wrong) {
        for (const asked of [send, server.send]) {
          const answer = await asked(method, at(path), { headers: { "content-type": "application/json" } })
          expect(answer).toMatchObject({
            status: 405,
            headers: { "content-type": "application/problem+json" },
            body: { code: "method-not-allowed", status: 405, requestId: answer.headers["x-request-id"] }
          })
          expect(allowed(answer.headers)).toEqual([...methods].toSorted())
        }
      }
      // The test needs at least one method that the path does not have.
      expect(wrong).not.toEqual([])
    })

    it("OPTIONS is answered with Allow, and without CORS headers", async () => {
      const answer = await server.send("OPTIONS", at(path), {
        headers: { origin: "https://elsewhere.test", "access-control-request-method": "POST" }
      })
      expect(answer).toMatchObject({ status: 204, text: "" })
      expect(allowed(answer.headers)).toEqual([...methods].toSorted())
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([])
    })

    it.each(["PROPFIND", "QUERY", "REPORT"])("%s, which no path has, is answered 405", async (method) => {
      const answer = await server.send(method, at(path))
      expect(answer).toMatchObject({ status: 405, body: { code: "method-not-allowed" } })
      expect(allowed(answer.headers)).toEqual([...methods].toSorted())
    })
  })
})

it.each(["GET", "POST", "OPTIONS", "PROPFIND"])(
  "a handler without /metrics answers 404 to %s /metrics",
  async (method) => {
    const { dispose, handler } = createHandler({
      url: "postgres://user@127.0.0.1:1/todo",
      authenticate: () => undefined
    })
    onTestFinished(dispose)
    const response = await handler(new Request("http://localhost/metrics", { method }))
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: "route-not-found" })
  }
)
