import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { newId } from "../../src/writes/newId.ts"

// The bytes of 256 ids are drawn at once.
const many = Effect.replicateEffect(newId, 2_000)

it.live("gives ids of version 7 and of now, each behind the one before", () =>
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

it.live("draws new bytes for each id, also where those drawn at once are used up", () =>
  Effect.gen(function* () {
    // The last eight digits count nothing. Of 2,000 by chance two are alike once in 2,000 runs, and three hardly ever.
    const tails = (yield* many).map((id) => id.slice(-8))
    assert.isAtLeast(new Set(tails).size, tails.length - 2)
  })
)
