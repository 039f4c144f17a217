import { randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Migrations, SchemaName } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Clock, Effect, Redacted } from "effect"
import { examineServer, messagesOf, problemsOf, run } from "../../support/doctor.ts"
import { connect } from "../../support/host.ts"

/** Runs doctor for a server that connects to the test database with `url`. */
const examine = (url: Redacted.Redacted, environment?: Readonly<Record<string, string>>) =>
  Effect.flatMap(TestDatabase, ({ ownerUrl }) => examineServer(url, ownerUrl, environment))

/** A test with its own database, which it may damage. */
const withOwnDatabase = Effect.provide(TestDatabase.layer)

describe("Doctor", () => {
  it.live("doctor passes a healthy database and leaves no rows in it", () =>
    Effect.gen(function* () {
      const { adminUrl, url } = yield* TestDatabase
      const findings = yield* examine(url)
      assert.deepStrictEqual(messagesOf(findings), [])
      assert.deepStrictEqual(
        [...new Set(findings.map(({ check }) => check))],
        [
          "settings",
          "connection",
          "server version",
          "encoding",
          "writes",
          "clocks",
          "pooler",
          "schema version",
          "runtime role",
          "rights",
          "other paths",
          "durability",
          "role settings",
          "row-level security",
          "schema",
          "isolation"
        ]
      )
      const [users, todos] = yield* run(adminUrl, ["select from todo.users", "select from todo.todos"])
      assert.deepStrictEqual([users?.length, todos?.length], [0, 0])
    }).pipe(withOwnDatabase)
  )

  const faults: ReadonlyArray<readonly [fault: string, statement: string, found: ReadonlyArray<string>]> = [
    [
      "row-level security is off",
      "alter table todo.todos disable row level security",
      [
        "row-level security: is off on todos",
        "isolation: a statement that forgets the owner reaches another user's todo",
        "isolation: a statement without a user reaches the todo"
      ]
    ],
    [
      "row-level security is not forced",
      "alter table todo.lists no force row level security",
      ["row-level security: is not forced on lists"]
    ],
    [
      "a policy is missing",
      "drop policy own_rows on todo.lists",
      [
        "row-level security: has no policy on lists for select, insert, update, delete: such statements find no row",
        "schema: policy own_rows on lists is missing"
      ]
    ],
    [
      "a policy no longer covers a command",
      `drop policy own_rows on todo.lists;
       create policy own_rows on todo.lists for select using (owner_id = nullif(current_setting('todo.user_id', true), ''))`,
      [
        "row-level security: has no policy on lists for insert, update, delete: such statements find no row",
        "row-level security: policy own_rows on lists differs from that of this release: permissive for r to public using (owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))"
      ]
    ],
    [
      "a policy was widened",
      `alter policy own_rows on todo.lists using (owner_id = nullif(current_setting('todo.user_id', true), '') or name = 'shared')`,
      [
        "row-level security: policy own_rows on lists differs from that of this release: permissive for * to public using (owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text) OR name = 'shared'::text) check (owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))"
      ]
    ],
    ["an index is missing", "drop index todo.todos_by_list", ["schema: index todos_by_list on todos is missing"]],
    [
      "an index has another definition",
      "drop index todo.todos_by_title;\ncreate index todos_by_title on todo.todos (title_key)",
      [
        "schema: index todos_by_title on todos is CREATE INDEX todos_by_title ON todos USING btree (title_key), and not CREATE INDEX todos_by_title ON todos USING btree (owner_id, title_key, id)"
      ]
    ],
    [
      "a column was changed",
      "alter table todo.lists alter column name type varchar(100)",
      [
        "schema: column lists.name is character varying(100) not null, and not text not null",
        "schema: constraint lists_name_check on lists is CHECK (char_length(name::text) >= 1 AND char_length(name::text) <= 200), and not CHECK (char_length(name) >= 1 AND char_length(name) <= 200)"
      ]
    ],
    [
      "a column has lost not null",
      "alter table todo.todos alter column title drop not null",
      ["schema: column todos.title is text, and not text not null"]
    ],
    [
      "a column has another collation",
      "alter table todo.todos alter column title_key type text",
      ['schema: column todos.title_key is text not null, and not text collate "C" not null']
    ],
    [
      "a column is missing",
      "alter table todo.idempotency_keys drop column fingerprint",
      ["schema: column idempotency_keys.fingerprint is missing"]
    ],
    [
      "a constraint is missing",
      "alter table todo.todos drop constraint todos_owner_id_list_id_fkey",
      ["schema: constraint todos_owner_id_list_id_fkey on todos is missing"]
    ],
    [
      "a constraint is added",
      "alter table todo.todos add constraint no_milk check (title <> 'milk')",
      ["schema: constraint no_milk on todos is not ours: it may refuse writes"]
    ],
    [
      "a function has another body",
      "create or replace function todo.instant(moment timestamptz) returns text language sql stable as $$ select moment::text $$",
      ["schema: function instant(moment timestamp with time zone) differs from that of this release"]
    ],
    [
      "a function runs as its owner",
      "alter function todo.write(text, jsonb) security definer",
      ["schema: function write(me text, op jsonb) differs from that of this release"]
    ],
    [
      "a trigger is added",
      `create function todo.shout() returns trigger language plpgsql as 'begin new.title := upper(new.title); return new; end';
       create trigger shout before insert on todo.todos for each row execute function todo.shout()`,
      ["schema: trigger shout on todos is not ours"]
    ],
    [
      "a policy lets every user read",
      "create policy everybody on todo.todos for select using (true)",
      [
        'row-level security: is weakened on todos by policy "everybody"',
        "isolation: a statement that forgets the owner reaches another user's todo",
        "isolation: a statement without a user reaches the todo"
      ]
    ],
    [
      "a policy lets every user write",
      "create policy everybody on todo.users for insert with check (true)",
      ['row-level security: is weakened on users by policy "everybody"']
    ],
    [
      "a table of a later release has no row-level security",
      "create table todo.later (owner_id text primary key)",
      [
        "row-level security: is off on later",
        "row-level security: is not forced on later",
        "row-level security: has no policy on later for select, insert, update, delete: such statements find no row"
      ]
    ],
    [
      "the server's role may create tables",
      "grant create on schema todo to todo_runtime",
      ['rights: "todo_runtime" has CREATE on schema todo']
    ],
    [
      "a migration is missing",
      `delete from todo.migrations where id = ${Migrations.version}`,
      [
        `schema version: "todo" is at version ${Migrations.version - 1}, this release needs version ${Migrations.version}`,
        "schema: not compared with the schema of this release, because the schema has another version",
        "isolation: not probed, because the schema has another version"
      ]
    ],
    [
      "the database is ahead",
      `insert into todo.migrations (id, name) values (${Migrations.version + 1}, 'next')`,
      [
        `schema version: "todo" is at version ${Migrations.version + 1}, this release needs version ${Migrations.version}`,
        "schema: not compared with the schema of this release, because the schema has another version",
        "isolation: not probed, because the schema has another version"
      ]
    ],
    [
      "the server's role lacks a right",
      "revoke insert on todo.users from todo_runtime",
      ['rights: "todo_runtime" lacks INSERT on users', "isolation: not probed, because the role cannot run a server"]
    ]
  ]
  for (const [fault, statement, found] of faults) {
    it.live(`doctor finds that ${fault}, and its statements repair it`, () =>
      Effect.gen(function* () {
        const { ownerUrl, url } = yield* TestDatabase
        yield* run(ownerUrl, statement.split(/;\n/))
        const findings = yield* examine(url)
        assert.deepStrictEqual(messagesOf(findings), found)
        for (const { hint, status } of findings) assert.strictEqual(hint === undefined, status === "passed")
        if (found.some((line) => line.startsWith("schema version"))) return
        yield* run(
          ownerUrl,
          findings.flatMap(({ statements = [] }) => statements)
        )
        assert.deepStrictEqual(messagesOf(yield* examine(url)), [])
      }).pipe(withOwnDatabase)
    )
  }

  it.live("doctor finds a role that bypasses row-level security", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl, url } = yield* TestDatabase
      const name = `doctor_${randomUUID().slice(0, 8)}`
      const as = (role: string) => Redacted.make(Redacted.value(url).replace("todo_runtime", role))
      yield* Effect.acquireUseRelease(
        run(adminUrl, [
          `create role ${name}_bypass login bypassrls in role todo_runtime`,
          `create role ${name}_member login in role todo_runtime, ${name}_bypass`
        ]),
        () =>
          Effect.gen(function* () {
            const [superuser] = messagesOf(yield* examine(adminUrl))
            assert.strictEqual(superuser, 'runtime role: "postgres" is a superuser and bypasses row-level security')
            const [owner] = messagesOf(yield* examine(ownerUrl, { TODO_MIGRATE_URL: Redacted.value(adminUrl) }))
            assert.match(
              owner ?? "",
              /^runtime role: "todo_owner" owns .*\blists\b.*\btodos\b.* and can switch row-level security off$/
            )
            const [bypass] = messagesOf(yield* examine(as(`${name}_bypass`)))
            assert.strictEqual(bypass, `runtime role: "${name}_bypass" has BYPASSRLS: it bypasses row-level security`)
            const [member] = messagesOf(yield* examine(as(`${name}_member`)))
            assert.strictEqual(
              member,
              `runtime role: "${name}_member" is a member of "${name}_bypass", which bypasses row-level security`
            )
          }),
        () => run(adminUrl, [`drop role ${name}_member, ${name}_bypass`])
      )
    }).pipe(withOwnDatabase)
  )

  it.live("doctor only warns if one role serves and migrates", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const problems = problemsOf(yield* examine(ownerUrl))
      assert.deepStrictEqual(
        problems.map(({ check, status }) => [check, status]),
        [["runtime role", "warning"]]
      )
      assert.match(problems[0]?.detail ?? "", /only FORCE applies/)
    }).pipe(withOwnDatabase)
  )

  it.live("doctor finds clocks that differ, whichever is ahead", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const clock = yield* Clock.Clock
      const shifted = (milliseconds: number) =>
        Effect.map(
          Effect.provideService(
            examine(url),
            Clock.Clock,
            Object.create(clock, {
              currentTimeMillis: { value: Effect.map(clock.currentTimeMillis, (now) => now + milliseconds) }
            })
          ),
          messagesOf
        )
      const [ahead] = yield* shifted(-7_000)
      assert.match(ahead ?? "", /^clocks: the database is [67]\.\d seconds ahead of this machine: tokens, due dates/)
      const [behind] = yield* shifted(7_000)
      assert.match(behind ?? "", /^clocks: the database is [67]\.\d seconds behind this machine/)
      assert.deepStrictEqual(yield* shifted(1_000), [])
    }).pipe(withOwnDatabase)
  )

  it.live("doctor compares the schema as the owner if the role may not create temporary tables, or warns", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl, url } = yield* TestDatabase
      yield* run(adminUrl, [
        `revoke temporary on database ${new URL(Redacted.value(url)).pathname.slice(1)} from public`
      ])
      assert.deepStrictEqual(messagesOf(yield* examine(url)), [])
      yield* run(ownerUrl, ["drop index todo.todos_by_list"])
      assert.deepStrictEqual(messagesOf(yield* examine(url)), ["schema: index todos_by_list on todos is missing"])
      assert.deepStrictEqual(messagesOf(yield* examine(url, { TODO_MIGRATE_URL: Redacted.value(url) })), [
        "schema: not compared with the schema of this release, because the role may not create temporary tables"
      ])
    }).pipe(withOwnDatabase)
  )

  it.live("doctor passes a schema with another name", () =>
    Effect.gen(function* () {
      const { ownerUrl, url } = yield* TestDatabase
      yield* Migrations.up({ runtimeRole: "todo_runtime" }).pipe(
        Effect.provideService(SchemaName, "digits"),
        Effect.provide(connect({ url: ownerUrl, poolSize: 1 }))
      )
      assert.deepStrictEqual(messagesOf(yield* examine(url, { TODO_SCHEMA: "digits" })), [])
    }).pipe(withOwnDatabase)
  )

  it.live("doctor names invalid and unknown settings without their values", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const problems = yield* examine(url, {
        TODO_JWT_SECRET: "hunter2",
        TODO_DATABASE_POOL: "many",
        TODO_JWT_SECRT: "hunter2",
        TODO_MIGRATE: ""
      })
      assert.deepStrictEqual(
        messagesOf(problems).map((line) => line.split(" ").slice(0, 2).join(" ")),
        ["settings: TODO_DATABASE_POOL:", "settings: TODO_JWT_SECRET:", "settings: TODO_JWT_SECRT"]
      )
      assert.notMatch(JSON.stringify(problems), /hunter2/)
    }).pipe(withOwnDatabase)
  )

  it.live("a setting that keeps a server from starting is a failure in production and a warning elsewhere", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const settings = (environment: Record<string, string>) =>
        Effect.map(examine(url, environment), (findings) =>
          findings.flatMap(({ check, detail, status }) => (check === "settings" ? [`${status}: ${detail}`] : []))
        )
      const enough = "passed: the settings are valid, and a server can start with them"
      assert.deepStrictEqual(yield* settings({}), [enough])
      assert.deepStrictEqual(yield* settings({ NODE_ENV: "production" }), [enough])
      const [elsewhere] = yield* settings({ TODO_JWT_SECRET: "" })
      assert.match(elsewhere ?? "", /^warning: a server would not start: TODO_JWT_SECRET is not set: tokens are/)
      const [production] = yield* settings({ TODO_JWT_ISSUER: "", NODE_ENV: "production" })
      assert.match(production ?? "", /^failed: a server would not start: TODO_JWT_ISSUER is not set/)
      const [open] = yield* settings({ TODO_JWT_AUDIENCE: "", HOST: "0.0.0.0" })
      assert.match(open ?? "", /^failed: a server would not start: TODO_JWT_AUDIENCE is not set/)
      const [both] = yield* settings({ TODO_JWKS_URL: "https://issuer.example/keys" })
      assert.match(
        both ?? "",
        /^failed: a server would not start: TODO_JWT_SECRET, TODO_JWKS_URL: set only one of them/
      )
    }).pipe(withOwnDatabase)
  )

  it.live("doctor says why a connection fails", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const as = (change: (url: URL) => void) => {
        const changed = new URL(Redacted.value(url))
        change(changed)
        return Effect.map(examine(Redacted.make(changed.href)), messagesOf)
      }
      const [nobody, nowhere, missing] = yield* Effect.all([
        as((url) => (url.username = "nobody_at_all")),
        as((url) => (url.port = "1")),
        as((url) => (url.pathname = "/missing"))
      ])
      const plain = yield* as((url) => url.searchParams.set("sslmode", "require"))
      assert.match(plain.join(), /^connection: cannot connect to .*does not support TLS/)
      const problems = yield* as((url) => url.searchParams.set("sslmode", "requre"))
      assert.match(problems.join(), /^settings: DATABASE_URL: sslmode: must be one of disable/)
      assert.match(nobody.join(), /^connection: cannot connect to .*role "nobody_at_all" does not exist$/)
      assert.match(nowhere.join(), /^connection: cannot connect to 127.0.0.1:1\/.*ECONNREFUSED/)
      assert.match(missing.join(), /^connection: cannot connect to .*database "missing" does not exist$/)
    }).pipe(withOwnDatabase)
  )
})
