/**
 * Test kit: writers that record each acknowledged write while the server or the database is killed, and checks of the
 * tables afterwards.
 */
import { randomUUID } from "node:crypto"
import { expect } from "vitest"
import { type LiveEvent, newUser } from "./liveServer.ts"
import type { Answer } from "./testServer.ts"

type User = Awaited<ReturnType<typeof newUser>>

interface Sent {
  readonly key: string
  readonly title: string
}

/** A writer. It creates todos under keys, and increases a number in the title of one todo without a key. */
class Writer {
  /** The acknowledged titles, with their ids. */
  readonly created = new Map<string, string>()
  /** Creates without a response. Each may have been applied, at most once. */
  open: Array<Sent> = []
  /** The counting todo, with the last acknowledged and the last sent number. */
  readonly counter = { id: randomUUID(), acknowledged: 0, sent: 0 }
  readonly user: User
  #next = 0

  constructor(user: User) {
    this.user = user
  }

  async create(url: string, sent: Sent): Promise<void> {
    const headers = { "idempotency-key": sent.key }
    const { body, status } = await this.user.send({ url }, "POST", "/v1/todos", {
      json: { title: sent.title },
      headers
    })
    if (status !== 201) return expectPassing(status, body)
    const known = this.created.get(sent.title)
    if (known !== undefined) expect(body.id).toBe(known)
    this.created.set(sent.title, body.id)
    this.open = this.open.filter(({ key }) => key !== sent.key)
  }

  async step(url: string): Promise<void> {
    const sent = { key: randomUUID(), title: `created ${this.#next++}` }
    this.open.push(sent)
    await this.create(url, sent)
    const { counter } = this
    counter.sent++
    const json = { title: `counted ${counter.sent}` }
    const { body, status } = await this.user.send({ url }, "PUT", `/v1/todos/${counter.id}`, { json })
    if (status === 200 || status === 201) counter.acknowledged = counter.sent
    else expectPassing(status, body)
  }

  /** Writes until it is ended, or until the connection fails. */
  async run(url: string, ended: () => boolean): Promise<void> {
    while (!ended()) {
      try {
        await this.step(url)
      } catch (error) {
        // `fetch` throws this if the connection is lost.
        if (!(error instanceof TypeError)) throw error
        return
      }
    }
  }

  /** Repeats the creates without a response under the same keys. Returns how many had been applied before. */
  async settle(url: string): Promise<number> {
    const before = new Set((await this.rows(url)).map(({ todo }) => todo.title))
    const unanswered = this.open
    await expect
      .poll(
        async () => {
          for (const sent of this.open) await this.create(url, sent)
          return this.open.length
        },
        { timeout: 10_000, interval: 20 }
      )
      .toBe(0)
    return unanswered.filter(({ title }) => before.has(title)).length
  }

  async rows(url: string): Promise<ReadonlyArray<LiveEvent["change"]>> {
    const rows: Array<LiveEvent["change"]> = []
    for (let since = ""; ;) {
      const { body, status }: Answer = await this.user.send({ url }, "GET", `/v1/changes?limit=500${since}`)
      expect(status).toBe(200)
      rows.push(...body.changes)
      since = `&since=${body.nextCursor}`
      if (!body.hasMore) return rows
    }
  }

  /** The number of acknowledged creates that are missing. */
  async lost(url: string): Promise<number> {
    const stored = new Set((await this.rows(url)).map(({ id }) => id))
    return [...this.created.values()].filter((id) => !stored.has(id)).length
  }

  /** Every acknowledged write exists exactly once, and nothing exists that was not sent. */
  async check(url: string): Promise<void> {
    const rows = await this.rows(url)
    const [counted, created] = [true, false].map((is) => rows.filter(({ id }) => (id === this.counter.id) === is))
    expect(new Map(created?.map(({ id, todo }) => [todo.title, id]))).toEqual(this.created)
    expect(created).toHaveLength(this.created.size)
    const count = Number(/\d+/.exec(counted?.[0]?.todo.title ?? "0")?.[0])
    expect(count).toBeGreaterThanOrEqual(this.counter.acknowledged)
    expect(count).toBeLessThanOrEqual(this.counter.sent)
    const revisions = rows.map(({ revision }) => revision)
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
  }
}

/** The statuses that are allowed while the database is unreachable. */
const expectPassing = (status: number, body: unknown): void => {
  expect({ status, body }).toEqual({
    status: expect.toBeOneOf([409, 503]),
    body: expect.objectContaining({ code: expect.toBeOneOf(["idempotency-key-in-use", "unavailable"]) })
  })
}

/** Makes four writers with a user each. */
export const acknowledgedWrites = async () => {
  const writers = await Promise.all(Array.from({ length: 4 }, async () => new Writer(await newUser())))
  return {
    /** Writes until `interrupt` has finished. */
    write: async (url: string, interrupt: () => Promise<unknown>): Promise<void> => {
      let ended = false
      const written = Promise.all(writers.map((writer) => writer.run(url, () => ended)))
      await interrupt()
      ended = true
      await written
    },
    /** Checks the tables after a restart. Returns how many writes were applied without a response. */
    settle: async (url: string): Promise<number> => {
      const unanswered = await Promise.all(writers.map((writer) => writer.settle(url)))
      for (const writer of writers) await writer.check(url)
      return unanswered.reduce((sum, n) => sum + n, 0)
    },
    lost: async (url: string): Promise<number> => {
      const lost = await Promise.all(writers.map((writer) => writer.lost(url)))
      return lost.reduce((sum, n) => sum + n, 0)
    },
    get acknowledged() {
      return writers.reduce((sum, { counter, created }) => sum + created.size + counter.acknowledged, 0)
    }
  }
}

/** Waits between 0.1 and 0.5 s. */
export const soon = () => new Promise((resume) => setTimeout(resume, 100 + Math.random() * 400))
