import type { Row } from "../database/UserScopeSql.ts"
import type { Todo } from "../domain/Todo.ts"

/** How `fastRows.ts` reads a part of a todo. */
export interface RowReader {
  /**
   * The expressions over a row `t`. They are numbers or texts, because the form of other types depends on the client and
   * the session. A converted column gets another name, because `order by` prefers the names of the output.
   */
  readonly select: ReadonlyArray<string>
  /** Sets members of the todo. It receives the values of `select`. */
  readonly read: (todo: MutableTodo, ...values: Row) => void
}

export type MutableTodo = { -readonly [Name in keyof Todo]: Todo[Name] }

/** A reader whose function has one typed parameter for each expression, at most three. */
export const rowReader = <Values extends readonly [unknown, unknown?, unknown?]>(
  select: NoInfer<{ readonly [N in keyof Values]: string }> & ReadonlyArray<string>,
  read: (todo: MutableTodo, ...values: Values) => void
): RowReader => ({ select, read: read as RowReader["read"] })

/** Milliseconds since 1970. */
export const milliseconds = (column: string): string => `date_part('epoch', t.${column}) * 1000 as the_${column}`
