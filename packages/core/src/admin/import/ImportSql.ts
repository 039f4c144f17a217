/**
 * The statements of imports, in one transaction: rows are gathered in temporary tables that are shaped like ours,
 * judged there as a whole, and then written. From `verdicts` on, `$1` is the user on whose behalf it is done.
 */
import { listColumns } from "../../lists/ListColumns.ts"
import { todoColumns } from "../../todos/TodoColumns.ts"
import { derivedColumns, storedColumns } from "../../writes/FieldColumns.ts"

export type Kind = "list" | "todo"

/** Where what is to be imported is gathered. */
export const gather = (s: string): ReadonlyArray<string> => [
  ...(["lists", "todos"] as const).flatMap((table) => [
    `create temporary table import_${table} on commit drop as select 0 as line, t.* from ${s}.${table} t with no data`,
    `create index on pg_temp.import_${table} (line)`
  ]),
  `create temporary table import_steps (
  line int, kind text, id uuid, verdict text, revision bigint, position text collate "C"
) on commit drop`,
  "create index on pg_temp.import_steps (line)"
]

/** Rows as an array of JSON objects, named as the columns are. */
export const add = (kind: Kind) =>
  `insert into pg_temp.import_${kind}s select * from jsonb_populate_recordset(null::pg_temp.import_${kind}s, $1::jsonb)`

/** Temporary tables are never analyzed by themselves. */
export const analyze: ReadonlyArray<string> = [
  "analyze pg_temp.import_lists (line, id, position, revision)",
  "analyze pg_temp.import_todos (line, id, position, revision, list_id)"
]
export const analyzeSteps = "analyze pg_temp.import_steps"

/**
 * What the planner knows of the tables is what it knew before so many rows came in, until autovacuum gets to them. Where
 * the role may not do this, or another process is at it, PostgreSQL warns and goes on: no plan of ours needs it.
 */
export const analyzeFilled = (s: string) => `analyze (skip_locked) ${s}.users, ${s}.lists, ${s}.todos, ${s}.todo_words`

/** What is wrong between lines: line, what, and how many there are. */
export const problems = (limit: number) => `with rows as (
  select line, 'list' as kind, position, revision from pg_temp.import_lists
  union all select line, 'todo', position, revision from pg_temp.import_todos
)
select line, problem, count(*) over ()::int from (
  select line, kind || '/revision: another line has it too' as problem from (
    select line, kind, row_number() over (partition by revision order by line) as nth from rows
  ) by_revision where nth > 1
  union all
  select line, kind || '/position: another line has it too' from (
    select line, kind, row_number() over (partition by kind, position order by line) as nth from rows
  ) by_position where nth > 1
  union all
  select t.line, 'todo/listId: ' || case when l.id is null then 'no list of the file' else 'a list in the trash' end
  from pg_temp.import_todos t left join pg_temp.import_lists l on l.id = t.list_id
  where t.list_id is not null and (l.id is null or (l.deleted_at is not null and t.deleted_at is null))
) found order by line, problem limit ${limit}`

/** Makes the user's row where there is none, and says so. */
export const appear = (s: string) => `insert into ${s}.users (id) values ($1) on conflict (id) do nothing returning 1`

/**
 * Locks the user's row, as every write does: revision, the time of what is written now, and whether the user has never
 * written anything.
 */
export const lock = (s: string) =>
  `select revision::text, greatest(clock_timestamp(), written_at)::timestamptz(3)::text,
  revision = horizon and written_at = created_at
    and not exists (select from ${s}.lists where owner_id = $1)
    and not exists (select from ${s}.todos where owner_id = $1)
from ${s}.users where id = $1 for no key update`

/** What clients see of a row, besides where it stands and when it was written. */
const content: Record<Kind, ReadonlyArray<string>> = {
  list: [...storedColumns(listColumns), "created_at", "deleted_at"],
  todo: [...storedColumns(todoColumns), "created_at", "deleted_at"]
}

const of = (row: string, columns: ReadonlyArray<string>) => `(${columns.map((name) => `${row}.${name}`).join(", ")})`

/**
 * What a row of the file comes to in a merge. Todos are taken out of a list that stays in the trash: without it they
 * are the same as what the merge before has left, and are not brought in again and again.
 */
const merged = (s: string, kind: Kind) =>
  of("n", content[kind]).replace(
    "n.list_id",
    `case when $2::text = 'merge' and n.deleted_at is null and n.list_id in (
          select l.id from ${s}.lists l join pg_temp.import_lists f on f.id = l.id
          where l.owner_id = $1 and l.deleted_at is not null and l.updated_at >= f.updated_at
        ) then null else n.list_id end`
  )

/**
 * What becomes of each row. `$2` is how: `exact`, the rows are to be as they are in the file, positions and all;
 * `merge`, the one that was written later; `add`, whatever is there stays. In a user that is new (`fresh`) rows keep
 * their revision and position; else those that change get the revisions after `$3`, in the order of those they had,
 * and those whose position is taken go to the end, in the order of the file's positions.
 */
export const verdicts = (s: string) => `insert into pg_temp.import_steps
select line, kind, id, verdict,
  case when $2::text = 'fresh' then revision else $3::bigint + row_number() over (
    partition by verdict in ('added', 'replaced') order by revision
  ) end,
  case when moves then ${s}.last_position($3::bigint + row_number() over (
    partition by kind, moves order by position collate "C", revision
  )) else position end
from (
  select *, verdict = 'added' and (position = '' or taken) as moves from (
    ${(["list", "todo"] as const)
      .map(
        (kind) => `select n.line, '${kind}' as kind, n.id, n.revision, n.position,
      case
        when d.id is null then 'added'
        when $2::text = 'add' or ${merged(s, kind)} is not distinct from ${of("d", content[kind])} and (
          $2::text = 'merge' or ${of("n", ["position", "revision", "updated_at"])} = ${of("d", ["position", "revision", "updated_at"])}
        ) then 'same'
        when $2::text = 'merge' and n.updated_at > d.updated_at then 'replaced'
        else 'kept'
      end as verdict,
      exists (select from ${s}.${kind}s o where o.owner_id = $1 and o.position = n.position) as taken
    from pg_temp.import_${kind}s n left join ${s}.${kind}s d on d.owner_id = $1 and d.id = n.id`
      )
      .join("\n    union all ")}
  ) judged
) placed`

/** How many rows of each kind have which verdict. */
export const counts = "select kind, verdict, count(*)::int from pg_temp.import_steps group by kind, verdict"

/** Rows with one of these verdicts, in the order of the file: line, kind, id, verdict, and how many there are. */
export const judged = (limit: number) => `select line, kind, id, verdict, count(*) over ()::int
from pg_temp.import_steps where verdict = any ($1::text[]) order by line limit ${limit}`

/** The last line that anything is in. */
export const lastLine = "select coalesce(max(line), 0) from pg_temp.import_steps"

/** The columns that are as in the file, whatever the revision and the position become. */
const copied: Record<Kind, ReadonlyArray<string>> = {
  list: content.list,
  todo: [...content.todo, ...derivedColumns(todoColumns)]
}

/** Both sides name the lines: whichever table PostgreSQL begins with, it reads no more than these lines of either. */
const steps = (kind: Kind, verdict: "added" | "replaced") =>
  `pg_temp.import_steps step join pg_temp.import_${kind}s n on n.line = step.line
where step.kind = '${kind}' and step.verdict = '${verdict}'
  and step.line > $2 and step.line <= $3 and n.line > $2 and n.line <= $3`

/** Adds rows of the lines between `$2` and `$3`. They were written at `$4`; where that is null, when the file says. */
export const insert = (s: string, kind: Kind) => `with added as (
  insert into ${s}.${kind}s (owner_id, id, position, revision, updated_at, ${copied[kind].join(", ")})
  select $1, n.id, step.position, step.revision, coalesce($4::timestamptz, n.updated_at), ${copied[kind].map((name) => `n.${name}`).join(", ")}
  from ${steps(kind, "added")} returning 1
)
select count(*)::int from added`

/** Replaces rows, which stay where they are. */
export const replace = (s: string, kind: Kind) => `update ${s}.${kind}s d set
  ${copied[kind].map((name) => `${name} = r.${name}`).join(", ")}, revision = r.step_revision, updated_at = $4::timestamptz
from (select n.*, step.revision as step_revision from ${steps(kind, "replaced")}) r
where d.owner_id = $1 and d.id = r.id`

/**
 * Makes what was added found by its words: nothing of it is there yet, so nothing has to be looked up. In the order of
 * the primary key, so that neighbours go onto one page.
 */
export const indexAdded = (s: string) => `insert into ${s}.todo_words (owner_id, word, todo_id)
select distinct $1, word collate "C", n.id
from ${steps("todo", "added").replace("\nwhere", "\ncross join lateral unnest(n.title_words || n.description_words) word\nwhere")}
order by word collate "C", n.id`

/** The same for what will be replaced. */
export const indexReplaced = (s: string) => `select count(*)::int from (
  select n.* from ${steps("todo", "replaced")}
) n join ${s}.todos d on d.owner_id = $1 and d.id = n.id
cross join lateral ${s}.index_words(
  $1, n.id, d.title_words || d.description_words, n.title_words || n.description_words
)`

/**
 * Takes todos out of lists that are in the trash, which can be so only where file and database were merged. They get
 * the revisions after `$2`.
 */
export const takeOut = (s: string) => `with taken as (
  update ${s}.todos set list_id = null, revision = $2::bigint + place, updated_at = $3::timestamptz
  from (
    select t.id as held, row_number() over (order by t.revision) as place
    from ${s}.lists l join ${s}.todos t on t.owner_id = $1 and t.list_id = l.id
    where l.owner_id = $1 and l.deleted_at is not null and t.deleted_at is null
  ) places
  where owner_id = $1 and id = held returning 1
)
select count(*)::int from taken`

/**
 * The user as in the file. Who was disabled here stays so, and numbers that could belong to a user of this id who was
 * erased (`erasures` in `schema/current.sql`) stay given out. `$7` says whether the row was there before: cursors were given out at
 * its revision then, and what comes in below it is behind them, so they have to expire. What was written by a clock
 * that is ahead must not hold up the times of what is written from now on.
 */
export const restoreUser = (s: string) => `update ${s}.users set
  revision = greatest(revision + used, $2), horizon = greatest(horizon + used, $3), created_at = $4::timestamptz,
  written_at = least($5::timestamptz, clock_timestamp()), disabled_at = coalesce(disabled_at, $6::timestamptz)
from (select case when $7::boolean and revision > 0 then 1 else 0 end as used from ${s}.users where id = $1) before
where id = $1 returning revision::text`

/** The user after a merge. */
export const advanceUser = (s: string) =>
  `update ${s}.users set revision = $2, written_at = $3::timestamptz where id = $1 returning revision::text`
