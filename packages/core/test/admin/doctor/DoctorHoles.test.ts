/**
 * Ways to bypass the isolation of users, each created in a real database. doctor must name each of them, and must find
 * nothing after the statements of its findings have run.
 */
import { randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Migrations } from "@todo/core"
import type { Finding } from "@todo/core/admin"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { examineServer, messagesOf, problemsOf, run } from "../../support/doctor.ts"

/** The roles of a test: that of the server, and two of the host. All databases of a server share their roles. */
interface Roles {
  readonly runtime: string
  readonly other: string
  /** A role with members. */
  readonly group: string
  readonly database: string
}

const withRoles = <A, E>(
  use: (roles: Roles, examine: Effect.Effect<ReadonlyArray<Finding>>) => Effect.Effect<A, E, TestDatabase>
) =>
  Effect.gen(function* () {
    const { adminUrl, ownerUrl, url } = yield* TestDatabase
    const name = randomUUID().slice(0, 8)
    const roles = {
      runtime: `doctor_${name}`,
      other: `doctor_other_${name}`,
      group: `doctor_group_${name}`,
      database: new URL(Redacted.value(url)).pathname.slice(1)
    }
    const all = `${roles.runtime}, ${roles.other}, ${roles.group}`
    const as = new URL(Redacted.value(url))
    as.username = roles.runtime
    const examine = examineServer(Redacted.make(as.href), ownerUrl)
    return yield* Effect.acquireUseRelease(
      run(adminUrl, [
        `create role ${roles.runtime} login`,
        `create role ${roles.other}`,
        `create role ${roles.group}`,
        ...Migrations.grants("todo", roles.runtime)
      ]),
      () => use(roles, examine),
      () =>
        Effect.orDie(
          run(adminUrl, [
            `reassign owned by ${all} to current_user`,
            `drop owned by ${all} cascade`,
            `drop role ${all}`
          ])
        )
    )
  }).pipe(Effect.provide(TestDatabase.layer))

type Hole = readonly [hole: string, make: (roles: Roles) => ReadonlyArray<string>, found: RegExp, minimum?: number]

const shop = ["create schema if not exists shop", "grant usage on schema shop to public"]

/** The holes of a batch are created together in a new database. */
const batches: Readonly<Record<string, ReadonlyArray<Hole>>> = {
  "rights that a server does not need": [
    [
      "PUBLIC may read todos",
      () => ["grant select on todo.todos to public"],
      /^rights: PUBLIC has SELECT on todo.todos$/
    ],
    [
      "the role may delete users",
      ({ runtime }) => [`grant delete on todo.users to ${runtime}`],
      /^rights: "doctor_\w+" has DELETE on todo.users$/
    ],
    [
      "the role may truncate todos and create triggers on them",
      ({ runtime }) => [`grant truncate, trigger, references on todo.todos to ${runtime}`],
      /^rights: "doctor_\w+" has REFERENCES, TRIGGER, TRUNCATE on todo.todos$/
    ],
    [
      "PUBLIC may read one column",
      () => ["grant select (title) on todo.todos to public"],
      /^rights: PUBLIC has SELECT \(title\) on todo.todos$/
    ],
    [
      "the role may change a column of the table migrations",
      ({ runtime }) => [`grant update (name), insert (name) on todo.migrations to ${runtime}`],
      /^rights: "doctor_\w+" has INSERT, UPDATE \(name\) on todo.migrations$/
    ],
    [
      "the role may read the table erasures",
      ({ runtime }) => [`grant select on todo.erasures to ${runtime}`],
      /^rights: "doctor_\w+" has SELECT on todo.erasures$/
    ],
    [
      "the role may grant its rights to others, and did",
      ({ other, runtime }) => [
        `grant insert on todo.todos to ${runtime} with grant option`,
        `set role ${runtime}`,
        `grant insert on todo.todos to ${other}`,
        "reset role"
      ],
      /^rights: "doctor_\w+" may grant INSERT on todo.todos to others$/
    ],
    [
      "a role other than the owner granted the right",
      ({ other, runtime }) => [
        `grant usage on schema todo to ${other}`,
        `grant delete on todo.todos to ${other} with grant option`,
        `set role ${other}`,
        `grant delete on todo.todos to ${runtime}`,
        "reset role"
      ],
      /^rights: "doctor_\w+" has DELETE on todo.todos$/
    ],
    [
      "a group of the role may delete",
      ({ group, runtime }) => [`grant ${group} to ${runtime}`, `grant delete on todo.lists to ${group}`],
      /^rights: "doctor_group_\w+" has DELETE on todo.lists$/
    ],
    [
      "PUBLIC may use the schema",
      () => ["grant usage on schema todo to public"],
      /^rights: PUBLIC has USAGE on schema todo, one of the two rights/
    ],
    [
      "the role may create objects in the schema",
      ({ runtime }) => [`grant create on schema todo to ${runtime}`],
      /^rights: "doctor_\w+" has CREATE on schema todo$/
    ],
    [
      "the role gets rights on future tables",
      ({ runtime }) => [
        `alter default privileges for role todo_owner in schema todo grant select, delete on tables to ${runtime}`
      ],
      /^rights: default privileges give DELETE, SELECT on every new table of todo_owner to doctor_/
    ],
    [
      "PUBLIC gets rights on future tables of every schema",
      () => ["alter default privileges for role todo_owner grant select on tables to public"],
      /^rights: default privileges give SELECT on every new table of todo_owner to PUBLIC/
    ],
    [
      "the role may read samples of columns in statistics",
      ({ runtime }) => [`grant select on pg_catalog.pg_statistic to ${runtime}`],
      /^rights: "doctor_\w+" has SELECT on pg_statistic$/
    ],
    [
      "the role may read files of the server",
      ({ runtime }) => [`grant execute on function pg_catalog.pg_read_file(text) to ${runtime}`],
      /^rights: "doctor_\w+" has EXECUTE on function pg_catalog.pg_read_file\(/
    ]
  ],
  "a group that the role does not inherit from, and CREATE for PUBLIC": [
    [
      "it is one `set role` away",
      ({ group, runtime }) => [
        `alter role ${runtime} noinherit`,
        `grant ${group} to ${runtime}`,
        `grant truncate on todo.lists to ${group}`
      ],
      /^rights: "doctor_group_\w+" has TRUNCATE on todo.lists$/
    ],
    [
      "PUBLIC may create objects in the schema",
      () => ["grant create on schema todo to public"],
      /^rights: PUBLIC has CREATE on schema todo$/
    ]
  ],
  "missing grants, as after a restore": [
    [
      "every right is missing",
      ({ runtime }) => [
        `revoke all on all tables in schema todo from ${runtime}`,
        `revoke all on all functions in schema todo from ${runtime}`,
        `revoke all on schema todo from ${runtime}`
      ],
      /^rights: "doctor_\w+" lacks USAGE on schema todo; .*INSERT, SELECT, UPDATE on lists; /
    ]
  ],
  "single grants that are missing": [
    [
      "a right on a table and a right on a function are missing",
      ({ runtime }) => [
        `revoke insert on todo.users from ${runtime}`,
        `revoke execute on function todo.write(text, jsonb) from public, ${runtime}`
      ],
      /^rights: "doctor_\w+" lacks INSERT on users; EXECUTE on write\(/
    ]
  ],
  "attributes and memberships of the role": [
    [
      "it has BYPASSRLS",
      ({ runtime }) => [`alter role ${runtime} bypassrls`],
      /^runtime role: "doctor_\w+" has BYPASSRLS/
    ],
    [
      "it may copy the database",
      ({ runtime }) => [`alter role ${runtime} replication`],
      /^runtime role: "doctor_\w+" has REPLICATION/
    ],
    [
      "it can become a superuser, in two steps",
      ({ group, runtime }) => [`grant postgres to ${group}`, `grant ${group} to ${runtime}`],
      /^runtime role: "doctor_\w+" is a member of "postgres", which bypasses row-level security$/
    ],
    ...["pg_read_all_data", "pg_write_all_data", "pg_read_server_files", "pg_execute_server_program"].map(
      (predefined): Hole => [
        `it is a member of ${predefined}`,
        ({ runtime }) => [`grant ${predefined} to ${runtime}`],
        new RegExp(`^runtime role: "doctor_\\w+" is a member of "${predefined}", which may `)
      ]
    ),
    [
      "it is a member of pg_maintain",
      ({ runtime }) => [`grant pg_maintain to ${runtime}`],
      /^runtime role: "doctor_\w+" is a member of "pg_maintain", which may lock/,
      17
    ],
    [
      "it may grant itself another role",
      ({ other, runtime }) => [
        `alter role ${other} bypassrls`,
        `grant ${other} to ${runtime} with admin true, inherit false, set false`
      ],
      /^runtime role: "doctor_\w+" is a member of "doctor_other_\w+", which bypasses row-level security$/,
      16
    ]
  ],
  "a membership in a role with BYPASSRLS": [
    [
      "the role is a member of a role with BYPASSRLS",
      ({ other, runtime }) => [`alter role ${other} bypassrls`, `grant ${other} to ${runtime}`],
      /^runtime role: "doctor_\w+" is a member of "doctor_other_\w+", which bypasses row-level security$/
    ]
  ],
  "objects that belong to the wrong role": [
    [
      "a table, the schema and a function belong to the role that serves",
      ({ runtime }) => [
        `alter table todo.lists owner to ${runtime}`,
        `alter schema todo owner to ${runtime}`,
        `alter function todo.write(text, jsonb) owner to ${runtime}`
      ],
      /^runtime role: "doctor_\w+" owns lists, schema "todo", write\(.*\) and can switch row-level security off$/
    ],
    [
      "a table belongs to another role",
      ({ other }) => [`alter table todo.todos owner to ${other}`],
      /^runtime role: todos belongs to doctor_other_\w+, and not to todo_owner as the other tables do$/
    ],
    [
      "the function of erased users belongs to another role",
      ({ other }) => [`alter function todo.first_revision() owner to ${other}`],
      /^runtime role: first_revision\(\) belongs to doctor_other_\w+, and not to todo_owner/
    ],
    [
      "the database belongs to the role that serves",
      ({ database, runtime }) => [`alter database ${database} owner to ${runtime}`],
      /^runtime role: "doctor_\w+" owns database "test_\w+" and can drop it$/
    ]
  ],
  "views, rules and tables that bypass rights": [
    [
      "a superuser's view",
      ({ runtime }) => [
        ...shop,
        "create view shop.board as select * from todo.todos",
        `grant select on shop.board to ${runtime}`
      ],
      /^other paths: view shop.board leads to todos as "postgres", which bypasses row-level security$/
    ],
    [
      "a view in our schema that PUBLIC may read",
      () => ["create view todo.board as select title from todo.todos", "grant select on todo.board to public"],
      /^other paths: view todo.board leads to todos as "postgres"/
    ],
    [
      "a view with one readable column",
      ({ runtime }) => [
        ...shop,
        "create view shop.titles as select title from todo.todos",
        `grant select (title) on shop.titles to ${runtime}`
      ],
      /^other paths: view shop.titles leads to todos/
    ],
    [
      "a view that allows only deletes",
      ({ runtime }) => [
        ...shop,
        "create view shop.bin as select * from todo.lists",
        `grant delete on shop.bin to ${runtime}`
      ],
      /^other paths: view shop.bin leads to lists/
    ],
    [
      "a view of the owner of the tables",
      ({ runtime }) => [
        ...shop,
        "create view shop.people as select id from todo.users",
        "alter view shop.people owner to todo_owner",
        `grant select on shop.people to ${runtime}`
      ],
      /^other paths: view shop.people leads to users as "todo_owner", which has the rights of the owner of the tables/
    ],
    [
      "a view on a view",
      ({ other, runtime }) => [
        ...shop,
        "create view shop.lower_one as select * from todo.todos",
        `grant select on shop.lower_one to ${other}`,
        "create view shop.upper_one as select title from shop.lower_one",
        `alter view shop.upper_one owner to ${other}`,
        `grant select on shop.upper_one to ${runtime}`
      ],
      /^other paths: view shop.upper_one leads to todos as "postgres" \(through shop.lower_one\)/
    ],
    [
      "a materialized view",
      ({ runtime }) => [
        ...shop,
        "create materialized view shop.kept as select * from todo.todos",
        `grant select on shop.kept to ${runtime}`
      ],
      /^other paths: materialized view shop.kept stores rows of todos without row-level security/
    ],
    [
      "a view on a materialized view, whoever queries it",
      ({ runtime }) => [
        ...shop,
        "create materialized view shop.hidden as select * from todo.todos",
        "create view shop.shown as select title from shop.hidden",
        `grant select on shop.shown to ${runtime}`
      ],
      /^other paths: view shop.shown stores rows of todos without row-level security/
    ],
    [
      "a rule of a table of the host",
      ({ runtime }) => [
        ...shop,
        "create table shop.orders (id uuid)",
        "create rule gone as on delete to shop.orders do also delete from todo.todos where id = old.id",
        `grant select, delete on shop.orders to ${runtime}`
      ],
      /^other paths: rule gone on shop.orders leads to todos as "postgres"/
    ],
    [
      "a parent of our table",
      ({ runtime }) => [
        ...shop,
        "create table shop.everything (title text not null)",
        `grant select on shop.everything to ${runtime}`,
        "alter table todo.todos inherit shop.everything"
      ],
      /^other paths: todo.todos is a child of shop.everything: a role that may read shop.everything also reads todo.todos/
    ],
    [
      "a child of our table",
      () => [...shop, "create table shop.copy () inherits (todo.todo_words)"],
      /^other paths: shop.copy is a child of todo.todo_words: its rows appear in todo.todo_words/
    ],
    [
      "a foreign table of the same database",
      ({ database, runtime }) => [
        ...shop,
        "create extension postgres_fdw",
        `create server back foreign data wrapper postgres_fdw options (host '127.0.0.1', dbname '${database}')`,
        "create user mapping for public server back options (user 'postgres')",
        "create foreign table shop.far (title text) server back options (schema_name 'todo', table_name 'todos')",
        `grant select on shop.far to ${runtime}`
      ],
      /^other paths: foreign table shop.far leads to todos through server "back"/
    ]
  ],
  "functions that run as another role": [
    [
      "as the superuser",
      () => [
        ...shop,
        "create function shop.a() returns setof text language sql security definer set search_path = '' as 'select title from todo.todos'"
      ],
      /^other paths: function shop.a\(\) runs as "postgres", .* and names our tables$/
    ],
    [
      "with a parsed body, which is not stored as text",
      () => [
        ...shop,
        "create function shop.b() returns setof text language sql security definer begin atomic select title from todo.todos; end"
      ],
      /^other paths: function shop.b\(\) runs as "postgres", .* and names our tables$/
    ],
    [
      "with the search path of the caller",
      () => [
        ...shop,
        "create function shop.c() returns bigint language plpgsql security definer as 'begin return (select count(*) from users); end'"
      ],
      /^other paths: function shop.c\(\) runs as "postgres"/
    ],
    [
      "with our schema in its search path",
      () => [
        ...shop,
        "create function shop.d() returns bigint language sql security definer set search_path = pg_catalog, todo as 'select count(*) from users'"
      ],
      /^other paths: function shop.d\(\) runs as "postgres"/
    ],
    [
      "that calls another function, which reads todos",
      () => [
        ...shop,
        "create function shop.read_titles() returns setof text language sql as 'select title from todo.todos'",
        "create function shop.e() returns setof text language sql security definer set search_path = '' as 'select shop.read_titles()'"
      ],
      /^other paths: function shop.e\(\) runs as "postgres"/
    ],
    [
      "that reads a view on todos",
      () => [
        ...shop,
        "create view shop.todo_board as select * from todo.todos",
        "create function shop.f() returns setof text language plpgsql security definer set search_path = '' as 'begin return query select title from shop.todo_board; end'"
      ],
      /^other paths: function shop.f\(\) runs as "postgres"/
    ],
    [
      "that runs any SQL",
      () => [
        ...shop,
        "create function shop.g(statement text) returns void language plpgsql security definer set search_path = '' as 'begin execute statement; end'"
      ],
      /^other paths: function shop.g\(statement text\) runs as "postgres", .* and builds its SQL/
    ],
    [
      "as the owner of the tables",
      () => [
        ...shop,
        "create function shop.h() returns setof text language sql security definer set search_path = '' as 'select id from todo.users'",
        "alter function shop.h() owner to todo_owner"
      ],
      /^other paths: function shop.h\(\) runs as "todo_owner", which has the rights of the owner of the tables/
    ],
    [
      "by a trigger of a table of the host",
      ({ runtime }) => [
        ...shop,
        "create table shop.visits (id uuid)",
        `grant insert on shop.visits to ${runtime}`,
        "create function shop.forget() returns trigger language plpgsql security definer set search_path = '' as 'begin delete from todo.todos; return new; end'",
        "revoke execute on function shop.forget() from public",
        "create trigger forget after insert on shop.visits for each row execute function shop.forget()"
      ],
      /^other paths: function shop.forget\(\) runs as "postgres"/
    ],
    [
      "in our schema",
      () => [
        "create function todo.peek() returns bigint language sql security definer as 'select 1::bigint'",
        "alter function todo.peek() owner to todo_owner"
      ],
      /^schema: function peek\(\) is not ours and runs with the rights of its owner/
    ],
    [
      "that is called instead of ours",
      () => [
        "create function todo.write(me text, op json) returns json language sql as 'select op'",
        "alter function todo.write(text, json) owner to todo_owner"
      ],
      /^schema: function write\(me text, op json\) is not part of this release and may be called instead of ours$/
    ]
  ],
  "tables that differ from this release": [
    [
      "an additional column",
      () => ["alter table todo.todos add column colour text not null default 'red'"],
      /^schema: column todos.colour \(text not null default 'red'::text\) is not ours: exports leave it out$/
    ],
    [
      "a column that no write fills",
      () => ["alter table todo.lists add column colour text not null"],
      /^schema: column lists.colour \(text not null\) is not ours: no row can be inserted$/
    ],
    [
      "a rule that swallows deletes",
      () => ["create rule keep as on delete to todo.todo_words do instead nothing"],
      /^schema: rule keep on todo_words is not ours: it changes what statements do$/
    ],
    [
      "an unlogged table, which a crash empties",
      () => ["alter table todo.todo_words set unlogged"],
      /^schema: table todo_words is unlogged$/
    ],
    [
      "foreign keys without checks",
      () => ["alter table todo.todos disable trigger all"],
      /^schema: table todos is without checks of its foreign keys$/
    ],
    [
      "an additional unique index",
      () => ["create unique index one_title on todo.todos (owner_id, title)"],
      /^schema: index one_title on todos is not ours: it may refuse writes$/
    ],
    [
      "a policy that hides rows",
      () => ["create policy hide on todo.todos as restrictive using (title <> 'x')"],
      /^schema: policy hide on todos is not ours: it may hide rows/
    ],
    [
      "a policy that opens a table to another role",
      ({ other }) => [`create policy peek on todo.todos for select to ${other} using (true)`],
      /^row-level security: is weakened on todos by policy "peek"$/
    ]
  ],
  "row-level security that a setting switches off": [
    [
      "of the role, of the database and of both",
      ({ database, runtime }) => [
        `alter role ${runtime} set row_security = off`,
        `alter database ${database} set row_security = off`,
        `alter role ${runtime} in database ${database} set row_security = off`
      ],
      /^role settings: row_security is off: every statement/
    ]
  ],
  "other settings of the role": [
    [
      "foreign keys are not checked",
      ({ runtime }) => [`alter role ${runtime} set session_replication_role = replica`],
      /^role settings: session_replication_role is replica/
    ],
    [
      "it is always one user",
      ({ runtime }) => [`alter role ${runtime} set todo.user_id = 'alice'`],
      /^role settings: todo.user_id is set/
    ]
  ]
}

describe("Doctor: holes in the isolation", () => {
  for (const [batch, holes] of Object.entries(batches)) {
    it.live(`doctor names ${batch}, and its statements close each`, () =>
      withRoles((roles, examine) =>
        Effect.gen(function* () {
          const { adminUrl, ownerUrl } = yield* TestDatabase
          const version = yield* serverVersion
          const suitable = holes.filter(([, , , minimum = 15]) => version >= minimum)
          yield* run(
            adminUrl,
            suitable.flatMap(([, make]) => make(roles))
          )
          const before = problemsOf(yield* examine)
          for (const [hole, , found] of suitable) {
            const named = before.find(({ check, detail }) => found.test(`${check}: ${detail}`))
            assert.isDefined(named, `${hole}: ${JSON.stringify(messagesOf(before), undefined, 2)}`)
            assert.isNotEmpty(named?.statements, `${hole}: ${JSON.stringify(named)}`)
          }
          for (const { check, statements = [] } of before) {
            const isOwners = check === "schema" && !statements.some((statement) => statement.endsWith("trigger all"))
            yield* run(isOwners ? ownerUrl : adminUrl, statements)
          }
          assert.deepStrictEqual(messagesOf(yield* examine), [])
        })
      )
    )
  }

  it.live("doctor ignores objects of the host that do not lead to our tables, or that run as the caller", () =>
    withRoles(({ database, group, other, runtime }, examine) =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        yield* run(adminUrl, [
          ...shop,
          `grant create, temporary on database ${database} to ${runtime}`,
          // Tables with the names of ours, with all rights for everybody.
          "create view shop.all_todos as select * from todo.todos",
          "create table shop.todos (id uuid, title text)",
          "create table shop.users (id text primary key, todo text)",
          `grant all on shop.todos to public`,
          `grant all on shop.users to ${runtime} with grant option`,
          `alter default privileges in schema shop grant all on tables to public`,
          "create view shop.people as select * from shop.users",
          "grant select on shop.people to public",
          "create materialized view shop.kept as select * from shop.todos",
          "grant select on shop.kept to public",
          "create rule log as on delete to shop.todos do also delete from shop.users where id = old.title",
          // Functions that run as their owner, on tables of the host.
          "create function shop.titles() returns setof text language sql security definer set search_path = shop as 'select title from todos'",
          "create function shop.ids() returns setof text language sql security definer set search_path = '' as 'select todo.id from shop.users todo'",
          "create function shop.note() returns trigger language plpgsql security definer set search_path = shop as 'begin insert into users values (new.title); return new; end'",
          "create trigger note after insert on shop.todos for each row execute function shop.note()",
          // Objects that run as the caller.
          "create view shop.mine with (security_invoker = true) as select title from todo.todos",
          "grant select on shop.mine to public",
          "create function shop.my_titles() returns setof text language sql as 'select title from todo.todos'",
          "create function shop.add(me text) returns json language sql as $$ select todo.write(me, '{}') $$",
          // A view of a role that has only the rights of a server.
          ...Migrations.grants("todo", other),
          "create view shop.theirs as select title from todo.todos",
          `alter view shop.theirs owner to ${other}`,
          "grant select on shop.theirs to public",
          // Rights of other roles, and roles without rights on our tables.
          `grant select on todo.erasures to ${other}`,
          `grant ${group} to ${runtime}`,
          `grant all on shop.users to ${group}`,
          `grant pg_monitor to ${runtime}`,
          "create publication shop for table shop.todos",
          "create index quick on todo.todos (owner_id, updated_at)",
          "create table todo.settings (name text)",
          `create function todo.plain() returns int language sql as 'select 1'`,
          "alter function todo.plain() owner to todo_owner",
          "alter table todo.settings owner to todo_owner"
        ])
        assert.deepStrictEqual(messagesOf(yield* examine), [])
      })
    )
  )
})

const serverVersion = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  const [rows] = yield* run(adminUrl, ["select current_setting('server_version_num')::int / 10000 as version"])
  return Number(rows?.[0]?.["version"])
})
