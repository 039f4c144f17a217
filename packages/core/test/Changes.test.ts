import { assert, layer } from "@effect/vitest"
import { Changes, CurrentUser, Services, Todos } from "@todo/core"
import { layerDatabase, newUser } from "@todo/core/testing"
import { Effect, Fiber, Layer, Stream } from "effect"

const asNewUser = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provideService(self, CurrentUser, newUser())

layer(Services.layer.pipe(Layer.provideMerge(layerDatabase)), { excludeTestServices: true })("Changes", (it) => {
  it.effect("smoke", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const changes = yield* Changes
      const empty = yield* changes.page({})
      assert.deepInclude(empty, { changes: [], hasMore: false })
      const one = yield* todos.create({ title: "one" })
      const two = yield* todos.create({ title: "two" })
      yield* todos.delete(one.id)
      const all = yield* changes.page({})
      assert.deepStrictEqual(
        all.changes.map((c) => [c.id, c.deleted]),
        [
          [two.id, false],
          [one.id, true]
        ]
      )
      assert.deepStrictEqual(
        (yield* changes.page({ since: empty.nextCursor, limit: 1 })).changes.map((c) => c.id),
        [two.id] as never
      )
      const live = yield* Effect.forkChild(changes.stream({}).pipe(Stream.take(4), Stream.runCollect))
      yield* Effect.sleep("300 millis")
      yield* todos.create({ title: "three" })
      yield* todos.create({ title: "four" })
      const got = yield* Fiber.join(live)
      assert.deepStrictEqual(
        got.map(({ change }) => change.revision),
        [2, 3, 4, 5]
      )
    }).pipe(asNewUser)
  )
})
