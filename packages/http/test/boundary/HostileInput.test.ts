/* oxlint-disable vitest/expect-expect -- expectProblem asserts */
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { badIds, badQueries, otherQueries, unknownPaths, unreadableQueries } from "../support/hostileAddresses.ts"
import { badBodies, badFields, canary, hardJson, malformedBodies, otherJson } from "../support/hostileInputs.ts"
import { routes } from "../support/routes.ts"
import { type Answer, type Sent, type TestUser, useServer } from "../support/testServer.ts"

const codes: Record<string, number> = {
  "malformed-request": 400,
  "invalid-cursor": 400,
  "route-not-found": 404,
  "todo-not-found": 404,
  "method-not-allowed": 405,
  "payload-too-large": 413,
  "unsupported-media-type": 415,
  "invalid-input": 422
}

/** Expects a problem of the contract with this code that does not repeat the input. */
const expectProblem = ({ body, headers, status, text }: Answer, code: string): void => {
  expect({ status, code: body?.code, type: headers["content-type"] }).toEqual({
    status: codes[code],
    code,
    type: "application/problem+json"
  })
  const { errors, ...problem } = body
  expect(problem).toEqual({
    type: `urn:todo:problem:${code}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
    requestId: headers["x-request-id"]
  })
  expect(errors === undefined).toBe(code !== "invalid-input")
  expect(text).not.toContain(canary)
  expect(text).not.toMatch(/node_modules|\.ts:\d|\bselect\b|\bSchema|todo\.todos|\/work\//i)
}

describe("Hostile input", () => {
  const server = useServer()
  let me: TestUser
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON
  let mine: any

  beforeEach(async () => {
    me = await server.user()
    mine = await me.add({ title: "mine", tags: ["a"] })
  })

  // No refused request has stored, changed or removed anything.
  afterEach(async () => {
    expect((await me.send("GET", "/v1/todos")).body).toEqual({ items: [mine], nextCursor: null })
  })

  const sendJson = (method: string, path: string, body: BodyInit) =>
    me.send(method, path, { body, headers: { "content-type": "application/json" } })

  /** The three methods that accept the fields of a todo. */
  const doors = ["POST", "PUT", "PATCH"] as const
  const through = (door: (typeof doors)[number], body: BodyInit) =>
    sendJson(door, door === "POST" ? "/v1/todos" : `/v1/todos/${mine.id}`, body)

  describe.each(doors)("%s", (door) => {
    it.each(badFields)("the server refuses %s", async (_, members, pointer) => {
      const title = door === "PATCH" || members.startsWith('"title"') ? "" : '"title":"x",'
      const answer = await through(door, `{${title}${members}}`)
      expectProblem(answer, "invalid-input")
      const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      expect(pointers).toContain(pointer)
      expect(pointers.filter((one: string) => one.split("/")[1] !== pointer.split("/")[1])).toEqual([])
    })

    it.each(malformedBodies)("the server refuses a body of %s", async (_, body) => {
      expectProblem(await through(door, body), "malformed-request")
    })

    it.each(otherJson)("the server refuses the body %s", async (body) => {
      expectProblem(await through(door, body), "invalid-input")
    })

    it.each(hardJson)("the server survives %s", async (_, body) => {
      expectProblem(await through(door, body), "invalid-input")
    })

    it.each([
      "text/plain",
      "application/xml",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonx",
      "application/problem+json",
      "application/json; charset=latin1",
      'application/json;charset="utf-16"',
      "application/json; charset=utf-80",
      "application",
      `text/${canary}`
    ])("the server refuses the content type %s", async (type) => {
      const path = door === "POST" ? "/v1/todos" : `/v1/todos/${mine.id}`
      const answer = await me.send(door, path, { body: '{"title":"x"}', headers: { "content-type": type } })
      expectProblem(answer, "unsupported-media-type")
    })

    it("a response lists all errors of a body", async () => {
      const { body } = await through(door, `{"title":"","tags":["a","a"],"priority":1,"x":"${canary}"}`)
      const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()
      expect([...new Set(pointers)]).toEqual(["/priority", "/tags", "/title", "/x"])
    })

    it("a body whose Content-Length is over the limit is answered 413, and the connection closes", async () => {
      const answer = await through(door, `{"title":"${canary}${"x".repeat(256 * 1_024)}"}`)
      expectProblem(answer, "payload-too-large")
      expect(answer.headers["connection"]).toBe("close")
    })

    it("a chunked body over the limit is answered 413", async () => {
      const chunk = new TextEncoder().encode(canary.repeat(1_000))
      let sent = 0
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: (controller) => (++sent > 30 ? controller.close() : controller.enqueue(chunk))
      })
      const answer = await through(door, body)
      expectProblem(answer, "payload-too-large")
    })
  })

  it.each(["POST", "PUT"] as const)("%s refuses a todo without a title", async (door) => {
    const answer = await through(door, "{}")
    expectProblem(answer, "invalid-input")
    expect(answer.body.errors).toMatchObject([{ pointer: "/title" }])
  })

  it("POST and PUT do not accept application/merge-patch+json", async () => {
    const sent: Sent = { body: '{"title":"x"}', headers: { "content-type": "application/merge-patch+json" } }
    expectProblem(await me.send("POST", "/v1/todos", sent), "unsupported-media-type")
    expectProblem(await me.send("PUT", `/v1/todos/${mine.id}`, sent), "unsupported-media-type")
  })

  it.each(badQueries)("GET /v1/todos refuses ?%s", async (query, pointer) => {
    const answer = await me.send("GET", `/v1/todos?${query}`)
    expectProblem(answer, "invalid-input")
    expect(answer.body.errors[0]).toEqual({ pointer, message: expect.any(String) })
  })

  it.each(otherQueries)("GET refuses %s", async (path, pointer) => {
    const answer = await me.send("GET", path)
    expectProblem(answer, "invalid-input")
    expect(answer.body.errors[0]).toEqual({ pointer, message: expect.any(String) })
  })

  it.each(unreadableQueries)("every route refuses ?%s", async (query) => {
    for (const path of ["/v1/todos", "/v1/lists", "/v1/changes", "/v1/me", `/v1/todos/${mine.id}`]) {
      expectProblem(await me.send("GET", `${path}?${query}`), "malformed-request")
    }
    expectProblem(await me.send("DELETE", `/v1/todos/${mine.id}?${query}`), "malformed-request")
  })

  it.each(routes.filter(({ path }) => path.startsWith("/v1/")))(
    "$method $path refuses a parameter that it does not know",
    async ({ method, path }) => {
      const answer = await me.send(method, `${path.replace(":id", mine.id)}?unknown=${canary}`, {
        ...(method.startsWith("P") && { json: { title: "x" } })
      })
      expectProblem(answer, "invalid-input")
      expect(answer.body.errors).toEqual([{ pointer: "/query/unknown", message: expect.any(String) }])
    }
  )

  it.each(badBodies)("%s refuses %s", async (route, body, pointer) => {
    const [method = "", path = ""] = route.replace("ID", mine.id).split(" ")
    const answer = await sendJson(method, path, body)
    expectProblem(answer, "invalid-input")
    expect(answer.body.errors[0].pointer.startsWith(pointer)).toBe(true)
    expect((await me.send("GET", "/v1/lists")).body.items).toEqual([])
  })

  it.each(badIds)("no route accepts the id %s", async (id) => {
    const attempts = [
      await me.send("GET", `/v1/todos/${id}`),
      await me.send("PUT", `/v1/todos/${id}`, { json: { title: "x" } }),
      await me.send("PATCH", `/v1/todos/${id}`, { json: { title: "x" } }),
      await me.send("DELETE", `/v1/todos/${id}`),
      await me.send("POST", `/v1/todos/${id}/restore`)
    ]
    for (const answer of attempts) {
      expectProblem(answer, "invalid-input")
      expect(answer.body.errors).toEqual([{ pointer: "/path/id", message: expect.any(String) }])
    }
  })

  it.each(unknownPaths)("%s is not found", async (path) => {
    const at = path.replace("ID", mine.id)
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await me.send(method, at, method === "GET" ? {} : { json: { title: "x" } })
      expectProblem(answer, "route-not-found")
    }
  })

  it("values just within the limits are accepted, so the tables above can fail", async () => {
    const other = await server.user()
    const todo = {
      title: "😀".repeat(500),
      description: "😀".repeat(10_000),
      tags: Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(50, "é")),
      due: { dateTime: "9999-12-31T23:59:59", timeZone: "Pacific/Kiritimati" }
    }
    for (const json of [todo, { ...todo, due: { date: "0001-01-01" } }, { title: "👩‍🚀", due: { date: "2028-02-29" } }]) {
      expect((await other.send("POST", "/v1/todos", { json })).body).toMatchObject(json)
    }
    expect((await other.send("GET", "/v1/todos?limit=200&completed=false&tag=a&tag=b&listId=none")).status).toBe(200)
  })
})
