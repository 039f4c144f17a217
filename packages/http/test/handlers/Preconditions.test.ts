import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { type TestUser, useServer } from "../support/testServer.ts"

/** The writes that accept `If-Match`, and the status if they succeed. */
const writes = [
  { method: "PUT", suffix: "", json: { title: "put" }, done: 200 },
  { method: "PATCH", suffix: "", json: { title: "patched" }, done: 200 },
  { method: "DELETE", suffix: "", json: undefined, done: 204 },
  { method: "POST", suffix: "/restore", json: undefined, done: 200 },
  { method: "POST", suffix: "/move", json: "behind", done: 200 }
] as const

describe("Preconditions", () => {
  const server = useServer()

  const write = async (me: TestUser, id: string, operation: (typeof writes)[number], ifMatch: string) => {
    const { json, method, suffix } = operation
    const sent = json === "behind" ? { after: (await me.add()).id } : json
    return me.send(method, `/v1/todos/${id}${suffix}`, {
      ...(sent && { json: sent }),
      headers: { "if-match": ifMatch }
    })
  }

  describe.each(writes)("$method $suffix", (operation) => {
    it.each([
      ["the current entity tag", '"2"'],
      ["a list that holds it", '"1", "2" ,"7"'],
      ["a list with nothing between some commas (RFC 9110, 5.6.1)", ',"1",, "2",'],
      ["*", "*"]
    ])("a write succeeds with %s", async (_, tag) => {
      const me = await server.user()
      const { id } = await me.add()
      await me.send("PATCH", `/v1/todos/${id}`, { json: { title: "second" } })
      expect((await write(me, id, operation, tag)).status).toBe(operation.done)
    })

    it.each([
      ["an older entity tag", '"1"'],
      ["a later one", '"9"'],
      ["a list without the current one", '"1","3"'],
      ["the current one as a weak tag (RFC 9110, 13.1.1: strong comparison)", 'W/"2"'],
      ["a tag that this server never gave", '"abc"'],
      ["an empty tag", '""'],
      ["a number beyond all revisions", '"99999999999999999999"']
    ])("a write is refused with %s: 412, the current tag, nothing changed", async (_, tag) => {
      const me = await server.user()
      const { id } = await me.add()
      const before = await me.send("PATCH", `/v1/todos/${id}`, { json: { title: "second" } })
      expect(await write(me, id, operation, tag)).toMatchObject({
        status: 412,
        headers: { etag: '"2"', "content-type": "application/problem+json" },
        body: { code: "revision-mismatch" }
      })
      expect((await me.send("GET", `/v1/todos/${id}`)).body).toEqual(before.body)
    })

    it('a write is refused with the current number in another spelling, "02": 412', async () => {
      const me = await server.user()
      const { id } = await me.add()
      await me.send("PATCH", `/v1/todos/${id}`, { json: { title: "second" } })
      expect((await write(me, id, operation, '"02"')).status).toBe(412)
    })

    it.each(["", "2", "W/2", '"2', '"1" "2"', ",", "**", '*, "2"', '"a b"', 'w/"2"'])(
      "a write with the malformed If-Match: %s is 400, and nothing changes",
      async (tag) => {
        const me = await server.user()
        const created = await me.add()
        expect(await write(me, created.id, operation, tag)).toMatchObject({
          status: 400,
          body: { code: "malformed-request" }
        })
        expect((await me.send("GET", `/v1/todos/${created.id}`)).body).toEqual(created)
      }
    )
  })

  describe("GET with If-None-Match", () => {
    it.each(['"1"', 'W/"1"', '"7", "1"', "*"])("a GET with If-None-Match: %s is 304: the tag, no body", async (tag) => {
      const me = await server.user()
      const { id } = await me.add()
      const answer = await me.send("GET", `/v1/todos/${id}`, { headers: { "if-none-match": tag } })
      expect(answer).toMatchObject({ status: 304, headers: { etag: '"1"' }, text: "" })
    })

    it.each(['"2"', '"11"', '""', '"abc"'])("a GET with If-None-Match: %s is the todo", async (tag) => {
      const me = await server.user()
      const todo = await me.add()
      const answer = await me.send("GET", `/v1/todos/${todo.id}`, { headers: { "if-none-match": tag } })
      expect(answer).toMatchObject({ status: 200, headers: { etag: '"1"' }, body: todo })
    })

    it.each(["1", "", '"1'])("a GET with the malformed If-None-Match: %s is 400", async (tag) => {
      const me = await server.user()
      const { id } = await me.add()
      const answer = await me.send("GET", `/v1/todos/${id}`, { headers: { "if-none-match": tag } })
      expect(answer).toMatchObject({ status: 400, body: { code: "malformed-request" } })
    })

    it.each(["*", '"1"'])("a GET with If-None-Match: %s is 404 if the todo does not exist", async (tag) => {
      const me = await server.user()
      const answer = await me.send("GET", `/v1/todos/${randomUUID()}`, { headers: { "if-none-match": tag } })
      expect(answer.status).toBe(404)
    })
  })

  it.each(["*", '"1"'])("PUT with If-Match: %s does not create: 412 without a tag", async (tag) => {
    const me = await server.user()
    await me.add()
    const path = `/v1/todos/${randomUUID()}`
    const put = await me.send("PUT", path, { json: { title: "x" }, headers: { "if-match": tag } })
    expect(put).toMatchObject({ status: 412, body: { code: "revision-mismatch" } })
    expect(put.headers).not.toHaveProperty("etag")
    expect((await me.send("GET", path)).status).toBe(404)
  })

  it.each(["PATCH", "DELETE"])("%s with If-Match on a todo that does not exist is 404", async (method) => {
    const me = await server.user()
    const sent = { ...(method === "PATCH" && { json: {} }), headers: { "if-match": "*" } }
    expect((await me.send(method, `/v1/todos/${randomUUID()}`, sent)).status).toBe(404)
  })

  it("one of many writers with the same tag succeeds, and the others get 412 with the new tag", async () => {
    const me = await server.user()
    const { id } = await me.add()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, writer) =>
        me.send("PATCH", `/v1/todos/${id}`, { json: { title: `by ${writer}` }, headers: { "if-match": '"1"' } })
      )
    )
    const won = answers.filter(({ status }) => status === 200)
    const lost = answers.filter(({ headers, status }) => status === 412 && headers["etag"] === '"2"')
    expect([won.length, lost.length]).toEqual([1, 19])
    expect((await me.send("GET", `/v1/todos/${id}`)).body).toEqual(won[0]?.body)
  })
})
