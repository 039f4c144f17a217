/** Follows live streams. */
import { Changes, type LiveChange, Lists, Todos } from "@todo/core"
import { Effect, Schedule, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { Random } from "../../../../.config/random.ts"

/** Collects the current user's changes into `got` until the scope closes. */
export const following = Effect.fnUntraced(function* (since?: string) {
  const changes = yield* Changes
  const got: Array<LiveChange> = []
  const fiber = yield* changes.stream(since === undefined ? {} : { since }).pipe(
    Stream.runForEach((change) => Effect.sync(() => got.push(change))),
    Effect.forkScoped
  )
  return { got, fiber }
})

/** Waits until the condition is true. */
export const until = (is: () => boolean) =>
  Effect.suspend(() => (is() ? Effect.void : Effect.fail("not yet" as const))).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis") }),
    Effect.timeout("10 seconds")
  )

/** Makes twelve changes of todos and lists, some of them in a slow transaction. */
export const busy = Effect.fnUntraced(function* (random: Random) {
  const todos = yield* Todos
  const lists = yield* Lists
  const sql = yield* SqlClient.SqlClient
  const pause = Effect.suspend(() => Effect.sleep(random.int(20)))
  const list = yield* lists.create({ name: "a" })
  const one = yield* todos.create({ title: "one", listId: list.id })
  yield* pause
  const two = yield* todos.create({ title: "two" })
  yield* sql.withTransaction(
    Effect.all([todos.complete(one.id), pause, todos.update(two.id, { title: "2" })], { discard: true })
  )
  yield* pause
  yield* todos.delete(one.id)
  yield* pause
  const three = yield* todos.create({ title: "three" })
  yield* todos.move(two.id, { after: three.id })
  yield* lists.delete(list.id)
  yield* pause
  yield* todos.restore(one.id)
  yield* todos.update(three.id, { title: "3" })
})
