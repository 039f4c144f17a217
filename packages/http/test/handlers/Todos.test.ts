import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { useServer } from "../support/testServer.ts"

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const full = {
  title: " Buy milk 🥛 ",
  description: "two\nlines, \u202e and é́",
  completed: true,
  priority: "high",
  due: { dateTime: "2026-12-01T09:00:00", timeZone: "Europe/Paris" },
  tags: ["home", "🏠"]
}

describe("Todos over HTTP", () => {
  const server = useServer()

  it("POST creates a todo with defaults: 201, its address, its entity tag", async () => {
    const me = await server.user()
    const { body, headers, status } = await me.send("POST", "/v1/todos", { json: { title: "Buy milk" } })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(uuidV7),
      title: "Buy milk",
      description: null,
      completed: false,
      completedAt: null,
      priority: "none",
      due: null,
      tags: [],
      listId: null,
      position: expect.any(String),
      revision: 1,
      createdAt: expect.stringMatching(timestamp),
      updatedAt: body.createdAt,
      deletedAt: null
    })
    expect(headers["location"]).toBe(`/v1/todos/${body.id}`)
    expect(headers["etag"]).toBe('"1"')
    expect(headers["content-type"]).toBe("application/json")
    expect(headers["cache-control"]).toBe("no-store")
    expect(headers["x-content-type-options"]).toBe("nosniff")
    expect(headers["x-request-id"]).toMatch(/^[\w-]{36}$/)
    expect((await me.send("GET", headers["location"] ?? "")).body).toEqual(body)
  })

  it("a todo has every field as it was sent", async () => {
    const me = await server.user()
    const created = await me.add(full)
    expect(created).toMatchObject(full)
    expect(created.completedAt).toMatch(timestamp)
    const { body, headers, status } = await me.send("GET", `/v1/todos/${created.id}`)
    expect({ status, etag: headers["etag"], body }).toEqual({ status: 200, etag: '"1"', body: created })
  })

  const withRequestId = async (id: string) => {
    const me = await server.user()
    return (await me.send("GET", "/v1/todos", { headers: { "x-request-id": id } })).headers["x-request-id"]
  }

  it("a response repeats the request id of the client", async () => {
    expect(await withRequestId("abc-1.2:3_4")).toBe("abc-1.2:3_4")
  })

  it.each(["<script>", "a b", "x".repeat(129)])("the malformed request id %j is replaced by a new one", async (id) => {
    expect(await withRequestId(id)).toMatch(/^[\w-]{36}$/)
  })

  describe("PATCH", () => {
    it("PATCH keeps absent fields", async () => {
      const me = await server.user()
      const created = await me.add(full)
      const { body, headers, status } = await me.send("PATCH", `/v1/todos/${created.id}`, { json: { title: "x" } })
      expect(status).toBe(200)
      expect(headers["etag"]).toBe('"2"')
      expect(body).toEqual({ ...created, title: "x", revision: 2, updatedAt: body.updatedAt })
      expect((await me.send("GET", `/v1/todos/${created.id}`)).body).toEqual(body)
    })

    it("PATCH clears fields that are null", async () => {
      const me = await server.user()
      const created = await me.add(full)
      const patch = { description: null, due: null, listId: null }
      const { body } = await me.send("PATCH", `/v1/todos/${created.id}`, { json: patch })
      expect(body).toEqual({ ...created, ...patch, revision: 2, updatedAt: body.updatedAt })
    })

    it.each([
      ["nothing", {}],
      ["the same values", { title: full.title, tags: full.tags, due: full.due, completed: true }]
    ])("PATCH does not change the revision if the patch is %s", async (_, json) => {
      const me = await server.user()
      const created = await me.add(full)
      const { body, headers } = await me.send("PATCH", `/v1/todos/${created.id}`, { json })
      expect(body).toEqual(created)
      expect(headers["etag"]).toBe('"1"')
    })

    it("PATCH accepts application/merge-patch+json and parameters of a content type", async () => {
      const me = await server.user()
      const { id } = await me.add()
      for (const type of [
        "application/merge-patch+json",
        "application/json; charset=utf-8",
        'application/json;CHARSET="UTF8"; x=y',
        "Application/JSON"
      ]) {
        const sent = { headers: { "content-type": type }, body: JSON.stringify({ title: type }) }
        const { body, status } = await me.send("PATCH", `/v1/todos/${id}`, sent)
        expect({ type, status, title: body.title }).toEqual({ type, status: 200, title: type })
      }
    })

    it("PATCH sets and clears completedAt with completed", async () => {
      const me = await server.user()
      const { id } = await me.add()
      const patch = async (completed: boolean) =>
        (await me.send("PATCH", `/v1/todos/${id}`, { json: { completed } })).body
      const done = await patch(true)
      expect(done).toMatchObject({ completed: true, completedAt: done.updatedAt })
      expect(await patch(true)).toEqual(done)
      expect(await patch(false)).toMatchObject({ completed: false, completedAt: null })
    })
  })

  describe("PUT", () => {
    it("PUT creates with the id of the client, then replaces all fields", async () => {
      const me = await server.user()
      const path = `/v1/todos/${randomUUID()}`
      const created = await me.send("PUT", path, { json: full })
      expect(created).toMatchObject({ status: 201, headers: { etag: '"1"', location: path }, body: full })
      const replaced = await me.send("PUT", path, { json: { title: "y" } })
      expect(replaced.status).toBe(200)
      expect(replaced.headers["etag"]).toBe('"2"')
      expect(replaced.headers).not.toHaveProperty("location")
      expect(replaced.body).toEqual({
        ...created.body,
        title: "y",
        description: null,
        completed: false,
        completedAt: null,
        priority: "none",
        due: null,
        tags: [],
        revision: 2,
        updatedAt: replaced.body.updatedAt
      })
    })

    it("a repeated PUT changes nothing", async () => {
      const me = await server.user()
      const path = `/v1/todos/${randomUUID()}`
      const first = await me.send("PUT", path, { json: full })
      expect(await me.send("PUT", path, { json: full })).toMatchObject({ status: 200, body: first.body })
    })

    it("PUT with If-None-Match: * creates only", async () => {
      const me = await server.user()
      const path = `/v1/todos/${randomUUID()}`
      const put = (title: string) => me.send("PUT", path, { json: { title }, headers: { "if-none-match": "*" } })
      expect((await put("first")).status).toBe(201)
      expect(await put("second")).toMatchObject({
        status: 412,
        headers: { etag: '"1"' },
        body: { code: "revision-mismatch" }
      })
      expect((await me.send("GET", path)).body.title).toBe("first")
    })

    it("PUT does not take a todo out of the trash", async () => {
      const me = await server.user()
      const { id } = await me.add()
      await me.send("DELETE", `/v1/todos/${id}`)
      const put = await me.send("PUT", `/v1/todos/${id}`, { json: { title: "again" } })
      expect(put).toMatchObject({ status: 409, body: { code: "conflict" } })
    })
  })

  describe("the trash", () => {
    it("DELETE puts a todo into the trash: 204, then 404, and 200 after it is restored", async () => {
      const me = await server.user()
      const created = await me.add(full)
      const path = `/v1/todos/${created.id}`
      expect(await me.send("DELETE", path)).toMatchObject({ status: 204, body: undefined })
      for (const [method, json] of [["GET"], ["DELETE"], ["PATCH", { title: "x" }]] as const) {
        const answer = await me.send(method, path, json && { json })
        expect(answer).toMatchObject({ status: 404, body: { code: "todo-not-found" } })
      }
      expect((await me.send("GET", "/v1/todos")).body.items).toEqual([])
      const { body, headers, status } = await me.send("POST", `${path}/restore`)
      expect({ status, etag: headers["etag"] }).toEqual({ status: 200, etag: '"3"' })
      expect(body).toEqual({ ...created, revision: 3, updatedAt: body.updatedAt })
      expect((await me.send("GET", path)).body).toEqual(body)
    })

    it("restoring a todo that is not in it changes nothing", async () => {
      const me = await server.user()
      const created = await me.add()
      expect(await me.send("POST", `/v1/todos/${created.id}/restore`)).toMatchObject({ status: 200, body: created })
    })
  })

  it("HEAD is answered like GET, without the body", async () => {
    const me = await server.user()
    const { id } = await me.add()
    const head = await me.send("HEAD", `/v1/todos/${id}`)
    expect(head).toMatchObject({ status: 200, headers: { etag: '"1"' }, text: "" })
  })

  it.each(["/livez", "/readyz"])("the health check %s requires no token", async (path) => {
    expect(await server.send("GET", path)).toMatchObject({ status: 200, body: { status: "ok" } })
  })

  it("the page at /docs requires no token", async () => {
    const { headers, status } = await server.send("GET", "/docs")
    expect(status).toBe(200)
    expect(headers["content-type"]).toMatch(/^text\/html/)
  })
})
