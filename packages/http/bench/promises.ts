/**
 * Checks that contestants keep the same promises: a script of requests and their answers. It compares statuses, entity
 * tags and bodies with the answers of this server.
 */
import { inspect, isDeepStrictEqual } from "node:util"
import type { Contestant } from "./contestants.ts"
import { promising, titles } from "./contestants.ts"
import { comparable, sender } from "./equality.ts"
import { type Body, endOfChanges, type User } from "./scenarios.ts"

interface Options {
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

interface Reply {
  readonly status: number
  readonly etag: string | undefined
  readonly body: Body
}

/** The values that each server generates. */
const own = ["id", "position", "createdAt", "updatedAt", "completedAt", "deletedAt", "nextCursor"]

const unknownId = "00000000-0000-4000-8000-000000000000"

/** Runs the script on one server. Returns a line for each step. */
const script = async (url: string, user: User, stranger: User): Promise<ReadonlyArray<readonly [string, unknown]>> => {
  const lines: Array<readonly [string, unknown]> = []

  const ask = async (method: string, path: string, { body, headers }: Options = {}): Promise<Reply> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${user.token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers
      },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await response.text()
    const json = response.headers.get("content-type")?.includes("json") === true
    return {
      status: response.status,
      etag: response.headers.get("etag") ?? undefined,
      body: json ? JSON.parse(text) : text
    }
  }
  const create = (title: string, headers = {}) => ask("POST", "/v1/todos", { body: { title }, headers })

  // Revisions count from here, because contestants that share tables are at different ones.
  const since = await endOfChanges(user, sender(url))
  const first = await create("The first")
  const start = Number(first.body.revision)
  const relative = (body: Body): unknown => {
    if (Array.isArray(body)) return body.map(relative)
    if (typeof body !== "object" || body === null) return body
    return Object.fromEntries(
      Object.entries(body).map(([name, value]) => [name, name === "revision" ? Number(value) - start : relative(value)])
    )
  }
  const step = async (what: string, reply: Reply | Promise<Reply>): Promise<Reply> => {
    const { body, etag, status } = await reply
    const problem = status >= 400 ? { code: body.code, status: body.status } : undefined
    const tag = etag === undefined ? undefined : Number(etag.slice(1, -1)) - start
    lines.push([what, { status, etag: tag, body: problem ?? comparable(relative(body) as Body, own) }])
    return { body, etag, status }
  }
  const path = (todo: Body) => `/v1/todos/${todo.id}`
  const ifMatch = (todo: Body) => ({ "if-match": `"${todo.revision}"` })

  const { body: one } = await step("a new todo", first)
  await step("a read", ask("GET", path(one)))
  await step(
    "a read of the revision that the client has",
    ask("GET", path(one), { headers: { "if-none-match": `"${one.revision}"` } })
  )
  await step("a read of a todo that does not exist", ask("GET", `/v1/todos/${unknownId}`))
  await step("a request without a token", ask("GET", path(one), { headers: { authorization: "" } }))
  await step(
    "a read of another user's todo",
    ask("GET", path(one), { headers: { authorization: `Bearer ${stranger.token}` } })
  )

  const fields = { title: "Another", priority: "low", due: { date: "2026-12-24" }, tags: ["home", "shop"] }
  const { body: two } = await step("a change", ask("PATCH", path(one), { body: fields, headers: ifMatch(one) }))
  await step("a change of an old revision", ask("PATCH", path(one), { body: { title: "Late" }, headers: ifMatch(one) }))
  await step("a change to what is there already", ask("PATCH", path(one), { body: fields }))
  await step("an empty change", ask("PATCH", path(one), { body: {}, headers: ifMatch(two) }))
  await step("a change of a todo that does not exist", ask("PATCH", `/v1/todos/${unknownId}`, { body: fields }))
  await step("an empty title", ask("PATCH", path(one), { body: { title: "" } }))
  await step("an unknown field", ask("PATCH", path(one), { body: { colour: "red" } }))
  await step("no title", ask("POST", "/v1/todos", { body: { priority: "low" } }))
  await step("completing", ask("PATCH", path(one), { body: { completed: true } }))
  await step("opening and clearing", ask("PATCH", path(one), { body: { completed: false, due: null, tags: [] } }))

  const key = { "idempotency-key": `key-${start}` }
  const { body: kept } = await step("a new todo with a key", create("Once", key))
  const { body: again } = await step("the same request again", create("Once", key))
  lines.push(["the same todo", kept.id === again.id])
  await step("another request with the same key", create("Twice", key))

  const { body: feed } = await step("the changes", ask("GET", `/v1/changes?since=${since}`))
  await step("nothing more", ask("GET", `/v1/changes?since=${encodeURIComponent(feed.nextCursor)}`))
  const { body: trashed } = await step("a deletion", ask("DELETE", path(kept)))
  lines.push(["an empty body", trashed === ""])
  await step("a read of the deleted todo", ask("GET", path(kept)))
  await step("the deletion in the changes", ask("GET", `/v1/changes?since=${encodeURIComponent(feed.nextCursor)}`))

  const operations = [
    { op: "create", todo: { title: "Of a batch" } },
    { op: "update", id: one.id, patch: { title: "By a batch" } }
  ]
  await step("a batch", ask("POST", "/v1/todos/batch", { body: { operations } }))
  const failing = [...operations, { op: "update", id: unknownId, patch: { title: "Nobody" } }]
  await step("a batch with an operation that fails", ask("POST", "/v1/todos/batch", { body: { operations: failing } }))
  await step("none of the batch happened", ask("GET", path(one)))

  const together = await Promise.all(Array.from({ length: 10 }, () => create(`Run${start}together`)))
  const revisions = together.map(({ body }) => Number(body.revision) - start).toSorted((a, b) => a - b)
  lines.push(["writes at the same time have revisions in a row", revisions])

  for (const query of ["sort=position", "sort=-createdAt", "sort=title", "sort=-priority&completed=false"]) {
    const all: Array<string> = []
    let cursor = ""
    do {
      const { body } = await ask("GET", `/v1/todos?limit=37&${query}${cursor}`)
      all.push(...body.items.map(({ id }: Body) => id))
      cursor = body.nextCursor === null ? "" : `&cursor=${encodeURIComponent(body.nextCursor)}`
    } while (cursor !== "")
    const { body: whole } = await ask("GET", `/v1/todos?limit=200&${query}`)
    const same = isDeepStrictEqual(
      whole.items.map(({ id }: Body) => id),
      all.slice(0, 200)
    )
    lines.push([`pages by ${query} are each todo once, in order`, same && new Set(all).size === all.length])
  }
  await step("a cursor that is none", ask("GET", "/v1/todos?cursor=none"))
  const { body: found } = await ask("GET", `/v1/todos?q=run${start}to`)
  lines.push(["a search for the beginning of a word", found.items.length])
  await ask("PATCH", path(one), { body: { tags: [`tag-${start}`] } })
  const { body: tagged } = await ask("GET", `/v1/todos?tag=tag-${start}`)
  lines.push(["todos with a tag", tagged.items.map(({ title }: Body) => title)])
  return lines
}

/** Fails unless all contestants that make promises answer the script like the first. */
export const assertPromises = async (
  contestants: ReadonlyArray<Contestant>,
  user: User,
  stranger: User
): Promise<void> => {
  const [ours, ...others] = contestants.filter(({ name }) => promising.includes(name))
  if (ours?.name !== "todo") return
  const expected = await script(ours.url, user, stranger)
  for (const { name, url } of others) {
    const lines = await script(url, user, stranger)
    for (const [index, [what, line]] of expected.entries()) {
      if (isDeepStrictEqual(lines[index]?.[1], line)) continue
      throw new Error(
        `${what}: ${titles[name]} answers ${inspect(lines[index]?.[1], { depth: 5 })}\nand todo ${inspect(line, { depth: 5 })}`
      )
    }
  }
}
