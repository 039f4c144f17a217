/**
 * Recomputes the stored search words after a release that computes them differently (`SearchWords.ts`). Each short
 * transaction takes the lock of the user's writes, so servers can run meanwhile. The JSON and the revision of a todo do not
 * change.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { UserId } from "../domain/User.ts"
import { onBehalfOf, overAllUsers } from "../database/OperatorScope.ts"
import { type QuotedSchema, quotedSchema } from "../schema/SchemaName.ts"
import { words } from "./SearchWords.ts"
import * as StoredWordsSql from "./StoredWordsSql.ts"

/** Does nothing if the words have this form already, or if the role is not the owner and sees no users. */
export const refresh = Effect.fnUntraced(function* (begin: Effect.Effect<void>) {
  const sql = yield* SqlClient.SqlClient
  const schema = yield* quotedSchema
  const [stored] = yield* sql.unsafe<StoredWordsSql.Stored>(StoredWordsSql.stored(schema))
  if (stored?.isOwn !== true || stored.isRenewed) return
  for (let last = "", begun = false; ;) {
    const users = yield* overAllUsers(sql.unsafe<StoredWordsSql.User>(StoredWordsSql.users(schema), [last]))
    if (users.length > 0 && !begun) yield* begin
    for (const { id } of users) {
      yield* inBatches((after) => renewWords(schema, id, after))
      yield* inBatches((after) => addTags(schema, id, after))
    }
    if (users.length < StoredWordsSql.batchSize) break
    last = String(users.at(-1)?.id)
    begun = true
  }
  yield* sql.unsafe(StoredWordsSql.setForm(schema))
})

/** Runs batches until there is none left. Each one begins after the last id of the previous one. */
const inBatches = Effect.fnUntraced(function* <E, R>(
  batch: (after: string) => Effect.Effect<string | undefined, E, R>
) {
  for (let after: string | undefined = "00000000-0000-0000-0000-000000000000"; after !== undefined;) {
    after = yield* batch(after)
  }
})

const renewWords = (schema: QuotedSchema, user: UserId, after: string) =>
  onBehalfOf(user)(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const todos = yield* sql.unsafe<StoredWordsSql.TodoWords>(StoredWordsSql.todoWords(schema), [user, after])
      const changed = todos.flatMap((todo) => {
        const [titleWords, descriptionWords] = [words(todo.title), words(todo.description ?? "")]
        const isSame = equal(titleWords, todo.titleWords) && equal(descriptionWords, todo.descriptionWords)
        return isSame ? [] : [{ ...todo, titleWords, descriptionWords }]
      })
      if (changed.length > 0) {
        const parameters = [user, JSON.stringify(changed)]
        yield* sql.unsafe(StoredWordsSql.lock(schema), [user])
        yield* sql.unsafe(StoredWordsSql.indexWords(schema), parameters)
        yield* sql.unsafe(StoredWordsSql.storeWords(schema), parameters)
      }
      return todos.length < StoredWordsSql.batchSize ? undefined : todos.at(-1)?.id
    })
  )

const addTags = (schema: QuotedSchema, user: UserId, after: string) =>
  onBehalfOf(user)(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(StoredWordsSql.lock(schema), [user])
      const [tags] = yield* sql.unsafe<StoredWordsSql.IndexedTags>(StoredWordsSql.indexTags(schema), [user, after])
      return tags?.last ?? undefined
    })
  )

const equal = (one: ReadonlyArray<string>, other: ReadonlyArray<string>) =>
  one.length === other.length && one.every((word, n) => word === other[n])
