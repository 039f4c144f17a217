/** The scenarios: the requests, and the fields of responses that must be equal. */
import { randomBytes } from "node:crypto"
import { titleOf } from "./data.ts"

export interface Request {
  readonly method: "GET" | "POST" | "PATCH"
  readonly path: string
  /** The JSON body. `@n` in it becomes a different number of eight digits each time. */
  readonly body?: string
  /** The revision of the todo at the first request. Each further request expects one more. */
  readonly ifMatch?: number
}

/** A user of the load. */
export interface User {
  readonly id: string
  readonly token: string
  /** The ids in the order of the list. The n-th is that of todo n + 1 in the data. */
  readonly todos: ReadonlyArray<string>
}

/** Sends a request as a user and returns the body. Fails unless the response is successful. */
export type Send = (user: User, request: Request) => Promise<Body>

// oxlint-disable-next-line typescript/no-explicit-any -- a response may be any JSON
export type Body = any

export interface Scenario {
  readonly name: string
  /** The numbers of connections that it is measured with. */
  readonly connections: ReadonlyArray<number>
  readonly writes: boolean
  /**
   * The requests of a user, repeated in turn. A user with If-Match has its own connection, so no other write comes in
   * between. Other requests use any free connection of their thread.
   */
  readonly requests: (user: User, send: Send) => ReadonlyArray<Request> | Promise<ReadonlyArray<Request>>
  /** The fields whose values each server generates. Only their types must be equal. */
  readonly own: ReadonlyArray<string>
}

const few = [16]
const fewAndMany = [16, 100]

/** Times and revisions. Contestants without the same promises count the changes of a row, the others those of a user. */
const stamps = ["revision", "updatedAt"]

const get = (id: string): Request => ({ method: "GET", path: `/v1/todos/${id}` })
const patch = (id: string, fields: object): Request => ({
  method: "PATCH",
  path: `/v1/todos/${id}`,
  body: JSON.stringify(fields)
})
const page: Request = { method: "GET", path: "/v1/todos?limit=50" }
const filtered: Request = { method: "GET", path: "/v1/todos?completed=false&priority=high&sort=-createdAt" }
const search = (n: number): Request => {
  const [verb, noun] = titleOf(n).split(" ")
  return { method: "GET", path: `/v1/todos?q=${verb}%20${noun}` }
}
const create: Request = { method: "POST", path: "/v1/todos", body: JSON.stringify({ title: "Call garden @n" }) }

const spread = <A>(all: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  Array.from({ length: Math.min(count, all.length) }, (_, n) => all[Math.floor((n * all.length) / count)] as A)

/** The open todos in the data (every fifth is completed). */
const open = ({ todos }: User) => todos.filter((_, n) => (n + 1) % 5 !== 1)

/** A new value in every run, so that each update changes the row. */
const changedTitle = () => `Changed ${randomBytes(4).toString("hex")} @n`

/** The cursor at the end of the change feed. */
export const endOfChanges = async (user: User, send: Send): Promise<string> => {
  let since = ""
  for (;;) {
    const query = since === "" ? "?limit=500" : `?since=${encodeURIComponent(since)}&limit=500`
    const { hasMore, nextCursor } = await send(user, { method: "GET", path: `/v1/changes${query}` })
    since = nextCursor
    if (hasMore === false) return encodeURIComponent(since)
  }
}

export const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "get one",
    connections: fewAndMany,
    writes: false,
    requests: ({ todos }) => spread(todos, 100).map(get),
    own: []
  },
  {
    name: "changes poll",
    connections: few,
    writes: false,
    requests: async (user, send) => [{ method: "GET", path: `/v1/changes?since=${await endOfChanges(user, send)}` }],
    own: ["nextCursor"]
  },
  { name: "list 50", connections: fewAndMany, writes: false, requests: () => [page], own: [] },
  { name: "filter and sort", connections: few, writes: false, requests: () => [filtered], own: [] },
  {
    name: "search",
    connections: few,
    writes: false,
    requests: ({ todos }) => spread([...todos.keys()], 50).map((n) => search(n + 1)),
    own: []
  },
  {
    name: "create",
    connections: few,
    writes: true,
    requests: () => [create],
    own: [...stamps, "id", "position", "createdAt"]
  },
  {
    name: "patch if-match",
    connections: few,
    writes: true,
    // The first change sets the revision of the row to that of the user. Then both increase by one.
    requests: async (user, send) => {
      const id = user.todos[1] ?? ""
      const { revision } = await send(user, patch(id, { title: changedTitle() }))
      return [{ ...patch(id, { title: changedTitle() }), ifMatch: revision }]
    },
    own: [...stamps, "title"]
  },
  {
    name: "complete",
    connections: few,
    writes: true,
    // The second request opens it again, so each request changes the row.
    requests: (user) =>
      open(user)
        .slice(0, 50)
        .flatMap((id) => [patch(id, { completed: true }), patch(id, { completed: false })]),
    own: [...stamps, "completedAt"]
  },
  {
    name: "batch of 50",
    connections: few,
    writes: true,
    requests: (user) => {
      const operations = user.todos.slice(0, 50).map((id) => ({ op: "update", id, patch: { title: changedTitle() } }))
      return [{ method: "POST", path: "/v1/todos/batch", body: JSON.stringify({ operations }) }]
    },
    own: [...stamps, "title"]
  },
  {
    name: "mixed 80/20",
    connections: fewAndMany,
    writes: true,
    requests: (user) => {
      const ids = spread(open(user), 22)
      const reads = [...ids.slice(0, 10).map(get), page, page, page, filtered, search(7), search(300)]
      const [changed = "", done = ""] = ids.slice(10)
      const writes = [
        patch(changed, { title: changedTitle() }),
        create,
        patch(done, { completed: true }),
        patch(done, { completed: false })
      ]
      // One write follows every four reads.
      return writes.flatMap((write, n) => [...reads.filter((_, place) => place % 4 === n), write])
    },
    own: [...stamps, "id", "position", "createdAt", "completedAt", "title"]
  }
]

export const named = (name: string): Scenario => {
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Error(`there is no scenario ${name}`)
  return found
}
