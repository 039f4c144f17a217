/* oxlint-disable vitest/expect-expect -- meetsEachOnce asserts */
import { beforeAll, describe, expect, it } from "vitest"
import { type TestUser, useServer } from "../support/testServer.ts"

const count = 300

describe("Pagination", () => {
  const server = useServer()
  let me: TestUser
  /** The ids of the todos, in the order of their creation. */
  const ids: Array<string> = []

  beforeAll(async () => {
    me = await server.user()
    // Ten are created at a time, so some have the same millisecond. Their order is that of their revisions.
    const made: Array<{ id: string; revision: number }> = []
    for (let i = 0; i < count; i += 10) {
      made.push(...(await Promise.all(Array.from({ length: 10 }, (_, j) => me.add({ title: `todo ${i + j}` })))))
    }
    ids.push(...made.toSorted((a, b) => a.revision - b.revision).map(({ id }) => id))
  })

  const walk = async (query: string) => {
    const pages: Array<Array<{ id: string; createdAt: string }>> = []
    let cursor: string | null = ""
    do {
      const { body, status } = await me.send("GET", `/v1/todos?${query}${cursor && `&cursor=${cursor}`}`)
      expect(status).toBe(200)
      pages.push(body.items)
      cursor = body.nextCursor
    } while (cursor !== null && pages.length <= count)
    return pages
  }

  it.each(["position", "-position", "createdAt", "-createdAt", "updatedAt", "-updatedAt"])(
    "a walk by %s in pages of 7 meets each of 300 todos exactly once",
    async (sort) => {
      const pages = await walk(`sort=${sort}&limit=7`)
      expect(pages.map((page) => page.length)).toEqual([...Array.from({ length: 42 }, () => 7), 6])
      const walked = pages.flat()
      expect(walked.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      // The test does not know the order of todos with the same millisecond.
      const inOrder = sort.endsWith("createdAt") ? walked.map(({ createdAt }) => createdAt).toSorted() : ids
      const found = walked.map(({ createdAt, id }) => (sort.endsWith("createdAt") ? createdAt : id))
      expect(found).toEqual(sort.startsWith("-") ? inOrder.toReversed() : inOrder)
    }
  )

  const meetsEachOnce = async (sort: string) => {
    const other = await server.user()
    const added: Array<string> = []
    for (let i = 0; i < 60; i++) {
      const due = [null, { date: "2026-12-01" }, { dateTime: `2026-12-0${1 + (i % 9)}T09:00:00`, timeZone: "UTC" }][
        i % 3
      ]
      const priority = ["none", "low", "medium", "high"][i % 4]
      added.push((await other.add({ title: ["B", "a", "b", "A"][i % 4], due, priority })).id)
    }
    const walked: Array<string> = []
    let query = `sort=${sort}&limit=7`
    for (let page = 0; page < 9; page++) {
      const { body } = await other.send("GET", `/v1/todos?${query}`)
      walked.push(...body.items.map(({ id }: { id: string }) => id))
      query = `sort=${sort}&limit=7&cursor=${body.nextCursor}`
      if (body.nextCursor === null) break
    }
    expect(walked.toSorted()).toEqual(added.toSorted())
  }

  it.each(["priority", "-priority", "title", "-title"])(
    "a walk by %s in pages of 7 meets each of 60 todos exactly once, equals included",
    meetsEachOnce
  )

  it.each(["due", "-due"])(
    "a walk by %s in pages of 7 meets each of 60 todos exactly once, those without a due date included",
    meetsEachOnce
  )

  it.each([
    ["", 50],
    ["limit=1", 1],
    ["limit=200", 200]
  ])("a page of ?%s has %i todos and a cursor for the rest", async (query, length) => {
    const { body } = await me.send("GET", `/v1/todos?${query}`)
    expect(body.items).toHaveLength(length)
    expect(body.nextCursor).toEqual(expect.any(String))
  })

  it("a walk ends with null if the last page is full", async () => {
    expect((await walk("limit=100")).map((page) => page.length)).toEqual([100, 100, 100])
  })

  it("every page applies the filter", async () => {
    const other = await server.user()
    for (let i = 0; i < 6; i++) await other.add({ title: `${i}`, completed: i % 2 === 0, tags: i < 5 ? ["a"] : [] })
    const titles = async (query: string) =>
      (await other.send("GET", `/v1/todos?${query}`)).body.items.map(({ title }: { title: string }) => title)
    expect(await titles("completed=true&tag=a")).toEqual(["0", "2", "4"])
    const { body } = await other.send("GET", "/v1/todos?completed=true&tag=a&limit=2")
    expect(await titles(`completed=true&tag=a&limit=2&cursor=${body.nextCursor}`)).toEqual(["4"])
  })

  describe("a cursor", () => {
    const cursorOf = async (user: TestUser, query: string): Promise<string> =>
      (await user.send("GET", `/v1/todos?limit=2&${query}`)).body.nextCursor

    const refused = { status: 400, body: { code: "invalid-cursor" } }

    it("a cursor works with another limit", async () => {
      const cursor = await cursorOf(me, "")
      const { body } = await me.send("GET", `/v1/todos?limit=3&cursor=${cursor}`)
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2, 5))
    })

    it("a cursor of another user is refused", async () => {
      const other = await server.user()
      expect(await other.send("GET", `/v1/todos?cursor=${await cursorOf(me, "")}`)).toMatchObject(refused)
    })

    it.each(["sort=-position", "sort=createdAt", "completed=false", "tag=x", "priority=low", "listId=none"])(
      "a cursor of another query is refused: ?%s",
      async (query) => {
        const plain = await cursorOf(me, "")
        expect(await me.send("GET", `/v1/todos?${query}&cursor=${plain}`)).toMatchObject(refused)
      }
    )

    it("a cursor of a sorted query is refused in an unsorted one", async () => {
      const cursor = await cursorOf(me, "sort=-createdAt")
      expect(await me.send("GET", `/v1/todos?cursor=${cursor}`)).toMatchObject(refused)
    })

    it.each([
      ["nothing", () => ""],
      ["garbage", () => "garbage"],
      ["a number", () => "1"],
      ["the id of a todo", () => ids[0] ?? ""],
      ["JSON", () => encodeURIComponent('["a0"]')],
      [
        "a cursor with a character changed",
        (cursor: string) => `${cursor.startsWith("A") ? "B" : "A"}${cursor.slice(1)}`
      ],
      ["a cursor without its end", (cursor: string) => cursor.slice(0, -1)],
      ["a cursor with something behind", (cursor: string) => `${cursor}A`],
      ["a cursor with padding", (cursor: string) => `${cursor}=`],
      ["a cursor with white space", (cursor: string) => `%20${cursor}`],
      ["two cursors", (cursor: string) => `${cursor}${cursor}`]
    ])("a cursor made of %s is refused", async (_, change) => {
      const cursor = change(await cursorOf(me, ""))
      expect(await me.send("GET", `/v1/todos?limit=2&cursor=${cursor}`)).toMatchObject(refused)
    })

    it("a cursor that is longer than any of ours is refused, of pages and of changes", async () => {
      const long = "A".repeat(2_049)
      expect(await me.send("GET", `/v1/todos?cursor=${long}`)).toMatchObject(refused)
      expect(await me.send("GET", `/v1/changes?since=${long}`)).toMatchObject(refused)
    })

    it("a refused cursor is not repeated in the answer", async () => {
      const { text } = await me.send("GET", "/v1/todos?cursor=canary-7f3a")
      expect(text).toContain("invalid-cursor")
      expect(text).not.toContain("canary")
    })
  })
})
