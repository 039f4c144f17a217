import { describe, expect, it } from "vitest"
import { type Answer, useServer } from "../support/testServer.ts"

const milk = { title: "Buy milk", tags: ["home"] }

/** The parts of a response that a repetition must equal: all except its request id and date. */
const told = ({ headers, status, text }: Answer) => {
  const { date: _date, "x-request-id": _id, ...rest } = headers
  return { status, text, headers: rest }
}

describe("Idempotency-Key", () => {
  const server = useServer()
  type User = Awaited<ReturnType<typeof server.user>>

  const post = (me: User, path: string, key: string, json?: unknown, headers = {}) =>
    me.send("POST", path, { ...(json !== undefined && { json }), headers: { "idempotency-key": key, ...headers } })

  const total = async (me: User) => (await me.send("GET", "/v1/todos?count=true&limit=1")).body.total

  it("50 concurrent identical POSTs create one row; later ones get the first response, byte for byte", async () => {
    const me = await server.user()
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(me, "/v1/todos", "k", milk)))
    const created = answers.filter(({ status }) => status === 201)
    expect(created.length).toBeGreaterThan(0)
    for (const answer of created) expect(told(answer)).toEqual(told(created[0] ?? answer))
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(answer).toMatchObject({ status: 409, body: { code: "idempotency-key-in-use" } })
    }
    const again = await post(me, "/v1/todos", "k", milk)
    expect(told(again)).toEqual(told(created[0] ?? again))
    expect(again.headers).toMatchObject({ etag: '"1"', location: `/v1/todos/${again.body.id}` })
    expect(await total(me)).toBe(1)
  })

  it("a repeated key gets the first response on every route that accepts it, even if the rows have changed", async () => {
    const me = await server.user()
    const [one, two] = [await me.add({ title: "one" }), await me.add({ title: "two" })]
    const { body: list } = await me.send("POST", "/v1/lists", { json: { name: "a" } })
    const { body: other } = await me.send("POST", "/v1/lists", { json: { name: "b" } })
    await me.send("DELETE", `/v1/todos/${one.id}`)
    await me.send("DELETE", `/v1/lists/${list.id}`)
    const writes: ReadonlyArray<readonly [path: string, status: number, json?: unknown]> = [
      [`/v1/todos/${one.id}/restore`, 200],
      [`/v1/todos/${two.id}/move`, 200, { before: one.id }],
      [`/v1/lists/${list.id}/restore`, 200],
      [`/v1/lists/${list.id}/move`, 200, { after: other.id }],
      ["/v1/lists", 201, { name: "new" }],
      ["/v1/todos", 201, { title: "new" }],
      ["/v1/todos/batch", 200, { operations: [{ op: "create", todo: { title: "new" } }] }]
    ]
    const first: Array<Answer> = []
    for (const [n, [path, status, json]] of writes.entries()) {
      const answer = await post(me, path, `key-${n}`, json)
      expect([path, answer.status]).toEqual([path, status])
      first.push(answer)
    }
    await me.send("PATCH", `/v1/todos/${one.id}`, { json: { title: "changed" } })
    await me.send("DELETE", `/v1/todos/${two.id}`)
    await me.send("PATCH", `/v1/lists/${list.id}`, { json: { name: "changed" } })
    for (const [n, [path, , json]] of writes.entries()) {
      expect(told(await post(me, path, `key-${n}`, json))).toEqual(told(first[n] as Answer))
      // A key of another route belongs to another request.
      const another = await post(me, path, `key-${(n + 1) % writes.length}`, json)
      expect(another).toMatchObject({ status: 422, body: { code: "idempotency-key-reused" } })
    }
  })

  it("a key with another body is 422; another spelling of the same JSON is the same body", async () => {
    const me = await server.user()
    const first = await post(me, "/v1/todos", "k", milk)
    for (const json of [{ title: "Buy milk" }, { ...milk, title: "buy milk" }, { ...milk, priority: "high" }]) {
      expect(await post(me, "/v1/todos", "k", json)).toMatchObject({
        status: 422,
        headers: { "content-type": "application/problem+json" },
        body: { code: "idempotency-key-reused" }
      })
    }
    const spelled = await me.send("POST", "/v1/todos", {
      body: ' { "tags": ["h\\u006fme"],\n "title": "Buy milk" } ',
      headers: { "content-type": "application/json", "idempotency-key": "k" }
    })
    expect(told(spelled)).toEqual(told(first))
  })

  it("a key is the same quoted and bare, and case-sensitive", async () => {
    const me = await server.user()
    const first = await post(me, "/v1/todos", "abc-1", milk)
    expect(told(await post(me, "/v1/todos", '"abc-1"', milk))).toEqual(told(first))
    const upper = await post(me, "/v1/todos", "ABC-1", milk)
    expect(upper.body.id).not.toBe(first.body.id)
  })

  it.each([
    ["255 characters", "k".repeat(255)],
    ["255 quoted characters", `"${"k".repeat(255)}"`],
    ["all visible ASCII", String.fromCharCode(...Array.from({ length: 94 }, (_, n) => 0x21 + n))],
    ["one character", "k"],
    ["a quote within", 'a"b']
  ])("a key may be %s", async (_, key) => {
    const me = await server.user()
    const first = await post(me, "/v1/todos", key, milk)
    expect(first.status).toBe(201)
    expect(told(await post(me, "/v1/todos", key, milk))).toEqual(told(first))
  })

  it.each([
    ["empty", ""],
    ["empty between quotes", '""'],
    ["256 characters", "k".repeat(256)],
    ["256 quoted characters", `"${"k".repeat(256)}"`],
    ["a space within", "a b"],
    ["a tab within", "a\tb"],
    ["two keys", "a, b"],
    ["a character of Latin-1", "caf\u00e9"],
    ["a control character of Latin-1", "a\u0085b"],
    ["a character beyond ASCII in UTF-8", Buffer.from("ключ").toString("latin1")]
  ])("a malformed key (%s) is 400, and nothing happens", async (_, key) => {
    const me = await server.user()
    for (const path of ["/v1/todos", "/v1/lists"]) {
      const json = path === "/v1/todos" ? milk : { name: "a" }
      expect(await post(me, path, key, json)).toMatchObject({
        status: 400,
        headers: { "content-type": "application/problem+json" },
        body: { code: "malformed-request" }
      })
    }
    expect((await me.send("GET", "/v1/me")).body.revision).toBe(0)
  })

  it("a key is not used up by failed requests", async () => {
    const me = await server.user()
    const { id } = await me.add()
    const missing = "00000000-0000-4000-8000-000000000000"
    const failed = [
      await post(me, "/v1/todos", "k", { title: "" }),
      await post(me, "/v1/todos", "k", { ...milk, listId: missing }),
      await post(me, `/v1/todos/${missing}/restore`, "k"),
      await post(me, `/v1/todos/${id}/restore`, "k", undefined, { "if-match": '"9"' }),
      await post(me, `/v1/todos/${id}/move`, "k", { after: missing }),
      await post(me, "/v1/todos/batch", "k", { operations: [{ op: "delete", id: missing }] })
    ]
    expect(failed.map(({ status }) => status)).toEqual([422, 404, 404, 412, 404, 404])
    expect((await post(me, "/v1/todos", "k", milk)).status).toBe(201)
    expect(await total(me)).toBe(2)
  })

  it("a key belongs to one user", async () => {
    const [me, other] = [await server.user(), await server.user()]
    const mine = await post(me, "/v1/todos", "k", milk)
    const theirs = await post(other, "/v1/todos", "k", { title: "theirs" })
    expect(theirs).toMatchObject({ status: 201, body: { title: "theirs" } })
    expect(theirs.body.id).not.toBe(mine.body.id)
  })

  it("a key can be used again after 24 hours", async () => {
    const me = await server.user()
    await post(me, "/v1/todos", "k", milk)
    const age = "update todo.idempotency_keys set created_at = created_at - $2::interval where owner_id = $1"
    await server.sql(age, me.id, "23 hours 59 minutes")
    expect((await post(me, "/v1/todos", "k", { title: "b" })).status).toBe(422)
    await server.sql(age, me.id, "61 seconds")
    expect(await post(me, "/v1/todos", "k", { title: "b" })).toMatchObject({ status: 201, body: { title: "b" } })
  })

  it("the key is optional: without one, two equal POSTs create two rows", async () => {
    const me = await server.user()
    await me.add(milk)
    await me.add(milk)
    expect(await total(me)).toBe(2)
  })
})

describe("If-None-Match on a read", () => {
  const server = useServer()

  const row = async (kind: string) => {
    const me = await server.user()
    const json = kind === "todos" ? { title: "a" } : { name: "a" }
    const { body } = await me.send("POST", `/v1/${kind}`, { json })
    const patch = kind === "todos" ? { title: "b" } : { name: "b" }
    await me.send("PATCH", `/v1/${kind}/${body.id}`, { json: patch })
    const path = `/v1/${kind}/${body.id}`
    return { me, path, get: (tag: string) => me.send("GET", path, { headers: { "if-none-match": tag } }) }
  }

  describe.each(["todos", "lists"])("of %s", (kind) => {
    it.each(['"2"', 'W/"2"', '"1", "2"', '"x",W/"2" , "9"', "*"])(
      "a read with If-None-Match: %s is 304, with the tag and no body",
      async (tag) => {
        const { get } = await row(kind)
        const answer = await get(tag)
        expect(answer).toMatchObject({ status: 304, headers: { etag: '"2"' }, text: "" })
        expect(answer.headers).not.toHaveProperty("content-type")
      }
    )

    it.each(['"1"', 'W/"1"', '"3"', '"x"', '""', '"1","3"', '"1",'])(
      "a read with If-None-Match: %s is 200, with the row",
      async (tag) => {
        const { get } = await row(kind)
        expect(await get(tag)).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { revision: 2 } })
      }
    )

    it.each(["", "2", '"2', "W/2", 'w/"2"', '"1" "2"', '"1",x', "**", '*, "2"'])(
      "a read with If-None-Match: %s is 400",
      async (tag) => {
        const { get } = await row(kind)
        expect(await get(tag)).toMatchObject({ status: 400, body: { code: "malformed-request" } })
      }
    )

    it("a read of a deleted row is 404, not 304", async () => {
      const { get, me, path } = await row(kind)
      await me.send("DELETE", path)
      for (const tag of ["*", '"2"', '"3"']) expect((await get(tag)).status).toBe(404)
    })
  })
})
