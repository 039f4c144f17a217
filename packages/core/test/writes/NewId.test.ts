import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { newId } from "../../src/writes/newId.ts"

// One block of random bytes is enough for 256 ids.
const many = Effect.replicateEffect(newId, 2_000)

it.live("new ids have version 7 and the current time, in ascending order", () =>
  Effect.gen(function* () {
    const before = Date.now()
    const ids = yield* many
    const after = Date.now()

    for (const id of ids) {
      assert.match(id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      const moment = parseInt(id.replace("-", "").slice(0, 12), 16)
      assert.isTrue(moment >= before && moment <= after)
    }
    assert.deepStrictEqual(ids, ids.toSorted())
  })
)

it.live("each id has new random bytes, also after the buffer is used up", () =>
  Effect.gen(function* () {
    // The last eight digits are random. Of 2,000, two are equal in one of 2,000 runs, and three almost never.
    const tails = (yield* many).map((id) => id.slice(-8))
    assert.isAtLeast(new Set(tails).size, tails.length - 2)
  })
)
