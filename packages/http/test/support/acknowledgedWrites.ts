/**
 * Test kit: writers that note each write that was acknowledged, while whatever they talk
 * to is killed; and what must be true of the tables afterwards.
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

/** One writer: creates under keys, and counts up in the title of one todo without a key. */
class Writer {
  /** Titles that were acknowledged, with the id that they got. */
  readonly created = new Map<string, string>()
  /** Creates without an answer: they may have happened, once at most. */
  open: Array<Sent> = []
  /** The counting todo: what was acknowledged last, and what was sent last. */
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

  /** Until somebody ends it, or nobody answers any more. */
  async run(url: string, ended: () => boolean): Promise<void> {
    while (!ended()) {
      try {
        await this.step(url)
      } catch (error) {
        // `fetch` fails so where the connection is lost.
        if (!(error instanceof TypeError)) throw error
        return
      }
    }
  }

  /** Sends what had no answer again, under the same keys. Gives how many of them had happened before. */
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

  /** How many creates were acknowledged, and are not there. */
  async lost(url: string): Promise<number> {
    const stored = new Set((await this.rows(url)).map(({ id }) => id))
    return [...this.created.values()].filter((id) => !stored.has(id)).length
  }

  /** Everything that was acknowledged is there, once, and nothing that was not sent. */
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

/** What may be answered while the database is away; anything else is a fault. */
const expectPassing = (status: number, body: unknown): void => {
  expect({ status, body }).toEqual({
    status: expect.toBeOneOf([409, 503]),
    body: expect.objectContaining({ code: expect.toBeOneOf(["idempotency-key-in-use", "unavailable"]) })
  })
}

/** Four writers, each a user. */
export const acknowledgedWrites = async () => {
  const writers = await Promise.all(Array.from({ length: 4 }, async () => new Writer(await newUser())))
  return {
    /** Writes until `interrupt` has come to its end. */
    write: async (url: string, interrupt: () => Promise<unknown>): Promise<void> => {
      let ended = false
      const written = Promise.all(writers.map((writer) => writer.run(url, () => ended)))
      await interrupt()
      ended = true
      await written
    },
    /** What must hold after each restart. Gives how many writes had happened, but had not been answered. */
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

/** A moment between 0.1 and 0.5 s from now. */
export const soon = () => new Promise((resume) => setTimeout(resume, 100 + Math.random() * 400))
