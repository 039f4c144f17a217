import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import { makeQueue, queued } from "../../src/database/ConnectionQueue.ts"

it.effect("a statement without a free connection fails after three seconds with the outcome not-applied", () =>
  Effect.gen(function* () {
    const turn = queued(makeQueue(1))
    const first = yield* Effect.forkChild(turn(Effect.never))
    yield* Effect.yieldNow
    const second = yield* Effect.forkChild(Effect.flip(turn(Effect.void)))
    yield* TestClock.adjust("2999 millis")
    assert.isUndefined(second.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.deepInclude(yield* Fiber.join(second), { _tag: "Unavailable", outcome: "not-applied" })
    yield* Fiber.interrupt(first)
    assert.strictEqual(yield* turn(Effect.succeed(1)), 1)
  })
)

it.effect("a statement that fails, is interrupted or times out gives its permit back", () =>
  Effect.gen(function* () {
    const queue = makeQueue(2)
    const turn = queued(queue)
    const waiting = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(turn(Effect.never)))
    yield* Effect.yieldNow
    yield* Effect.forEach(waiting.slice(0, 30), (fiber) => Fiber.interrupt(fiber))
    yield* TestClock.adjust("4 seconds")
    yield* Effect.forEach(waiting, (fiber) => Fiber.interrupt(fiber))
    yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(turn(Effect.fail("no"))))
    yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(turn(Effect.die("no"))))
    assert.isTrue(yield* Semaphore.takeIfAvailable(queue.permits, 2))
    assert.strictEqual(queue.waiting, 0)
  })
)

it.effect("a waiting statement is not overtaken by later ones", () =>
  Effect.gen(function* () {
    const turn = queued(makeQueue(1))
    const order: Array<string> = []
    const run = (name: string) =>
      turn(
        Effect.andThen(
          Effect.sync(() => order.push(name)),
          Effect.yieldNow
        )
      )
    const busy = yield* Effect.forkChild(Effect.repeat(run("busy"), { times: 20 }))
    yield* Effect.yieldNow
    const patient = yield* Effect.forkChild(run("patient"))
    yield* Fiber.join(patient)
    assert.isBelow(order.indexOf("patient"), 4)
    yield* Fiber.join(busy)
  })
)
