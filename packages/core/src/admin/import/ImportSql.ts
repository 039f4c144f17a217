/**
 * The statements of an import, in one transaction. The rows of the file are collected in staging tables, which are temporary
 * and have the columns of ours. Each row then gets a verdict, and is written.
 */
import { listColumns } from "../../lists/ListColumns.ts"
import { storedWords } from "../../todos/SearchWords.ts"
import { todoColumns } from "../../todos/TodoColumns.ts"
import { derivedColumns, storedColumns } from "../../writes/FieldColumns.ts"
import type { QuotedSchema } from "../../schema/SchemaName.ts"

export type Kind = "list" | "todo"

/** What the import does with a row of the file. `RowCounts` says which rows get which. */
export type Verdict = "added" | "replaced" | "kept" | "same"

/** The number of rows that a statement wrote. */
export interface Written {
  readonly rows: number
}

/** Creates the staging tables. */
export const createStagingTables = (schema: QuotedSchema): ReadonlyArray<string> => [
  ...(["lists", "todos"] as const).flatMap((table) => [
    /* sql */ `create temporary table import_${table} on commit drop as
  select 0 as line, t.* from ${schema}.${table} t with no data`,
    /* sql */ `create index on pg_temp.import_${table} (line)`
  ]),
  /* sql */ `create temporary table import_steps (
  line int, kind text, id uuid, verdict text, revision bigint, position text collate "C"
) on commit drop`,
  /* sql */ `create index on pg_temp.import_steps (line)`
]

/** Adds rows of the file. `$1` is a JSON array of objects whose fields are named after the columns. */
export const stageRows = (kind: Kind) => /* sql */ `insert into pg_temp.import_${kind}s
select * from jsonb_populate_recordset(null::pg_temp.import_${kind}s, $1::jsonb)`

/** Autovacuum does not analyze temporary tables. */
export const analyzeStagedRows: ReadonlyArray<string> = [
  /* sql */ `analyze pg_temp.import_lists (line, id, position, revision)`,
  /* sql */ `analyze pg_temp.import_todos (line, id, position, revision, list_id)`
]
export const analyzeSteps = /* sql */ `analyze pg_temp.import_steps`

/**
 * Refreshes the planner's statistics after a large import, because autovacuum may take a minute. If the role may not
 * analyze or another process does, PostgreSQL only warns. No query depends on it.
 */
export const analyzeFilled = (schema: QuotedSchema) =>
  /* sql */ `analyze (skip_locked) ${schema}.users, ${schema}.lists, ${schema}.todos, ${schema}.todo_words`

/** A line that contradicts another one. */
export interface Problem {
  readonly line: number
  readonly message: string
  /** The number of all problems. */
  readonly total: number
}

export const problems = (limit: number) => /* sql */ `with rows as (
  select line, 'list' as kind, position, revision from pg_temp.import_lists
  union all select line, 'todo', position, revision from pg_temp.import_todos
)
select line, message, count(*) over ()::int as total from (
  select line, kind || '/revision: another line has it too' as message from (
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
) found order by line, message limit ${limit}`

/** Inserts the row of the user `$1` if it is missing. It returns a row if it did. */
export const insertUser = (schema: QuotedSchema) =>
  /* sql */ `insert into ${schema}.users (id) values ($1) on conflict (id) do nothing returning id`

export interface LockedUser {
  readonly revision: number
  /** The time for changed rows, as text of PostgreSQL. */
  readonly now: string
  /** The user has never written anything. */
  readonly isEmpty: boolean
}

/** Locks the row of the user `$1`, as every write does. */
export const lockUser = (
  schema: QuotedSchema
) => /* sql */ `select revision::float8 as revision, greatest(clock_timestamp(), written_at)::timestamptz(3)::text as now,
  revision = horizon and written_at = created_at
    and not exists (select from ${schema}.lists where owner_id = $1)
    and not exists (select from ${schema}.todos where owner_id = $1) as "isEmpty"
from ${schema}.users where id = $1 for no key update`

/** The columns that clients see, without position and update time. */
const content: Record<Kind, ReadonlyArray<string>> = {
  list: [...storedColumns(listColumns), "created_at", "deleted_at"],
  todo: [...storedColumns(todoColumns), "created_at", "deleted_at"]
}

/** An expression for each column. */
type Expressions = Readonly<Record<string, string>>

const columnsOf = (row: string, names: ReadonlyArray<string>): Expressions =>
  Object.fromEntries(names.map((name) => [name, `${row}.${name}`]))

const tuple = (columns: Expressions) => `(${Object.values(columns).join(", ")})`

/**
 * The list that a todo `n` of the file is in afterwards. `$1` is the user, `$2` the mode. A merge removes todos from a list
 * that stays in the trash (`removeFromTrashedLists`). If the comparison did not expect that, a repeated merge would replace
 * those todos each time.
 */
const mergedListId = (
  schema: QuotedSchema
) => /* sql */ `case when $2::text = 'merge' and n.deleted_at is null and n.list_id in (
          select l.id from ${schema}.lists l join pg_temp.import_lists f on f.id = l.id
          where l.owner_id = $1 and l.deleted_at is not null and l.updated_at >= f.updated_at
        ) then null else n.list_id end`

/** The rows `n` of the file with their verdicts. `d` is the row of the database. `$1` is the user, `$2` the mode. */
const rowsOfFile = (schema: QuotedSchema, kind: Kind, columns: Expressions) => {
  const exact = ["position", "revision", "updated_at"]
  return /* sql */ `select n.line, '${kind}' as kind, n.id, n.revision, n.position,
      case
        when d.id is null then 'added'
        when $2::text = 'add' or ${tuple(columns)} is not distinct from ${tuple(columnsOf("d", content[kind]))} and (
          $2::text = 'merge' or ${tuple(columnsOf("n", exact))} = ${tuple(columnsOf("d", exact))}
        ) then 'same'
        when $2::text = 'merge' and n.updated_at > d.updated_at then 'replaced'
        else 'kept'
      end as verdict,
      exists (select from ${schema}.${kind}s o where o.owner_id = $1 and o.position = n.position) as taken
    from pg_temp.import_${kind}s n left join ${schema}.${kind}s d on d.owner_id = $1 and d.id = n.id`
}

/**
 * Gives each row of the file a verdict, a revision and a position. `$1` is the user, `$2` the mode:
 * - `exact`: existing rows must equal the file, including their position and revision.
 * - `merge`: the version that was written later is kept.
 * - `add`: existing rows stay.
 * - `restore`: the user has no data, so rows keep their revision and position.
 *
 * Except for `restore`, changed rows get the revisions after `$3`, in the order of their old ones. Rows whose position is
 * taken go to the end, in the order of the file's positions.
 */
export const insertSteps = (schema: QuotedSchema) => /* sql */ `insert into pg_temp.import_steps
select line, kind, id, verdict,
  case when $2::text = 'restore' then revision else $3::bigint + row_number() over (
    partition by verdict in ('added', 'replaced') order by revision
  ) end,
  case when moves then ${schema}.last_position($3::bigint + row_number() over (
    partition by kind, moves order by position collate "C", revision
  )) else position end
from (
  select *, verdict = 'added' and (position = '' or taken) as moves from (
    ${rowsOfFile(schema, "list", columnsOf("n", content.list))}
    union all ${rowsOfFile(schema, "todo", { ...columnsOf("n", content.todo), list_id: mergedListId(schema) })}
  ) rows_of_file
) moving`

/** The number of rows with one kind and verdict. */
export interface VerdictCount {
  readonly kind: Kind
  readonly verdict: Verdict
  readonly rows: number
}

export const countVerdicts = /* sql */ `select kind, verdict, count(*)::int as rows
from pg_temp.import_steps group by kind, verdict`

export interface RowWithVerdict<V extends Verdict> {
  readonly line: number
  readonly kind: Kind
  readonly id: string
  readonly verdict: V
  /** The number of all rows with one of the verdicts. */
  readonly total: number
}

/** Rows with one of the verdicts `$1`, in the order of the file. */
export const rowsWithVerdict = (
  limit: number
) => /* sql */ `select line, kind, id, verdict, count(*) over ()::int as total
from pg_temp.import_steps where verdict = any ($1::text[]) order by line limit ${limit}`

/** The last line that has a row, or 0. */
export interface LastLine {
  readonly line: number
}

export const lastLine = /* sql */ `select coalesce(max(line), 0) as line from pg_temp.import_steps`

/** The columns that are copied from the file. Revision and position come from `import_steps`. */
const copied: Record<Kind, ReadonlyArray<string>> = {
  list: content.list,
  todo: [...content.todo, ...derivedColumns(todoColumns)]
}

/**
 * The rows `n` of the file that have a verdict, of the lines after `$2` up to `$3`. The condition names the lines of both
 * tables, so that PostgreSQL reads only these lines whichever it starts with.
 */
const steps = (
  kind: Kind,
  verdict: "added" | "replaced",
  joins = ""
) => /* sql */ `pg_temp.import_steps step join pg_temp.import_${kind}s n on n.line = step.line ${joins}
where step.kind = '${kind}' and step.verdict = '${verdict}'
  and step.line > $2 and step.line <= $3 and n.line > $2 and n.line <= $3`

/**
 * Adds rows of the lines after `$2` up to `$3` for the user `$1`. `$4` is their update time; null takes that of the file.
 */
export const insertRows = (schema: QuotedSchema, kind: Kind) => /* sql */ `with added as (
  insert into ${schema}.${kind}s (owner_id, id, position, revision, updated_at, ${copied[kind].join(", ")})
  select $1, n.id, step.position, step.revision, coalesce($4::timestamptz, n.updated_at),
    ${copied[kind].map((name) => `n.${name}`).join(", ")}
  from ${steps(kind, "added")} returning 1
)
select count(*)::int as rows from added`

/**
 * Replaces the content of rows of the lines after `$2` up to `$3` for the user `$1`. `$4` is their update time. Their
 * position stays.
 */
export const replaceRows = (schema: QuotedSchema, kind: Kind) => /* sql */ `update ${schema}.${kind}s d set
  ${copied[kind].map((name) => `${name} = r.${name}`).join(", ")}, revision = r.step_revision, updated_at = $4::timestamptz
from (select n.*, step.revision as step_revision from ${steps(kind, "replaced")}) r
where d.owner_id = $1 and d.id = r.id`

/**
 * Adds the words of added todos to the search index, for the lines after `$2` up to `$3` and the user `$1`. These todos have
 * no words yet, so no lookup is needed. The order of the primary key keeps inserts on the same index pages.
 */
export const indexAdded = (
  schema: QuotedSchema
) => /* sql */ `insert into ${schema}.todo_words (owner_id, word, todo_id)
select distinct $1, word collate "C", n.id
from ${steps("todo", "added", `cross join lateral unnest(${storedWords("n")}) word`)}
order by word collate "C", n.id`

/**
 * Updates the search index for todos that will be replaced, for the lines after `$2` up to `$3` and the user `$1`. It has to
 * run before `replaceRows`. It returns the number of these todos.
 */
export const indexReplaced = (schema: QuotedSchema) => /* sql */ `select count(*)::int as rows from (
  select n.* from ${steps("todo", "replaced")}
) n join ${schema}.todos d on d.owner_id = $1 and d.id = n.id
cross join lateral ${schema}.replace_words(
  $1, n.id, ${storedWords("d")}, ${storedWords("n")}
)`

/**
 * Removes todos of the user `$1` that are outside the trash from lists in the trash, a state that only a merge can produce.
 * The todos get the revisions after `$2` and the update time `$3`.
 */
export const removeFromTrashedLists = (schema: QuotedSchema) => /* sql */ `with removed as (
  update ${schema}.todos set list_id = null, revision = $2::bigint + place, updated_at = $3::timestamptz
  from (
    select t.id as todo_id, row_number() over (order by t.revision) as place
    from ${schema}.lists l join ${schema}.todos t on t.owner_id = $1 and t.list_id = l.id
    where l.owner_id = $1 and l.deleted_at is not null and t.deleted_at is null
  ) places
  where owner_id = $1 and id = todo_id returning 1
)
select count(*)::int as rows from removed`

/** The revision of the user afterwards. */
export interface UserRevision {
  readonly revision: number
}

/**
 * Restores the row of the user `$1` from the file: revision `$2`, horizon `$3`, and the times `$4` of creation, `$5` of the
 * last write, and `$6` of disabling.
 * - A user who is disabled here stays disabled.
 * - Revision and horizon never decrease: an erased user with this id may have used the numbers (`erasures`).
 * - `$7` says whether the row existed before. Clients may then hold cursors at its revision, which would miss the restored
 *   rows below it. Both numbers grow by one, so that these cursors expire.
 * - `written_at` is not after now, because later writes never get an earlier time than it.
 */
export const restoreUser = (schema: QuotedSchema) => /* sql */ `update ${schema}.users set
  revision = greatest(revision + used, $2), horizon = greatest(horizon + used, $3), created_at = $4::timestamptz,
  written_at = least($5::timestamptz, clock_timestamp()), disabled_at = coalesce(disabled_at, $6::timestamptz)
from (select case when $7::boolean and revision > 0 then 1 else 0 end as used from ${schema}.users where id = $1) before
where id = $1 returning revision::float8 as revision`

/** Sets the revision `$2` and the time `$3` of the last write of the user `$1`. */
export const advanceUser = (schema: QuotedSchema) => /* sql */ `update ${schema}.users
set revision = $2, written_at = $3::timestamptz where id = $1 returning revision::float8 as revision`
