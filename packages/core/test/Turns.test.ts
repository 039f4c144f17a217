import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import { inTurn } from "../src/internal/Turns.ts"

it.effect("a statement waits three seconds for a connection, and then says that nothing was done", () =>
  Effect.gen(function* () {
    const turn = inTurn(Semaphore.makeUnsafe(1))
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

it.effect("no turn is lost by those who fail, are interrupted, or give up waiting", () =>
  Effect.gen(function* () {
    const turns = Semaphore.makeUnsafe(2)
    const turn = inTurn(turns)
    const waiting = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(turn(Effect.never)))
    yield* Effect.yieldNow
    yield* Effect.forEach(waiting.slice(0, 30), (fiber) => Fiber.interrupt(fiber))
    yield* TestClock.adjust("4 seconds")
    yield* Effect.forEach(waiting, (fiber) => Fiber.interrupt(fiber))
    yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(turn(Effect.fail("no"))))
    yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(turn(Effect.die("no"))))
    assert.isTrue(yield* Semaphore.takeIfAvailable(turns, 2))
  })
)
