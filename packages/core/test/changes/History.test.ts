import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Random } from "../../../../.config/random.ts"
import { broken, onPool, range } from "../support/clients.ts"
import { asOwner } from "../support/connections.ts"
import { history, Superuser } from "../support/history.ts"
import { asNewUser, live, query, rounds as howMany, seeded } from "../support/suite.ts"

const on = (poolSize: number) => Superuser.layer.pipe(Layer.provideMerge(onPool(poolSize)))

/** Runs histories, each with a new user and its own seed. */
const all = (count: number, purges: boolean, concurrency: number) =>
  seeded((random) =>
    Effect.forEach(
      range(count),
      (n) => {
        const own = new Random(random.int(2 ** 31))
        return Effect.map(asNewUser(history(own, { purges })), ({ followed, table, walked }) => {
          assert.deepStrictEqual(followed, table, `history ${n}: what the reader followed`)
          assert.deepStrictEqual(walked, table, `history ${n}: what a walk found`)
          return table.length
        })
      },
      { concurrency }
    )
  )

const rounds = howMany(25, 500, 5_000)

layer(on(10), live)("the feed, read while writers commit late or roll back", (it) => {
  it.effect(
    `a reader of the feed has the rows of the tables, in ${rounds} random histories`,
    () => Effect.map(all(rounds, false, 8), (sizes) => assert.isAbove(Math.max(...sizes), 5)),
    600_000
  )

  it.effect(
    `a reader of the feed has the rows of the tables despite purges, in ${rounds} random histories`,
    () => all(rounds, true, 8),
    600_000
  )
})

layer(on(2), live)("the feed, read with a pool of 2", (it) => {
  it.effect("a reader of the feed has the rows of the tables, in 20 random histories", () => all(20, true, 2))
})

layer(on(10), live)("with revisions from a sequence", (it) => {
  it.effect("a reader misses a row, so the tests above can fail", () =>
    Effect.gen(function* () {
      yield* asOwner(query("create sequence todo.gap"))
      yield* asOwner(query("grant usage on sequence todo.gap to public"))
      yield* broken("write_as_user", ["for no key update", ""])
      yield* broken(
        "write_locked",
        ["account.revision + 1", "nextval('todo.gap')"],
        ["if outcome.revisions > 0", "perform pg_sleep(random() * 0.005);\n  if outcome.revisions > 0"],
        [
          "revision = revision + outcome.revisions",
          "revision = greatest(revision, (outcome.body->>'revision')::bigint)"
        ]
      )
      const results = yield* Effect.forEach(
        range(60),
        (n) => asNewUser(history(new Random(n), { kinds: ["create"] })),
        { concurrency: 8 }
      )
      const missed = results.filter(({ followed, table }) => followed.length < table.length)
      assert.isAbove(missed.length, 0)
      // Only a concurrent reader misses it. A reader that starts after all writes finds it.
      for (const { table, walked } of results) assert.deepStrictEqual(walked, table)
    })
  )
})
