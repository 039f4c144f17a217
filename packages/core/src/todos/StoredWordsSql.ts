/** The statements that recompute the stored search words. `$1` is the user, and `schema` is the quoted name. */
import type { UserId } from "../domain/User.ts"
import { form } from "./SearchWords.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** The number of users, and of todos, in one statement. */
export const batchSize = 500

/** Whether the stored words have this form. Until `refresh` has ended, tags are missing. The table has one row. */
export const isRenewed = (schema: QuotedSchema): string =>
  /* sql */ `exists (select from ${schema}.search_form where form = ${form})`

/** The stored words. */
export interface Stored {
  readonly isRenewed: boolean
  /** Whether the role has the rights of the owner of the tables. */
  readonly isOwn: boolean
}

export const stored = (schema: QuotedSchema) => /* sql */ `select ${isRenewed(schema)} as "isRenewed",
  pg_has_role(relowner, 'usage') as "isOwn" from pg_class where oid = '${schema}.search_form'::regclass`

export const setForm = (schema: QuotedSchema) =>
  /* sql */ `with former as (delete from ${schema}.search_form) insert into ${schema}.search_form values (${form})`

export interface User {
  readonly id: UserId
}

/** A batch of users after the id `$1`. */
export const users = (schema: QuotedSchema) =>
  /* sql */ `select id from ${schema}.users where id > $1 order by id limit ${batchSize}`

/** Locks the row of the user, as every write does. */
export const lock = (schema: QuotedSchema) => /* sql */ `select id from ${schema}.users where id = $1 for no key update`

/** A todo, and its stored words. */
export interface TodoWords {
  readonly id: string
  readonly title: string
  readonly description: string | null
  readonly titleWords: ReadonlyArray<string>
  readonly descriptionWords: ReadonlyArray<string>
}

/** A batch of todos after the id `$2` whose texts are not only ASCII. The words of ASCII texts have never changed. */
export const todoWords = (schema: QuotedSchema) => /* sql */ `select id::text, title, description,
  title_words as "titleWords", description_words as "descriptionWords"
from ${schema}.todos t where owner_id = $1 and t.id > $2::uuid
  and concat(title, description) collate "C" ~ '[^\\x09-\\x0d\\x20-\\x7e]'
order by t.id limit ${batchSize}`

/**
 * The new words of todos (`$2`, an array of `TodoWords` as JSON), without todos whose texts have changed since they were
 * read, because that write stored their new words.
 */
const renewed = (schema: QuotedSchema) => /* sql */ `jsonb_to_recordset($2::jsonb)
  new (id uuid, title text, description text, "titleWords" text[], "descriptionWords" text[])
join ${schema}.todos t on t.owner_id = $1 and t.id = new.id
  and t.title = new.title and t.description is not distinct from new.description`

/** Updates the index of words. It must run before `storeWords`. */
export const indexWords = (schema: QuotedSchema) => /* sql */ `select count(*)::int as todos from ${renewed(schema)}
cross join lateral ${schema}.replace_words(
  $1, new.id, t.title_words || t.description_words, new."titleWords" || new."descriptionWords"
)`

/** Updates the words in the rows of todos. */
export const storeWords = (schema: QuotedSchema) => /* sql */ `update ${schema}.todos u
set title_words = n."titleWords", description_words = n."descriptionWords"
from (select new.* from ${renewed(schema)}) n where u.owner_id = $1 and u.id = n.id`

export interface IndexedTags {
  /** The last id of a full batch; `null` at the end. */
  readonly last: string | null
}

/** Adds the tags of a batch of todos after the id `$2`. Releases before form 3 did not store them among the words. */
export const indexTags = (schema: QuotedSchema) => /* sql */ `with page as (
  select id, tags from ${schema}.todos
  where owner_id = $1 and id > $2::uuid and cardinality(tags) > 0 order by id limit ${batchSize}
), added as (
  insert into ${schema}.todo_words (owner_id, word, todo_id)
  select $1, ' ' || tag, id from page, unnest(tags) tag on conflict do nothing
)
select case when count(*) = ${batchSize} then (array_agg(id order by id desc))[1]::text end as last from page`
