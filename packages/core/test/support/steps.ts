/** Random calls of the services. Most of them are valid. */
import type { Random } from "../../../../.config/random.ts"
import type { Model } from "./model.ts"
import { newTodoId } from "./suite.ts"

export interface Step {
  readonly on: "todos" | "lists"
  readonly method: string
  readonly args: ReadonlyArray<unknown>
}

const fields = (random: Random, listIds: ReadonlyArray<string>): Record<string, unknown> => ({
  ...(random.chance(0.5) && { description: random.pick([null, "", "milk", "two"]) }),
  ...(random.chance(0.3) && { completed: random.chance(0.5) }),
  ...(random.chance(0.3) && { priority: random.pick(["none", "low", "medium", "high"]) }),
  ...(random.chance(0.3) && {
    due: random.pick([null, { date: "2026-12-01" }, { dateTime: "2026-12-01T09:00:00", timeZone: "Europe/Paris" }])
  }),
  ...(random.chance(0.3) && { tags: random.some(["x", "y", "z"]) }),
  ...(random.chance(0.35) && { listId: random.pick([null, ...listIds]) })
})

const title = (random: Random) => random.pick(["a", "b", "Buy milk", " ", "漢字"])

export const anyStep = (random: Random, own: Model, other: Model): Step => {
  const onTodos = random.chance(0.7)
  const rows = onTodos ? own.todos : own.lists
  const listIds = [...own.lists.map(({ id }) => id), ...other.lists.slice(0, 1).map(({ id }) => id)]
  const known = rows.map(({ id }) => id)
  const foreign = (onTodos ? other.todos : other.lists).map(({ id }) => id)
  const id = () => random.pick(random.chance(0.9) && known.length > 0 ? known : [newTodoId(), ...foreign])
  const target = id()
  const revision = rows.find((row) => row.id === target)?.revision ?? 1
  const expectations = ["*", revision, revision + 1, [revision], [revision, 999], [revision + 1], []]
  const options = {
    ...(random.chance(0.25) && { ifRevision: random.pick(expectations) })
  }
  const at = (method: string, ...args: ReadonlyArray<unknown>): Step => ({
    on: onTodos ? "todos" : "lists",
    method,
    args
  })
  const whole = () => (onTodos ? { title: title(random), ...fields(random, listIds) } : { name: title(random) })
  const patch = () => {
    const text = random.chance(0.5) ? {} : onTodos ? { title: title(random) } : { name: title(random) }
    return onTodos ? { ...text, ...fields(random, listIds) } : text
  }
  switch (random.int(onTodos ? 14 : 11)) {
    case 0:
    case 1:
      return at("create", whole())
    case 2:
      return at("put", target, whole(), { ...options, ...(random.chance(0.25) && { ifAbsent: random.chance(0.7) }) })
    case 3:
    case 4:
      return at("update", target, patch(), options)
    case 5:
      return at("delete", target, {
        ...options,
        ...(!onTodos && random.chance(0.6) && { todos: random.pick(["trash", "keep"]) })
      })
    case 6:
    case 7:
      return at("restore", target, options)
    case 8:
      return at("move", target, { [random.pick(["before", "after"])]: id() }, options)
    case 9:
      return at("get", target)
    case 10:
      return onTodos
        ? at("list", {
            limit: 200,
            ...random.pick([{ completed: true }, { q: "mi" }, { tag: ["x"] }, { deleted: true }])
          })
        : at("list", { limit: 200, sort: random.pick(["position", "-position", "updatedAt"]) })
    case 11:
      return at("complete", target, options)
    case 12:
      return at("reopen", target, options)
    default:
      return at(
        "batch",
        Array.from({ length: 1 + random.int(4) }, () => {
          const one = id()
          const expected = random.chance(0.15) ? { ifRevision: random.pick([...expectations, 1]) } : {}
          return random.pick([
            { op: "create", todo: { title: title(random), ...fields(random, listIds) } },
            { op: "update", id: one, patch: patch(), ...expected },
            { op: "delete", id: one, ...expected }
          ])
        })
      )
  }
}
