/**
 * The statements of an import, in one transaction. Rows are collected in temporary tables with the columns of ours, get a
 * verdict each, and are then written. From `verdicts` on, `$1` is the user.
 */
import { listColumns } from "../../lists/ListColumns.ts"
import { todoColumns } from "../../todos/TodoColumns.ts"
import { derivedColumns, storedColumns } from "../../writes/FieldColumns.ts"

import { storedWords } from "../../todos/SearchWords.ts"

export type Kind = "list" | "todo"

/** Creates the temporary tables that collect the rows of the file. */
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

/** Adds rows. `$1` is a JSON array of objects whose fields are named after the columns. */
export const add = (kind: Kind) =>
  `insert into pg_temp.import_${kind}s select * from jsonb_populate_recordset(null::pg_temp.import_${kind}s, $1::jsonb)`

/** Autovacuum does not analyze temporary tables. */
export const analyze: ReadonlyArray<string> = [
  "analyze pg_temp.import_lists (line, id, position, revision)",
  "analyze pg_temp.import_todos (line, id, position, revision, list_id)"
]
export const analyzeSteps = "analyze pg_temp.import_steps"

/**
 * Refreshes the planner's statistics after a large import, because autovacuum may take a minute. If the role may not
 * analyze or another process does, PostgreSQL only warns. No query depends on it.
 */
export const analyzeFilled = (s: string) => `analyze (skip_locked) ${s}.users, ${s}.lists, ${s}.todos, ${s}.todo_words`

/** Finds lines that contradict each other: line, problem, and the number of all problems. */
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

/** Inserts the row of the user if it is missing. It returns a row if it did. */
export const appear = (s: string) => `insert into ${s}.users (id) values ($1) on conflict (id) do nothing returning 1`

/**
 * Locks the row of the user, as every write does. It returns the revision, the time for changed rows, and whether the user
 * has never written anything.
 */
export const lock = (s: string) =>
  `select revision::text, greatest(clock_timestamp(), written_at)::timestamptz(3)::text,
  revision = horizon and written_at = created_at
    and not exists (select from ${s}.lists where owner_id = $1)
    and not exists (select from ${s}.todos where owner_id = $1)
from ${s}.users where id = $1 for no key update`

/** The columns that clients see, without position and update time. */
const content: Record<Kind, ReadonlyArray<string>> = {
  list: [...storedColumns(listColumns), "created_at", "deleted_at"],
  todo: [...storedColumns(todoColumns), "created_at", "deleted_at"]
}

const of = (row: string, columns: ReadonlyArray<string>) => `(${columns.map((name) => `${row}.${name}`).join(", ")})`

/**
 * The content that a row of the file has after a merge. A merge takes todos out of a list that stays in the trash
 * (`takeOut`). The comparison has to expect that, or a repeated merge would replace those todos each time.
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
 * Gives each row a verdict, a revision and a position. `$2` is the mode:
 * - `exact`: existing rows must equal the file, including their position and revision.
 * - `merge`: the version that was written later is kept.
 * - `add`: existing rows stay.
 * - `restore`: the user has no data, so rows keep their revision and position.
 *
 * Except for `restore`, changed rows get the revisions after `$3`, in the order of their old ones. Rows whose position is
 * taken go to the end, in the order of the file's positions.
 */
export const verdicts = (s: string) => `insert into pg_temp.import_steps
select line, kind, id, verdict,
  case when $2::text = 'restore' then revision else $3::bigint + row_number() over (
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

/** The number of rows for each kind and verdict. */
export const counts = "select kind, verdict, count(*)::int from pg_temp.import_steps group by kind, verdict"

/** Rows with one of the verdicts `$1`, in the order of the file: line, kind, id, verdict, and the number of all. */
export const judged = (limit: number) => `select line, kind, id, verdict, count(*) over ()::int
from pg_temp.import_steps where verdict = any ($1::text[]) order by line limit ${limit}`

/** The last line that has a row. */
export const lastLine = "select coalesce(max(line), 0) from pg_temp.import_steps"

/** The columns that are copied from the file. Revision and position come from the verdict. */
const copied: Record<Kind, ReadonlyArray<string>> = {
  list: content.list,
  todo: [...content.todo, ...derivedColumns(todoColumns)]
}

/** The condition names the lines of both tables, so that PostgreSQL reads only these lines whichever it starts with. */
const steps = (kind: Kind, verdict: "added" | "replaced") =>
  `pg_temp.import_steps step join pg_temp.import_${kind}s n on n.line = step.line
where step.kind = '${kind}' and step.verdict = '${verdict}'
  and step.line > $2 and step.line <= $3 and n.line > $2 and n.line <= $3`

/** Adds the rows of the lines after `$2` up to `$3`. `$4` is their update time; null takes that of the file. */
export const insert = (s: string, kind: Kind) => `with added as (
  insert into ${s}.${kind}s (owner_id, id, position, revision, updated_at, ${copied[kind].join(", ")})
  select $1, n.id, step.position, step.revision, coalesce($4::timestamptz, n.updated_at), ${copied[kind].map((name) => `n.${name}`).join(", ")}
  from ${steps(kind, "added")} returning 1
)
select count(*)::int from added`

/** Replaces the content of rows. Their position stays. */
export const replace = (s: string, kind: Kind) => `update ${s}.${kind}s d set
  ${copied[kind].map((name) => `${name} = r.${name}`).join(", ")}, revision = r.step_revision, updated_at = $4::timestamptz
from (select n.*, step.revision as step_revision from ${steps(kind, "replaced")}) r
where d.owner_id = $1 and d.id = r.id`

/**
 * Adds the words of added todos to the search index. These todos have no words yet, so no lookup is needed. The order of
 * the primary key keeps inserts on the same index pages.
 */
export const indexAdded = (s: string) => `insert into ${s}.todo_words (owner_id, word, todo_id)
select distinct $1, word collate "C", n.id
from ${steps("todo", "added").replace("\nwhere", `\ncross join lateral unnest(${storedWords("n")}) word\nwhere`)}
order by word collate "C", n.id`

/** Updates the search index for todos that will be replaced. It has to run before `replace`. */
export const indexReplaced = (s: string) => `select count(*)::int from (
  select n.* from ${steps("todo", "replaced")}
) n join ${s}.todos d on d.owner_id = $1 and d.id = n.id
cross join lateral ${s}.index_words(
  $1, n.id, ${storedWords("d")}, ${storedWords("n")}
)`

/**
 * Takes todos outside the trash out of lists in the trash, a state that only a merge can produce. The todos get the
 * revisions after `$2`.
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
 * Restores the row of the user from the file.
 * - A user who is disabled here stays disabled.
 * - Revision and horizon never decrease: an erased user with this id may have used the numbers (`erasures`).
 * - `$7` says whether the row existed before. Clients may then hold cursors at its revision, which would miss the restored
 *   rows below it. Both numbers grow by one, so that these cursors expire.
 * - `written_at` is not after now, because later writes never get an earlier time than it.
 */
export const restoreUser = (s: string) => `update ${s}.users set
  revision = greatest(revision + used, $2), horizon = greatest(horizon + used, $3), created_at = $4::timestamptz,
  written_at = least($5::timestamptz, clock_timestamp()), disabled_at = coalesce(disabled_at, $6::timestamptz)
from (select case when $7::boolean and revision > 0 then 1 else 0 end as used from ${s}.users where id = $1) before
where id = $1 returning revision::text`

/** Updates the row of the user after a merge. */
export const advanceUser = (s: string) =>
  `update ${s}.users set revision = $2, written_at = $3::timestamptz where id = $1 returning revision::text`
