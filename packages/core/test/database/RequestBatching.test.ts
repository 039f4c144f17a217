import { getHeapSpaceStatistics } from "node:v8"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { batching, type BatchLimits } from "../../src/database/RequestBatching.ts"
import { unbounded } from "../support/connections.ts"

const range = (count: number) => Array.from({ length: count }, (_, n) => n)
/** Waits for a full turn of the event loop. A timer alone may fire before `setImmediate`. */
const turn = Effect.promise(() => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 1)))

/** Records the inputs of each batch. The test ends each batch. */
const held = (limits?: BatchLimits) => {
  const runs: Array<{ readonly given: ReadonlyArray<number>; readonly end: Deferred.Deferred<void, string> }> = []
  const interrupted: Array<ReadonlyArray<number>> = []
  const call = batching((given: ReadonlyArray<number>) => {
    const end = Deferred.makeUnsafe<void, string>()
    runs.push({ given, end })
    return Deferred.await(end).pipe(
      Effect.as(given.map((n) => n * 10)),
      Effect.onInterrupt(() => Effect.sync(() => interrupted.push(given)))
    )
  }, limits)
  const end = (run: number) => Deferred.doneUnsafe(runs[run]?.end ?? assert.fail("no such run"), Exit.void)
  return { call, end, interrupted, runs, given: () => runs.map(({ given }) => given) }
}

it.live("calls of one turn of the event loop share a batch, and each gets its own result", () =>
  Effect.gen(function* () {
    let runs = 0
    const call = batching((given: ReadonlyArray<number>) => {
      runs++
      return Effect.succeed(given.map((n) => n * 10))
    })
    assert.deepStrictEqual(
      yield* Effect.forEach(range(50), call, unbounded),
      range(50).map((n) => n * 10)
    )
    assert.strictEqual(runs, 1)
    assert.strictEqual(yield* call(7), 70)
  })
)

it.live("no more batches run at once than the limit allows", () =>
  Effect.gen(function* () {
    const { call, end, given } = held({ batches: 1 })
    for (const n of range(3)) {
      yield* Effect.forkChild(call(n), { startImmediately: true })
      yield* turn
    }
    assert.deepStrictEqual(given(), [[0]])
    end(0)
    yield* turn
    assert.deepStrictEqual(given(), [[0], [1, 2]])
  })
)

it.live("a batch has no more calls than its limit", () =>
  Effect.gen(function* () {
    const { call, given } = held({ calls: 3 })
    yield* Effect.forEach(range(7), (n) => Effect.forkChild(call(n), { startImmediately: true }))
    yield* turn
    assert.deepStrictEqual(given(), [[0, 1, 2], [3, 4, 5], [6]])
  })
)

it.live("by default a batch has 64 calls, and four batches run at once; waiting calls share the next batch", () =>
  Effect.gen(function* () {
    const { call, end, given, runs } = held()
    const fibers = yield* Effect.forEach(range(300), (n) => Effect.forkChild(call(n), { startImmediately: true }))
    yield* turn
    assert.deepStrictEqual(
      given().map(({ length }) => length),
      [64, 64, 64, 64]
    )
    end(2)
    yield* turn
    assert.deepStrictEqual(runs[4]?.given, range(300).slice(256))
    for (const run of [0, 1, 3, 4]) end(run)
    assert.deepStrictEqual(
      yield* Fiber.joinAll(fibers),
      range(300).map((n) => n * 10)
    )
  })
)

it.live("batches that do not end delay other calls for 100 ms only", () =>
  Effect.gen(function* () {
    const { call, end, given } = held()
    yield* Effect.forEach(range(4), (n) => Effect.andThen(Effect.forkChild(call(n), { startImmediately: true }), turn))
    const waiting = yield* Effect.forkChild(call(4), { startImmediately: true })
    yield* turn
    assert.lengthOf(given(), 4)
    yield* turn.pipe(Effect.repeat({ while: () => given().length < 5 }))
    end(4)
    assert.strictEqual(yield* Fiber.join(waiting), 40)
    // When the slow batches end, the limit is the same as before.
    for (const run of range(4)) end(run)
    yield* turn
    yield* Effect.forEach(range(5), (n) => Effect.andThen(Effect.forkChild(call(n), { startImmediately: true }), turn))
    assert.lengthOf(given(), 9)
  })
)

it.live("a batch that fails makes only its own calls fail", () =>
  Effect.gen(function* () {
    const { call, end, runs } = held()
    const first = yield* Effect.forkChild(Effect.forEach([1, 2], (n) => Effect.flip(call(n)), unbounded))
    yield* turn
    const second = yield* Effect.forkChild(call(3))
    yield* turn
    Deferred.doneUnsafe(runs[0]?.end ?? assert.fail(), Exit.fail("away"))
    assert.deepStrictEqual(yield* Fiber.join(first), ["away", "away"])
    end(1)
    assert.strictEqual(yield* Fiber.join(second), 30)
  })
)

it.live("an interrupted call leaves its batch running; the batch is interrupted with its last call", () =>
  Effect.gen(function* () {
    const { call, end, given, interrupted } = held()
    const [a, b, c] = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkChild(call(n), { startImmediately: true }))
    if (a === undefined || b === undefined || c === undefined) return assert.fail()
    // A call that is interrupted before the batch begins is not part of it.
    yield* Fiber.interrupt(a)
    yield* turn
    assert.deepStrictEqual(given(), [[2, 3]])
    yield* Fiber.interrupt(b)
    end(0)
    assert.strictEqual(yield* Fiber.join(c), 30)
    assert.deepStrictEqual(interrupted, [])

    const alone = yield* Effect.forkChild(call(4), { startImmediately: true })
    yield* turn
    yield* Fiber.interrupt(alone)
    yield* turn
    assert.deepStrictEqual(interrupted, [[4]])
    // The interrupted batch does not count against the limit any more.
    const more = yield* Effect.forkChild(Effect.forEach(range(4), (n) => Effect.andThen(turn, call(n))))
    for (const run of range(4)) {
      yield* turn.pipe(Effect.repeat({ while: () => given().length < run + 3 }))
      end(run + 2)
    }
    assert.deepStrictEqual(yield* Fiber.join(more), [0, 10, 20, 30])
  })
)

it.live("a batch that interrupts one of its own callers as it begins drops none of the waiting calls", () =>
  Effect.gen(function* () {
    const fibers: Array<Fiber.Fiber<number>> = []
    const call = batching((given: ReadonlyArray<number>) =>
      Effect.sync(() => {
        if (given.includes(0)) fibers[0]?.interruptUnsafe()
        return given
      })
    )
    for (const n of range(65)) fibers.push(yield* Effect.forkChild(call(n), { startImmediately: true }))
    assert.deepStrictEqual(yield* Fiber.joinAll(fibers.slice(1)).pipe(Effect.timeout("2 seconds")), range(65).slice(1))
    assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fibers[0] ?? assert.fail("no such fiber"))))
  })
)

const eightKilobytes = () => Array.from({ length: 1_000 }, (_, n) => n)
/** Bytes of V8's old generation in use. */
const oldSpace = () => getHeapSpaceStatistics().find((space) => space.space_name === "old_space")?.space_used_size ?? 0

it.live("requests of calls do not reach the old generation of the garbage collector", () =>
  Effect.gen(function* () {
    const call = batching((given: ReadonlyArray<ReadonlyArray<number>>) => Effect.as(Effect.sleep(1), given))
    // Enough calls that the state shared by all of them is in the old generation.
    for (let n = 0; n < 20_000; n++) eightKilobytes()
    const before = oldSpace()
    let most = 0
    const caller = Effect.gen(function* () {
      for (const n of range(1_000)) {
        yield* call(eightKilobytes())
        if (n % 50 === 0) most = Math.max(most, oldSpace() - before)
      }
    })
    yield* Effect.forEach(range(16), () => caller, unbounded)
    assert.isBelow(most, 16 * 1_024 * 1_024, "of 128 MB of requests")
  })
)
