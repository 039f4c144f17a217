import { assert, layer } from "@effect/vitest"
import { Lists, type NewTodo, Todo, TodoList, type TodoPatch, Todos } from "@todo/core"
import * as Domain from "@todo/core/domain"
import { Arbitrary, Effect, Schema } from "effect"
import * as arbitraries from "../support/arbitraries.ts"
import { asNewUser, live, seeded, services, walkTodos } from "../support/suite.ts"

const strictly = { errors: "all", onExcessProperty: "error" } as const
const decodesTodo = Schema.decodeUnknownEffect(Todo, strictly)
const decodesList = Schema.decodeUnknownEffect(TodoList, strictly)

/** Values for schemas that cannot generate their own in reasonable time. */
const own: Record<string, Arbitrary.Arbitrary<unknown>> = {
  CalendarDate: arbitraries.date,
  LocalDateTime: arbitraries.localDateTime,
  Instant: arbitraries.instant,
  TimeZone: arbitraries.timeZone,
  Due: Arbitrary.filter(arbitraries.due, (due) => due !== null),
  NewTodo: arbitraries.newTodo,
  TodoPatch: arbitraries.newTodo
}

const fields = ["title", "description", "completed", "priority", "due", "tags", "listId"] as const

/** All 128 sets of fields. */
const subsets = Array.from({ length: 2 ** fields.length }, (_, bits) => fields.filter((_, n) => bits & (1 << n)))

const only = (patch: TodoPatch, subset: ReadonlyArray<string>): TodoPatch =>
  Object.fromEntries(Object.entries(patch).filter(([name]) => subset.includes(name)))

layer(services, live)("properties", (it) => {
  const schemas = Object.entries<unknown>(Domain).filter((entry): entry is [string, Schema.Codec<unknown>] =>
    Schema.isSchema(entry[1])
  )
  for (const [name, schema] of schemas) {
    it.effect(`decoding and encoding the JSON of ${name} returns the same JSON`, () =>
      seeded((random) =>
        Effect.gen(function* () {
          const seed = random.int(2 ** 30)
          const values = yield* Arbitrary.sampleEffect(own[name] ?? Arbitrary.schema(schema), {
            count: 60,
            maxDiscards: 100_000,
            seed
          })
          for (const value of values) {
            const json: unknown = JSON.parse(JSON.stringify(yield* Schema.encodeUnknownEffect(schema)(value)))
            const decoded = yield* Schema.decodeUnknownEffect(schema, strictly)(json)
            assert.deepStrictEqual(yield* Schema.encodeUnknownEffect(schema)(decoded), json)
          }
        })
      )
    )
  }

  it.effect("a patch of any set of fields changes those fields and no others", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const lists = yield* Lists
        const listIds = [null, (yield* lists.create({ name: "a" })).id, (yield* lists.create({ name: "b" })).id]
        const seed = random.int(2 ** 30)
        const all = yield* Arbitrary.sampleEffect(arbitraries.newTodo, { count: 2 * subsets.length, seed })
        yield* Effect.forEach(
          subsets,
          Effect.fnUntraced(function* (subset, n) {
            const values = (at: number) => ({ ...all[at], listId: random.pick(listIds) }) as Required<TodoPatch>
            const given = values(2 * n)
            const patch = only(values(2 * n + 1), subset)
            const was = yield* todos.create(given)
            assert.deepInclude(was, given)
            const is = yield* todos.update(was.id, patch)
            const changed = Object.entries(patch).some(
              ([name, value]) => JSON.stringify(value) !== JSON.stringify(given[name as keyof TodoPatch])
            )
            const completedAt = !is.completed ? null : was.completed ? was.completedAt : is.updatedAt
            assert.deepStrictEqual(is, {
              ...was,
              ...patch,
              completedAt,
              revision: changed ? is.revision : was.revision,
              updatedAt: changed ? is.updatedAt : was.updatedAt
            })
            if (changed) assert.isAbove(is.revision, was.revision)
            assert.deepStrictEqual(yield* todos.get(was.id), is)
            yield* decodesTodo(is)
          }),
          { concurrency: 4, discard: true }
        )
      })
    ).pipe(asNewUser)
  )

  it.effect(
    "a put of the current fields changes nothing, and any other put replaces all fields that a client may set",
    () =>
      seeded((random) =>
        Effect.gen(function* () {
          const todos = yield* Todos
          const seed = random.int(2 ** 30)
          const all = yield* Arbitrary.sampleEffect(arbitraries.newTodo, { count: 120, seed })
          const { id } = yield* todos.create({ title: "start" })
          for (const [n, full] of all.entries()) {
            const given: NewTodo = { title: full.title, ...only(full, subsets[n % subsets.length] ?? []) }
            const { todo } = yield* todos.put(id, given)
            const defaults = { description: null, completed: false, due: null, tags: [], listId: null }
            assert.deepInclude(todo, { ...defaults, priority: "none", ...given })
            assert.deepStrictEqual((yield* todos.put(id, given)).todo, todo)
          }
        })
      ).pipe(asNewUser)
  )

  it.effect("every row that the database returns is a todo or list of the strict schema", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const lists = yield* Lists
        const seed = random.int(2 ** 30)
        const all = yield* Arbitrary.sampleEffect(arbitraries.newTodo, { count: 150, seed })
        for (const [n, given] of all.entries()) {
          const { id: listId } = yield* lists.create({ name: `${n}` })
          const { id } = yield* todos.create({ ...given, listId })
          if (n % 3 === 0) yield* todos.delete(id)
          if (n % 5 === 0) yield* lists.delete(listId, { todos: "keep" })
        }
        for (const deleted of [true, false]) {
          for (const todo of yield* walkTodos({ deleted, limit: 200 })) yield* decodesTodo(todo)
          for (const list of (yield* lists.list({ deleted, limit: 200 })).items) yield* decodesList(list)
        }
      })
    ).pipe(asNewUser)
  )
})
