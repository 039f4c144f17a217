import { describe, expect, it } from "vitest"
import { useServer } from "../support/testServer.ts"

const id = "019ab000-abcd-7fff-8abc-0123456789ab"
const listId = "019ab000-abcd-7fff-8abc-ba9876543210"

/** RFC 9562, 4: UUIDs are case-insensitive on input and lower case on output. */
describe("An id in upper case", () => {
  const server = useServer()

  it.each([
    ["todos", { title: "a" }],
    ["lists", { name: "a" }]
  ])("an id in upper case in a path of /v1/%s is the one in lower case", async (kind, json) => {
    const me = await server.user()
    const [lower, upper] = [`/v1/${kind}/${id}`, `/v1/${kind}/${id.toUpperCase()}`]
    const put = await me.send("PUT", upper, { json })
    expect(put).toMatchObject({ status: 201, body: { id }, headers: { location: lower, etag: '"1"' } })
    const got = await me.send("GET", upper)
    expect(got).toMatchObject({ status: 200, body: put.body, headers: { etag: '"1"' } })
    expect((await me.send("GET", upper, { headers: { "if-none-match": '"1"' } })).status).toBe(304)
    expect((await me.send("PUT", lower, { json, headers: { "if-none-match": "*" } })).status).toBe(412)
    const patched = await me.send("PATCH", upper, { json, headers: { "if-match": '"1"' } })
    expect(patched).toMatchObject({ status: 200, body: { id } })
    expect((await me.send("DELETE", upper)).status).toBe(204)
    expect((await me.send("POST", `${upper}/restore`)).body.id).toBe(id)
  })

  it("an id in upper case in bodies, queries and batches equals the one in lower case, also under one Idempotency-Key", async () => {
    const me = await server.user()
    await me.send("PUT", `/v1/lists/${listId}`, { json: { name: "home" } })
    await me.send("PUT", `/v1/todos/${id}`, { json: { title: "a" } })
    const added = await me.add({ listId: listId.toUpperCase() })
    expect(added.listId).toBe(listId)
    const listed = await me.send("GET", `/v1/todos?listId=${listId.toUpperCase()}`)
    expect(listed.body.items).toEqual([added])
    const patched = await me.send("PATCH", `/v1/todos/${id}`, { json: { listId: listId.toUpperCase() } })
    expect(patched.body.listId).toBe(listId)
    const headers = { "idempotency-key": "move" }
    const moved = await me.send("POST", `/v1/todos/${added.id}/move`, { json: { before: id.toUpperCase() }, headers })
    expect(moved.status).toBe(200)
    const again = await me.send("POST", `/v1/todos/${added.id.toUpperCase()}/move`, { json: { before: id }, headers })
    expect(again).toMatchObject({ status: 200, body: moved.body })
    const operations = [{ op: "update", id: id.toUpperCase(), patch: { title: "b" } }]
    const batch = await me.send("POST", "/v1/todos/batch", { json: { operations } })
    expect(batch).toMatchObject({ status: 200, body: { results: [{ index: 0, todo: { id, title: "b" } }] } })
    const page = await me.send("GET", `/v1/todos?listId=${listId.toUpperCase()}&limit=1`)
    const next = `/v1/todos?listId=${listId}&limit=1&cursor=${encodeURIComponent(page.body.nextCursor)}`
    expect((await me.send("GET", next)).body.items).toHaveLength(1)
  })

  it("an id in another form is refused", async () => {
    const me = await server.user()
    for (const form of [`%7B${id}%7D`, `urn:uuid:${id}`, id.replaceAll("-", ""), `${id.toUpperCase()}0`]) {
      expect((await me.send("GET", `/v1/todos/${form}`)).status).toBe(422)
    }
  })
})
