/**
 * Users, lists, todos, and the functions that write them.
 *
 * Every statement names the owner (`owner_id = me`): wall one. Row-level security, forced,
 * is wall two: it asks the setting `todo.user_id`, which `internal/UserScope.ts` alone sets.
 *
 * Writes are functions because an UPDATE's target is filtered by its policy before a
 * `set_config` in the same statement has run: one statement would find nothing. As
 * functions they are one round trip and atomic in themselves, in a transaction of the
 * host as well; the same steps sent one by one cost three times as much.
 */
import { json } from "./json.ts"
import { positions } from "./positions.ts"
import { tables } from "./tables.ts"
import { outcomes, write } from "./write.ts"
import { writeList } from "./writeList.ts"
import { writeTodo } from "./writeTodo.ts"

export const todos = (schema: string): ReadonlyArray<string> =>
  [tables, json, positions, outcomes, writeTodo, writeList, write].flatMap((part) => part(schema))
