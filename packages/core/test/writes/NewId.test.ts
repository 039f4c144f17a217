import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { newId } from "../../src/writes/newId.ts"

// One block of random bytes is enough for 256 ids.
const many = Effect.replicateEffect(newId, 2_000)

it.live("makes ids of version 7 with the current time, in ascending order", () =>
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

it.live("uses new random bytes for each id, also after a block of them is used up", () =>
  Effect.gen(function* () {
    // The last eight digits count nothing. Of 2,000 by chance two are alike once in 2,000 runs, and three hardly ever.
    const tails = (yield* many).map((id) => id.slice(-8))
    assert.isAtLeast(new Set(tails).size, tails.length - 2)
  })
)
