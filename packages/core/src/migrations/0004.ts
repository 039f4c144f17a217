import { write } from "./0001/write.ts"
import { writeTodo } from "./0001/writeTodo.ts"

/**
 * The same writes for less: 200 to 270 µs of PostgreSQL's CPU each, which were 230 to 310. The functions of the first
 * migration as they are now, for whoever had them otherwise; and one constraint for all that was checked of a todo.
 *
 * PostgreSQL reads the text of a table's constraints anew for each statement that writes to it, which took longer than
 * all else there was to do, and keeps what it has made of a function.
 */
export const lighterWrites = (s: string): ReadonlyArray<string> => [
  ...[...writeTodo(s), ...write(s)].map((statement) =>
    statement.replace("create function", "create or replace function")
  ),

  `create function ${s}.is_todo(t ${s}.todos) returns boolean language plpgsql immutable as $$
begin
  return char_length(t.title) between 1 and 500
    and (t.description is null or char_length(t.description) <= 10000)
    and t.priority between 0 and 3
    and cardinality(t.tags) <= 20
    and (t.due_date is null or t.due_time is null)
    and num_nulls(t.due_time, t.due_zone, t.due_at) in (0, 3);
end
$$`,
  `alter table ${s}.todos
  drop constraint todos_title_check,
  drop constraint todos_description_check,
  drop constraint todos_priority_check,
  drop constraint todos_tags_check,
  drop constraint todos_check,
  drop constraint todos_check1,
  add constraint is_todo check (${s}.is_todo(todos))`
]
