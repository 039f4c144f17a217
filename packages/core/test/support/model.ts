/** A model of the services for one user, in memory. It has plain arrays in the order of positions. */
import type { Step } from "./steps.ts"

export type Outcome = { readonly value: object } | { readonly error: object }

interface Row {
  readonly id: string
  revision: number
  deletedAt: string | null
  [field: string]: unknown
}

interface Options {
  readonly ifRevision?: "*" | number | ReadonlyArray<number>
  readonly ifAbsent?: boolean
  readonly todos?: "trash" | "keep"
}

class Refused extends Error {
  readonly error: object
  constructor(_tag: string, more: object = {}) {
    super(_tag)
    this.error = { ...more, _tag }
  }
}

const defaults = { description: null, completed: false, priority: "none", due: null, tags: [], listId: null }

export class Model {
  todos: Array<Row> = []
  lists: Array<Row> = []
  revision = 0

  /** Performs a step, and returns the expected outcome. `actual` supplies the ids that the service generated. */
  perform(step: Step, actual: Outcome): Outcome {
    const before = structuredClone({ todos: this.todos, lists: this.lists, revision: this.revision })
    const made = "value" in actual ? actual.value : {}
    try {
      const value = step.method === "batch" ? this.#batch(step, made) : this.#one(step, made)
      return { value: structuredClone(value) }
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused
      Object.assign(this, before)
      return { error: refused.error }
    }
  }

  #batch({ args: [operations] }: Step, made: object): object {
    const steps = operations as ReadonlyArray<{
      op: string
      id: string
      todo: object
      patch: object
      ifRevision?: Options["ifRevision"]
    }>
    const invalid = steps.some(({ patch, todo }) => isBlank(todo) || isBlank(patch))
    if (invalid) throw new Refused("InvalidInput")
    return steps.map(({ id, ifRevision, op, patch, todo }, index) => {
      const options = ifRevision === undefined ? {} : { ifRevision }
      const args = op === "create" ? [todo] : op === "update" ? [id, patch, options] : [id, options]
      try {
        return structuredClone(
          this.#one({ on: "todos", method: op, args }, (made as ReadonlyArray<object>)[index] ?? {})
        )
      } catch (refused) {
        throw refused instanceof Refused ? new Refused(refused.message, { ...refused.error, index }) : refused
      }
    })
  }

  #one({ args, method, on }: Step, made: object): object {
    const rows = on === "todos" ? this.todos : this.lists
    const missing = on === "todos" ? "TodoNotFound" : "ListNotFound"
    if (method === "list") return this.#list(rows, args[0] as Record<string, unknown>)
    if (method === "create") {
      if (isBlank(args[0])) throw new Refused("InvalidInput")
      return this.#add(on, (made as Row).id, args[0] as object)
    }
    const id = args[0] as string
    const row = rows.find((row) => row.id === id)
    if (method === "get") {
      if (row === undefined || row.deletedAt !== null) throw new Refused(missing)
      return row
    }
    const takesFields = method === "put" || method === "update"
    if (takesFields && isBlank(args[1])) throw new Refused("InvalidInput")
    const options = (args[takesFields || method === "move" ? 2 : 1] ?? {}) as Options

    if (row === undefined) {
      if (method !== "put") throw new Refused(missing)
      if (options.ifRevision !== undefined) throw new Refused("RevisionMismatch", { current: null })
      const added = this.#add(on, id, args[1] as object)
      return on === "todos" ? { todo: added, created: true } : { list: added, created: true }
    }
    if (row.deletedAt !== null && method !== "restore") {
      throw method === "put" ? new Refused("Conflict", { reason: "in-trash" }) : new Refused(missing)
    }
    const { ifAbsent, ifRevision = "*" } = options
    const isExpected = ifRevision === "*" || [ifRevision].flat().includes(row.revision)
    if (ifAbsent === true || !isExpected) {
      throw new Refused("RevisionMismatch", { current: row.revision })
    }
    switch (method) {
      case "put": {
        const all = on === "todos" ? { ...defaults, ...(args[1] as object) } : (args[1] as object)
        const changed = this.#change(row, all)
        return on === "todos" ? { todo: changed, created: false } : { list: changed, created: false }
      }
      case "update":
        return this.#change(row, args[1] as object)
      case "complete":
        return this.#change(row, { completed: true })
      case "reopen":
        return this.#change(row, { completed: false })
      case "restore": {
        const isListThere = this.lists.some((list) => list.id === row["listId"] && list.deletedAt === null)
        return this.#change(row, { deletedAt: null, ...(on === "todos" && !isListThere && { listId: null }) })
      }
      case "delete":
        return on === "todos" ? this.#change(row, { deletedAt: "now" }) : this.#deleteList(row, options)
      default:
        return this.#move(rows, row, args[1] as { before?: string; after?: string }, missing)
    }
  }

  #add(on: "todos" | "lists", id: string, given: object): Row {
    this.#checkList(given, null)
    const row: Row = { ...(on === "todos" && defaults), ...given, id, revision: ++this.revision, deletedAt: null }
    if (on === "todos") row["completedAt"] = row["completed"] === true ? "now" : null
    this[on].push(row)
    return row
  }

  #checkList(given: object, current: unknown) {
    const { listId = null } = given as { listId?: string | null }
    if (listId === null || listId === current) return
    if (!this.lists.some((list) => list.id === listId && list.deletedAt === null)) throw new Refused("ListNotFound")
  }

  #change(row: Row, given: object): Row {
    this.#checkList(given, row["listId"])
    const next: Row = { ...row, ...given }
    if ("completed" in next) next["completedAt"] = next["completed"] === true ? (row["completedAt"] ?? "now") : null
    if (canonical(next) === canonical(row)) return row
    return Object.assign(row, next, { revision: ++this.revision })
  }

  #deleteList(list: Row, { todos }: Options): Row {
    const held = this.todos.filter((todo) => todo["listId"] === list.id && todo.deletedAt === null)
    if (held.length > 0 && todos === undefined) throw new Refused("ListNotEmpty")
    const deleted = this.#change(list, { deletedAt: "now" })
    for (const todo of held) this.#change(todo, todos === "trash" ? { deletedAt: "now" } : { listId: null })
    return deleted
  }

  #move(rows: Array<Row>, row: Row, to: { before?: string; after?: string }, missing: string): Row {
    const anchor = rows.find((other) => other.id === (to.before ?? to.after) && other.deletedAt === null)
    if (anchor === undefined) throw new Refused(missing)
    if (anchor === row) return row
    const moved = rows.filter((other) => other !== row)
    moved.splice(moved.indexOf(anchor) + (to.after === undefined ? 0 : 1), 0, row)
    if (moved.every((other, n) => other === rows[n])) return row
    rows.splice(0, rows.length, ...moved)
    return Object.assign(row, { revision: ++this.revision })
  }

  #list(rows: ReadonlyArray<Row>, query: Record<string, unknown>): object {
    const { completed, count, deleted = false, q, sort = "position", tag } = query
    const found = rows.filter(
      (row) =>
        (row.deletedAt !== null) === deleted &&
        (completed === undefined || row["completed"] === completed) &&
        (tag === undefined || (row["tags"] as ReadonlyArray<string>).includes("x")) &&
        (q === undefined || /\bmi/i.test(`${String(row["title"])} ${String(row["description"] ?? "")}`))
    )
    if (String(sort).endsWith("updatedAt")) found.sort((a, b) => a.revision - b.revision)
    if (String(sort).startsWith("-")) found.reverse()
    return { items: found, nextCursor: null, ...(count === true && { total: found.length }) }
  }
}

const isBlank = (given: unknown): boolean =>
  typeof given === "object" &&
  given !== null &&
  ("title" in given ? given.title === " " : "name" in given && given.name === " ")

const canonical = (row: Row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
