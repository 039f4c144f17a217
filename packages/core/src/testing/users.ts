/**
 * Users and todos by the handful.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { NewTodo } from "../domain/Todo.ts"
import { UserId } from "../domain/User.ts"
import { Todos } from "../todos/Todos.ts"

/** A user that no other test has. */
export const newUser = (): { readonly id: UserId } => ({ id: UserId.make(`user-${randomUUID()}`) })

/**
 * Gives the current user so many todos, in order: "Todo 1", "Todo 2", ..., or what `todo` says of the nth.
 *
 * @example
 * const user = newUser()
 * const [first] = yield* addTodos(3).pipe(Effect.provideService(CurrentUser, user))
 */
export const addTodos = (count: number, todo: (n: number) => NewTodo = (n) => ({ title: `Todo ${n}` })) =>
  Effect.flatMap(Todos, (todos) =>
    Effect.forEach(
      Array.from({ length: count }, (_, n) => todo(n + 1)),
      (one) => todos.create(one)
    )
  )
