import { assert, describe, layer } from "@effect/vitest"
import { CurrentUser, type ListId, Lists, Migrations, Services, type TodoId, Todos } from "@todo/core"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { Random } from "../../../../.config/random.ts"
import { asSuperuser } from "../support/connections.ts"
import { connect } from "../support/host.ts"
import { asNewUser, ids, live, query, seeded, services, walkTodos } from "../support/suite.ts"

const longest = 64

/** Compares by code unit. For the characters of a key this is the same as by byte. */
const ascending = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const key = (expression: string, ...parameters: ReadonlyArray<unknown>) =>
  Effect.map(query<{ key: string }>(`select ${expression} as key`, parameters), ([row]) => row?.key ?? "")
const last = (revision: number) => key("todo.last_position($1::bigint)", revision)
const first = (revision: number) => key("todo.first_position($1::bigint)", revision)
const between = (low: string, high: string) => key("todo.position_between($1, $2)", low, high)

/** Revisions at which the length of the hexadecimal form changes, and random ones. */
const revisions = (random: Random) =>
  [1, 2, 9, 15, 16, 17, 255, 256, 4095, 4096, 2 ** 32, 2 ** 52].concat(
    Array.from({ length: 60 }, () => random.int(2 ** 30))
  )

/** Makes random moves of 12 todos, and compares them with an array. */
const shuffled = (random: Random, moves: number) =>
  Effect.gen(function* () {
    const todos = yield* Todos
    const order: Array<TodoId> = []
    for (let n = 0; n < 12; n++) order.push((yield* todos.create({ title: `${n}` })).id)
    for (let n = 0; n < moves; n++) {
      const id = random.pick(order)
      const anchor = random.pick(order)
      const before = random.chance(0.5)
      yield* todos.move(id, before ? { before: anchor } : { after: anchor })
      if (id !== anchor) {
        order.splice(order.indexOf(id), 1)
        order.splice(order.indexOf(anchor) + (before ? 0 : 1), 0, id)
      }
      if (n % 10 === 0) assert.deepStrictEqual(ids((yield* todos.list({})).items), order, `after move ${n}`)
    }
    assert.deepStrictEqual(ids((yield* todos.list({})).items), order)
    assert.deepStrictEqual(ids((yield* todos.list({ sort: "-position" })).items), order.toReversed())
  })

/** Moves two todos in turn into the gap after a third one, which makes the longest keys. Returns their maximum length. */
const intoOneGap = (moves: number) =>
  Effect.gen(function* () {
    const todos = yield* Todos
    const rows = yield* todos.batch(
      Array.from({ length: 5 }, (_, n) => ({ op: "create" as const, todo: { title: `${n}` } }))
    )
    const [a, b, c, d, e] = ids(rows)
    const trashed = yield* todos.create({ title: "in the trash" })
    yield* todos.delete(trashed.id)
    let widest = 0
    for (let n = 0; n < moves; n++) {
      const [mover, other] = n % 2 === 0 ? [c, b] : [b, c]
      const moved = yield* todos.move(mover as TodoId, { after: a as TodoId })
      const { items } = yield* todos.list({})
      assert.deepStrictEqual(ids(items), [a, mover, other, d, e], `after move ${n}`)
      const positions = items.map(({ position }) => position)
      assert.deepStrictEqual([...new Set(positions)].toSorted(ascending), positions)
      assert.deepInclude(items, moved)
      widest = Math.max(widest, ...positions.map((position) => position.length))
    }
    return widest
  })

layer(services, live)("order keys", (it) => {
  it.effect("order keys that are spread over a gap are in order, short, and have room between each other", () =>
    Effect.gen(function* () {
      for (const total of [1, 2, 15, 16, 255, 256, 1_000]) {
        const rows = yield* query<{ key: string }>(
          `select todo.position_spread('b1f', place, $1::bigint) as key
           from generate_series(1, $1::bigint) place order by place`,
          [total]
        )
        const keys = rows.map(({ key }) => key)
        assert.lengthOf(keys, total)
        assert.deepStrictEqual(keys.toSorted(ascending), keys)
        assert.strictEqual(new Set(keys).size, total)
        assert.isTrue(keys.every((key) => key > "b1f" && key < "b20" && !key.endsWith("0") && key.length <= 8))
        const [low = "", high = ""] = keys
        if (total > 1) assert.isTrue(low < (yield* between(low, high)) && (yield* between(low, high)) < high)
      }
    })
  )

  it.effect(
    "order keys that became too long are replaced by short ones, and keys outside of the gap do not change",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id } = yield* todos.create({ title: "in front, in the trash" })
        const bystander = yield* todos.delete(id)
        yield* intoOneGap(300)
        assert.deepInclude((yield* todos.list({ deleted: true })).items, bystander)
        const { items } = yield* todos.list({})
        assert.isTrue(items.every(({ position }) => position.length <= longest))
      }).pipe(asNewUser)
  )

  it.effect("keys at the end increase with the revision, and keys at the start decrease, below all others", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const sorted = revisions(random).toSorted((a, b) => a - b)
        const ups = yield* Effect.forEach(sorted, last)
        const downs = yield* Effect.forEach(sorted, first)
        const all = [...downs.toReversed(), ...ups]
        assert.deepStrictEqual(all, all.toSorted(ascending))
        assert.strictEqual(new Set(all).size, new Set(sorted).size * 2)
        for (const position of all) assert.isAtMost(position.length, 17)
      })
    )
  )

  it.effect(
    "a key between two others is strictly between them, does not end in 0, and is at most one digit longer",
    () =>
      seeded((random) =>
        Effect.gen(function* () {
          const ends = yield* Effect.forEach(revisions(random), (n) => (random.chance(0.5) ? last(n) : first(n)))
          const keys = [...new Set(ends)].toSorted(ascending)
          for (let n = 0; n < 600; n++) {
            // Mostly keys that are close together, because there keys grow.
            const at = random.chance(0.8) ? Math.floor(keys.length / 2) : random.int(keys.length - 1)
            const [low, high] = [keys[at] ?? "", keys[at + 1] ?? ""]
            const made = yield* between(low, high)
            assert.isBelow(ascending(low, made), 0, `${low} < ${made} (< ${high})`)
            assert.isBelow(ascending(made, high), 0, `(${low} <) ${made} < ${high}`)
            assert.notMatch(made.slice(1 + width(made)), /0$/, `${low} < ${made} < ${high}`)
            assert.isAtMost(made.length, Math.max(low.length, high.length) + 1)
            keys.splice(at + 1, 0, made)
          }
        })
      )
  )

  it.effect("a key that fits stays the same, and without a neighbour the new key is at an end", () =>
    Effect.gen(function* () {
      const cases = [
        [["a2", "a1", "a3"], "a2"],
        [["a2", null, "a3"], "a2"],
        [["a2", "a1", null], "a2"],
        [["a2", "a3", null], yield* last(9)],
        [["a2", null, "a1"], yield* first(9)],
        [["a1", "a2", "a3"], yield* between("a2", "a3")]
      ] as const
      for (const [neighbours, expected] of cases) {
        assert.strictEqual(yield* key("todo.position_for($1, $2, $3, 9)", ...neighbours), expected)
      }
    })
  )

  it.effect("order keys keep 12 todos in the order of an array through 300 random moves", () =>
    seeded((random) => shuffled(random, 300)).pipe(asNewUser)
  )

  it.effect("order keys are unique and short after 400 moves into one gap", () =>
    Effect.gen(function* () {
      const widest = yield* intoOneGap(400)
      assert.isAtMost(widest, longest)
      // Otherwise no key was replaced, and the test would prove nothing.
      assert.isAtLeast(widest, longest - 1)
    }).pipe(asNewUser)
  )

  it.effect("replaced order keys give each row its own revision without a gap, also in the trash", () =>
    Effect.gen(function* () {
      yield* intoOneGap(300)
      const { id } = yield* CurrentUser
      const rows = yield* asSuperuser(
        query<{ revision: bigint; widest: number }>(
          `select t.revision, u.revision as highest from todo.todos t join todo.users u on u.id = t.owner_id
where t.owner_id = $1 order by t.revision`,
          [id]
        )
      )
      assert.lengthOf(rows, 6)
      assert.strictEqual(new Set(rows.map(({ revision }) => revision)).size, 6)
      const next = yield* Effect.flatMap(Todos, (todos) => todos.create({ title: "next" }))
      assert.strictEqual(BigInt(next.revision), (rows.at(-1)?.revision ?? 0n) + 1n)
    }).pipe(asNewUser)
  )

  it.effect("order keys of lists are unique too", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const made = yield* Effect.forEach(["a", "b", "c", "d"], (name) => lists.create({ name }))
      const [a, b, c, d] = ids(made) as [ListId, ListId, ListId, ListId]
      for (let n = 0; n < 280; n++) {
        const [mover, other] = n % 2 === 0 ? [c, b] : [b, c]
        yield* lists.move(mover, { before: d })
        const { items } = yield* lists.list({})
        assert.deepStrictEqual(ids(items), [a, other, mover, d], `after move ${n}`)
        for (const { position } of items) assert.isAtMost(position.length, longest)
      }
    }).pipe(asNewUser)
  )

  it.effect("order keys are unique under 10 concurrent movers of one user, with creates, deletes and restores", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const rows = yield* todos.batch(
          Array.from({ length: 20 }, (_, n) => ({ op: "create" as const, todo: { title: `${n}` } }))
        )
        yield* Effect.forEach(
          Array.from({ length: 400 }, (_, n) => n),
          Effect.fnUntraced(
            function* (n) {
              const id = random.pick(rows).id
              if (n % 20 === 0) return yield* todos.create({ title: "new" })
              if (n % 21 === 0) return yield* Effect.andThen(todos.delete(id), todos.restore(id))
              // Most moves go into the same gap.
              const anchor = random.chance(0.7) ? rows[3]?.id : random.pick(rows).id
              return yield* todos.move(id, { after: anchor ?? id })
            },
            // One of the two todos may be in the trash.
            Effect.catchTag("TodoNotFound", () => Effect.void)
          ),
          { concurrency: 10, discard: true }
        )
        const all = yield* walkTodos({ limit: 7 })
        assert.strictEqual(all.length, 40)
        const positions = all.map(({ position }) => position)
        assert.deepStrictEqual([...new Set(positions)].toSorted(ascending), positions)
      })
    ).pipe(Effect.provideService(CurrentUser, newUser()))
  )
})

/** The number of characters after the first one in the integer part of a key. */
const width = (position: string): number => {
  const letter = position.charCodeAt(0)
  return letter < 97 ? 91 - letter : letter - 96
}

/** A migrated database with the English collation: "a" comes before "Z", and case and punctuation count last. */
const english = Layer.unwrap(
  Effect.gen(function* () {
    const { adminUrl } = yield* TestDatabase
    const name = `test_${randomUUID().replaceAll("-", "")}`
    const admin = connect({ url: adminUrl, poolSize: 1, unlimited: true })
    const url = new URL(Redacted.value(adminUrl))
    url.pathname = `/${name}`
    const layer = connect({ url: Redacted.make(url.href), poolSize: 4, unlimited: true })
    yield* Effect.acquireRelease(
      Effect.provide(
        query(
          `create database ${name} template template0 locale_provider icu icu_locale 'en' locale 'C' encoding utf8`
        ),
        admin
      ),
      () => Effect.provide(query(`drop database ${name} with (force)`), admin).pipe(Effect.ignore)
    )
    yield* Effect.provide(Migrations.up(), layer)
    return layer
  })
)

describe("in a database that sorts by language", () => {
  const everything = Services.layer.pipe(Layer.provideMerge(english), Layer.provideMerge(TestDatabase.layer))
  layer(everything, live)("order keys", (it) => {
    it.effect("order keys keep the order", () =>
      seeded((random) =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const [row] = yield* sql<{ differs: boolean }>`select 'a' < 'Z' as differs`
          assert.isTrue(row?.differs)
          yield* shuffled(random, 120)
        })
      ).pipe(asNewUser)
    )

    it.effect("order keys are unique after 260 moves into one gap", () =>
      Effect.map(intoOneGap(260), (widest) => assert.isAtMost(widest, longest)).pipe(asNewUser)
    )

    it.effect("titles are sorted by code point", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        for (const title of ["b", "Z", "é", "a-c", "ab", "_", "😀", "中"]) yield* todos.create({ title })
        const sorted = yield* walkTodos({ sort: "title", limit: 3 })
        assert.deepStrictEqual(
          sorted.map(({ title }) => title),
          ["_", "a-c", "ab", "b", "Z", "é", "中", "😀"]
        )
      }).pipe(asNewUser)
    )
  })
})
