/**
 * Renews the stored search words after a release that computes them differently (`SearchWords.ts`). Each short transaction
 * takes the lock of the user's writes, so servers can run meanwhile. What clients see of a todo does not change, and
 * neither does its revision. A comment on the table records which form the words have.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { onBehalfOf, overAllUsers } from "../database/OperatorScope.ts"
import { form, words } from "./SearchWords.ts"

/** The number of users, and of todos, in one statement. */
const batch = 500

/** Does nothing if the words have this form already, or if the role is not the owner and sees no users. */
export const refresh = Effect.fnUntraced(function* (schema: string, begin: Effect.Effect<void>) {
  const sql = yield* SqlClient.SqlClient
  const table = `"${schema}".todo_words`
  const [known] = yield* sql`
    select obj_description(oid, 'pg_class'), pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass(${table})
  `.values
  if (known === undefined || known[0] === comment || known[1] !== true) return
  for (let last = "", begun = false; ;) {
    const users = yield* overAllUsers(
      sql.unsafe(`select id from "${schema}".users where id > $1 order by id limit ${batch}`, [last]).values
    )
    if (users.length > 0 && !begun) yield* begin
    for (const [id] of users) yield* ofUser(schema, String(id))
    if (users.length < batch) break
    last = String(users.at(-1)?.[0])
    begun = true
  }
  yield* sql.unsafe(`comment on table ${table} is '${comment}'`).unprepared
})

const comment = `form ${form} of the words of search`

/** Whether the stored words have this form, as SQL for a quoted schema. Until `refresh` has ended, tags are missing. */
export const isRenewed = (schema: string): string => `exists (select from pg_description
  where objoid = '${schema}.todo_words'::regclass and classoid = 'pg_class'::regclass and description = '${comment}')`

const ofUser = Effect.fnUntraced(function* (schema: string, user: string) {
  const sql = yield* SqlClient.SqlClient
  const next = (after: string): Effect.Effect<string | undefined, SqlError, SqlClient.SqlClient> =>
    onBehalfOf(user as never)(
      Effect.gen(function* () {
        const rows = yield* sql.unsafe<Row>(select(schema), [user, after])
        const changed = rows.flatMap(({ description, description_words, id, title, title_words }) => {
          const [ofTitle, ofDescription] = [words(title), words(description ?? "")]
          const same = equal(ofTitle, title_words) && equal(ofDescription, description_words)
          return same ? [] : [{ id, title, description, title_words: ofTitle, description_words: ofDescription }]
        })
        if (changed.length > 0) {
          const parameters = [user, JSON.stringify(changed)]
          yield* sql.unsafe(lock(schema), [user]).values
          yield* sql.unsafe(index(schema), parameters).values
          yield* sql.unsafe(update(schema), parameters).values
        }
        return rows.length < batch ? undefined : rows.at(-1)?.id
      })
    )
  const nextTags = (after: string): Effect.Effect<string | undefined, SqlError, SqlClient.SqlClient> =>
    onBehalfOf(user as never)(
      Effect.gen(function* () {
        yield* sql.unsafe(lock(schema), [user]).values
        const [row] = yield* sql.unsafe(addTags(schema), [user, after]).values
        return row?.[0] === null ? undefined : String(row?.[0])
      })
    )
  for (const step of [next, nextTags]) {
    for (let after: string | undefined = "00000000-0000-0000-0000-000000000000"; after !== undefined;) {
      after = yield* step(after)
    }
  }
})

interface Row {
  readonly id: string
  readonly title: string
  readonly description: string | null
  readonly title_words: ReadonlyArray<string>
  readonly description_words: ReadonlyArray<string>
}

const lock = (schema: string) => `select 1 from "${schema}".users where id = $1 for no key update`

/** Adds tags, which releases before form 3 did not store. Answers the last id of a full batch, or null at the end. */
const addTags = (schema: string) => `with page as (
  select id, tags from "${schema}".todos
  where owner_id = $1 and id > $2::uuid and cardinality(tags) > 0 order by id limit ${batch}
), added as (
  insert into "${schema}".todo_words (owner_id, word, todo_id)
  select $1, ' ' || tag, id from page, unnest(tags) tag on conflict do nothing
)
select case when count(*) = ${batch} then (array_agg(id order by id desc))[1]::text end from page`

/** Only texts beyond visible ASCII: words of ASCII have never changed. */
const select = (schema: string) => `select id::text, title, description, title_words, description_words
from "${schema}".todos where owner_id = $1 and id > $2::uuid
  and concat(title, description) collate "C" ~ '[^\\x09-\\x0d\\x20-\\x7e]'
order by id limit ${batch}`

/** Skips todos whose texts have changed since they were read: that write stored their new words. */
const given = (schema: string) => `jsonb_to_recordset($2::jsonb)
  g (id uuid, title text, description text, title_words text[], description_words text[])
join "${schema}".todos t on t.owner_id = $1 and t.id = g.id
  and t.title = g.title and t.description is not distinct from g.description`

const index = (schema: string) => `select count(*) from ${given(schema)} cross join lateral "${schema}".index_words(
  $1, g.id, t.title_words || t.description_words, g.title_words || g.description_words
)`

const update = (schema: string) => `update "${schema}".todos u
set title_words = n.title_words, description_words = n.description_words
from (select g.* from ${given(schema)}) n where u.owner_id = $1 and u.id = n.id`

const equal = (one: ReadonlyArray<string>, other: ReadonlyArray<string>) =>
  one.length === other.length && one.every((word, n) => word === other[n])
