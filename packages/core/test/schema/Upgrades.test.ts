import { assert, layer } from "@effect/vitest"
import { Accounts, IdempotencyKey, Lists, Migrations, Services, Todos, UserId } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { readFile } from "node:fs/promises"
import { SqlClient } from "effect/sql"
import { Client } from "pg"
import * as Catalogue from "../../src/schema/Catalogue.ts"
import { asUser } from "../../src/database/UserScopeSql.ts"
import { todoDefaults } from "../../src/domain/TodoDefaults.ts"
import { columnsOfTodo } from "../../src/todos/TodoColumns.ts"
import { asOwner, asSuperuser, runAs } from "../support/connections.ts"
import { exported } from "../support/exports.ts"
import { walkChanges } from "../support/feed.ts"
import { layerPool } from "../support/host.ts"
import { storedWords } from "../../src/todos/SearchWords.ts"
import { ids, live, query, tagOf, walkTodos } from "../support/suite.ts"

/** A dump of a database of an earlier release, or the export of one of its users. */
const fixture = (file: `${number}.sql` | "export.jsonl") =>
  Effect.promise(() => readFile(new URL(`../fixtures/releases/${file}`, import.meta.url), "utf8"))

const run = (url: Redacted.Redacted, script: string) =>
  Effect.promise(async () => {
    const client = new Client(Redacted.value(url))
    await client.connect()
    await client.query(script).finally(() => client.end())
  })

/** The releases by the number of their last migration. */
const releases = [5]

/** Todos of another user, with the search words of those releases. Two todos have the words of this release. */
const spelled = `insert into todo.users (id, revision) values ('cem', 5);
select set_config('todo.user_id', 'cem', false);
insert into todo.todos (owner_id, id, title, title_key, title_words, description, description_words, priority, tags,
  position, revision, created_at, updated_at)
select 'cem', ('01900000-0000-7000-8000-00000000000' || n)::uuid, title, lower(title), title_words, description,
  description_words, 0, '{}', 'a' || n, n, now(), now()
from (values
  (1, '\u260e\ufe0fMom', array['\u260e', '\ufe0fmom'], null, array[]::text[]),
  (2, 'co\u00adoperate', array['co', '\u00ad', 'operate'], 'in \u0130stanbul', array['in', 'i\u0307stanbul']),
  (3, 'Buy milk', array['buy', 'milk'], null, '{}'),
  (4, 'Caf\u00e9', array['caf\u00e9'], null, '{}'),
  (5, 'don\u2019t', array['don', '\u2019', 't'], null, '{}')
) t (n, title, title_words, description, description_words);
insert into todo.todo_words select owner_id, word, id from todo.todos, unnest(title_words || description_words) word
where owner_id = 'cem'`

/** The services on a database of that release, upgraded to this release. */
const upgraded = (release: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { adminUrl, ownerUrl } = yield* TestDatabase
      yield* run(ownerUrl, yield* fixture(`${release}.sql`))
      yield* run(adminUrl, spelled)
      // Moves the times in the dump to now, because keys expire after a day.
      yield* run(adminUrl, "update todo.idempotency_keys set created_at = clock_timestamp()")
      const { migrations } = yield* asOwner(Migrations.up({ runtimeRole: "todo_runtime" }))
      assert.deepStrictEqual(
        migrations.map(({ id }) => id),
        Array.from({ length: Migrations.version - release }, (_, n) => release + 1 + n)
      )
      return Services.layer.pipe(Layer.provideMerge(layerPool(5)))
    })
  ).pipe(Layer.provideMerge(TestDatabase.layerEmpty))

const [ada, disabled, erased, cem] = ["ada|1", "bob", "gone", "cem"].map((id) => UserId.make(id)) as [
  UserId,
  UserId,
  UserId,
  UserId
]
for (const release of releases) {
  layer(upgraded(release), live)(`a database of release ${release}`, (it) => {
    it.effect("an upgraded database has the same schema as a new one", () =>
      Effect.gen(function* () {
        const { here, ours } = yield* asOwner(Catalogue.readBoth("todo"))
        const sorted = (entries: ReadonlyArray<object>) =>
          entries.map((entry) => JSON.stringify({ ...entry, statement: undefined })).toSorted()
        assert.isAtLeast(here.length, 100)
        assert.deepStrictEqual(sorted(here), sorted(ours))
      })
    )

    it.effect("an upgrade keeps every todo and list unchanged", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* exported(ada), yield* fixture("export.jsonl"))
        const { items } = yield* (yield* Todos).list({ q: "milk" })
        assert.deepStrictEqual(
          items.map(({ title }) => title),
          ["Buy milk"]
        )
      }).pipe(runAs({ id: ada }))
    )

    it.effect("an upgrade keeps revisions, the feed, keys, disabled users and erased users", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { revision } = yield* (yield* Accounts).me
        const { cursor } = yield* walkChanges()
        const once = { idempotencyKey: IdempotencyKey.make("once") }
        assert.strictEqual((yield* todos.create({ title: "Under a key" }, once)).revision, revision)
        assert.strictEqual(yield* tagOf(todos.create({ title: "Another" }, once)), "IdempotencyKeyReused")
        const next = yield* todos.create({ title: "after" })
        assert.strictEqual(next.revision, revision + 1)
        assert.deepStrictEqual(ids((yield* walkChanges(cursor)).changes), [next.id])

        const another = todos.create({ title: "another user's" })
        assert.strictEqual(yield* tagOf(runAs({ id: disabled })(another)), "UserDisabled")
        // New users begin after the last revision of the erased user.
        assert.strictEqual((yield* runAs({ id: erased })(another)).revision, 5)
      }).pipe(runAs({ id: ada }))
    )

    it.effect("an upgraded database finds todos by the words of this release, and has no other changes", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        for (const [q, position] of [
          ["mom", "a1"],
          ["cooperate", "a2"],
          ["istanbul", "a2"],
          ["milk", "a3"],
          ["café", "a4"],
          ["don't", "a5"]
        ] as const) {
          const { items } = yield* todos.list({ q, count: true })
          assert.deepStrictEqual(
            items.map((todo) => todo.position),
            [position],
            q
          )
        }
        assert.strictEqual((yield* (yield* Accounts).me).revision, 5)
        const stray = yield* asSuperuser(
          query(`select * from (select owner_id, todo_id, word from todo.todo_words) stored
full join (select t.owner_id, id as todo_id, word from todo.todos t, unnest(${storedWords("t")}) word group by 1, 2, 3) ours
using (owner_id, todo_id, word) where stored is null or ours is null`)
        )
        assert.deepStrictEqual(stray, [])
        const [tags] = yield* asSuperuser(query("select 1 from todo.todo_words where word like ' %' limit 1"))
        assert.isDefined(tags)
      }).pipe(runAs({ id: cem }))
    )

    it.effect("an upgrade recomputes the search words once", () =>
      Effect.gen(function* () {
        const steps: Array<string> = []
        const up = asOwner(Migrations.up({ onStep: (name) => Effect.sync(() => void steps.push(name)) }))
        yield* up
        assert.deepStrictEqual(steps, [])
        const tagged = yield* (yield* Todos).create({ title: "tagged", tags: ["Two words"] })
        const found = Effect.map(walkTodos({ tag: ["Two words"] }), ids)
        const stored = Effect.map(
          asSuperuser(query("select 1 from todo.todo_words where todo_id = $1 and word = ' Two words'", [tagged.id])),
          ({ length }) => length
        )
        assert.deepStrictEqual([yield* found, yield* stored], [[tagged.id], 1])
        yield* asSuperuser(query("delete from todo.search_form"))
        yield* asSuperuser(query("delete from todo.todo_words where word like ' %'"))
        assert.deepStrictEqual([yield* found, yield* stored], [[tagged.id], 0], "before they are renewed")
        yield* up
        assert.deepStrictEqual(steps, ["Renewing the words of search"])
        assert.deepStrictEqual([yield* found, yield* stored], [[tagged.id], 1])
      }).pipe(runAs({ id: UserId.make("dora") }))
    )

    it.effect("an upgraded database answers calls of a server of the earlier release, which may still run", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const call = (id: string) =>
          JSON.stringify({
            kind: "todo",
            op: "put",
            id,
            ifAbsent: true,
            fields: columnsOfTodo({ ...todoDefaults, title: "old" })
          })
        const ids = Array.from({ length: 4 }, () => randomUUID())
        const calls = [
          `todo.write(me.id, '${call(ids[0] ?? "")}')`,
          `todo.write_all(me.id, '[${call(ids[1] ?? "")}]')`,
          `todo.write_once(me.id, '${call(ids[2] ?? "")}', 'an old key', 'print')`,
          `todo.write_held((select u from todo.users u where u.id = me.id for no key update), '${call(ids[3] ?? "")}')`
        ]
        for (const text of calls) {
          const [row] = yield* sql.unsafe(asUser(`select ${text}::text as answer`), [ada]).values
          assert.match(String(row?.[0]), /"created" ?: ?true/, text)
        }
      })
    )

    it.effect("an upgraded database accepts writes to all existing rows", () =>
      Effect.gen(function* () {
        const [todos, lists] = [yield* Todos, yield* Lists]
        for (const { id } of yield* walkTodos({ deleted: true })) yield* todos.restore(id)
        const found = yield* walkTodos({})
        for (const { id } of (yield* lists.list({ deleted: true })).items) yield* lists.restore(id)
        for (const { id, name } of (yield* lists.list({})).items) yield* lists.update(id, { name: `${name}!` })
        for (const [n, { id, title, tags }] of found.entries()) {
          const changed = yield* todos.update(id, { description: `${n}`, tags: [...tags, "kept"] })
          assert.deepInclude(changed, { title, description: `${n}`, tags: [...tags, "kept"] })
        }
        assert.sameMembers(ids(yield* walkTodos({ tag: ["kept"] })), ids(found))
        for (const { id } of found) yield* todos.delete(id)
        assert.deepStrictEqual(yield* walkTodos({}), [])
      }).pipe(runAs({ id: ada }))
    )
  })
}
