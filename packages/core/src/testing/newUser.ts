/**
 * Creates users and todos for tests.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { NewTodo } from "../domain/Todo.ts"
import { UserId } from "../domain/User.ts"
import { Todos } from "../todos/Todos.ts"

/** A user with a random id, which no other test uses. */
export const newUser = (): { readonly id: UserId } => ({ id: UserId.make(`user-${randomUUID()}`) })

/**
 * Creates `count` todos for the current user, in order.
 *
 * @param todo returns the nth todo, from 1. By default its title is "Todo 1", "Todo 2", ...
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
