import { assert, layer } from "@effect/vitest"
import { Accounts, CurrentUser, IdempotencyKey, Lists, Migrations, Services, Todos, UserId } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Redacted } from "effect"
import { readFile } from "node:fs/promises"
import { Client } from "pg"
import * as Catalogue from "../src/admin/Catalogue.ts"
import { asOwner } from "./clients.ts"
import { exported } from "./exports.ts"
import { walk as changesSince } from "./feed.ts"
import { layerPool } from "./host.ts"
import { ids, live, tagOf, walk } from "./suite.ts"

/** A database as an earlier release left it, and the export of one of its users. */
const fixture = (file: `${number}.sql` | "export.jsonl") =>
  Effect.promise(() => readFile(new URL(`fixtures/releases/${file}`, import.meta.url), "utf8"))

const run = (url: Redacted.Redacted, script: string) =>
  Effect.promise(async () => {
    const client = new Client(Redacted.value(url))
    await client.connect()
    await client.query(script).finally(() => client.end())
  })

/** By the numbers of their last migrations. */
const releases = [5]

/** The services on such a database, upgraded to this release. */
const upgraded = (release: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { adminUrl, ownerUrl } = yield* TestDatabase
      yield* run(ownerUrl, yield* fixture(`${release}.sql`))
      // As if that release had stopped just now.
      yield* run(adminUrl, "update todo.idempotency_keys set created_at = clock_timestamp()")
      const { migrations } = yield* asOwner(Migrations.up({ runtimeRole: "todo_runtime" }))
      assert.deepStrictEqual(
        migrations.map(({ id }) => id),
        Array.from({ length: Migrations.version - release }, (_, n) => release + 1 + n)
      )
      return Services.layer.pipe(Layer.provideMerge(layerPool(5)))
    })
  ).pipe(Layer.provideMerge(TestDatabase.layerEmpty))

const [ada, disabled, erased] = [UserId.make("ada|1"), UserId.make("bob"), UserId.make("gone")]
const as = (id: UserId) => Effect.provideService(CurrentUser, { id })

for (const release of releases) {
  layer(upgraded(release), live)(`a database of release ${release}`, (it) => {
    it.effect("has the schema that a new one has", () =>
      Effect.gen(function* () {
        const { here, ours } = yield* asOwner(Catalogue.readBoth("todo"))
        const sorted = (entries: ReadonlyArray<object>) => entries.map((entry) => JSON.stringify(entry)).toSorted()
        assert.isAtLeast(here.length, 100)
        assert.deepStrictEqual(sorted(here), sorted(ours))
      })
    )

    it.effect("has every todo and list as it was", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* exported(ada), yield* fixture("export.jsonl"))
        const { items } = yield* (yield* Todos).list({ q: "milk" })
        assert.deepStrictEqual(
          items.map(({ title }) => title),
          ["Buy milk"]
        )
      }).pipe(as(ada))
    )

    it.effect("goes on from there: numbers, the feed, keys, who is disabled, and who was erased", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { revision } = yield* (yield* Accounts).me
        const { cursor } = yield* changesSince()
        const once = { idempotencyKey: IdempotencyKey.make("once") }
        assert.strictEqual((yield* todos.create({ title: "Under a key" }, once)).revision, revision)
        assert.strictEqual(yield* tagOf(todos.create({ title: "Another" }, once)), "IdempotencyKeyReused")
        const next = yield* todos.create({ title: "after" })
        assert.strictEqual(next.revision, revision + 1)
        assert.deepStrictEqual(ids((yield* changesSince(cursor)).changes), [next.id])

        const another = todos.create({ title: "another user's" })
        assert.strictEqual(yield* tagOf(as(disabled)(another)), "UserDisabled")
        // Behind the last number of the one who was erased, which is where the other begins, too.
        assert.strictEqual((yield* as(erased)(another)).revision, 5)
      }).pipe(as(ada))
    )

    it.effect("takes writes to all that was there", () =>
      Effect.gen(function* () {
        const [todos, lists] = [yield* Todos, yield* Lists]
        for (const { id } of yield* walk({ deleted: true })) yield* todos.restore(id)
        const found = yield* walk({})
        for (const { id } of (yield* lists.list({ deleted: true })).items) yield* lists.restore(id)
        for (const { id, name } of (yield* lists.list({})).items) yield* lists.update(id, { name: `${name}!` })
        for (const [n, { id, title, tags }] of found.entries()) {
          const changed = yield* todos.update(id, { description: `${n}`, tags: [...tags, "kept"] })
          assert.deepInclude(changed, { title, description: `${n}`, tags: [...tags, "kept"] })
        }
        assert.sameMembers(ids(yield* walk({ tag: ["kept"] })), ids(found))
        for (const { id } of found) yield* todos.delete(id)
        assert.deepStrictEqual(yield* walk({}), [])
      }).pipe(as(ada))
    )
  })
}
