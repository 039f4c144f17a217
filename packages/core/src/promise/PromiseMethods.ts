/** The services' methods with promises for effects, made from their interfaces. */
import type * as Brand from "effect/Brand"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { Accounts } from "../accounts/Accounts.ts"
import { Changes } from "../changes/Changes.ts"
import type { InvalidInput } from "../domain/Errors.ts"
import { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import { IfRevision } from "../domain/Revision.ts"
import { TodoId } from "../domain/Todo.ts"
import { ListTodos } from "../domain/TodoList.ts"
import { CurrentUser, UserId } from "../domain/User.ts"
import { Lists } from "../lists/Lists.ts"
import { Todos } from "../todos/Todos.ts"
import { validateUnknown } from "../domain/validate.ts"

/**
 * How a call ended. What can go wrong in a well-written program (a todo that is gone, a
 * database that is away) is a value with a type, which the compiler makes the caller look
 * at: `catch` would get `unknown`, and nobody would know what to look for. `error._tag` tells
 * the errors of a method apart, each with its own data and a `message`. Promises reject
 * with what is a bug, here or in the host, and with that alone.
 */
export type Outcome<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** Ids, keys and cursors are any text here; what is not well-formed is `InvalidInput`. */
type Plain<T> =
  T extends Brand.Brand<string>
    ? Brand.Brand.Unbranded<T>
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T

/** A service's methods with the user in front, and their errors in what they return. */
type Promised<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends Effect.Effect<infer A, infer E, CurrentUser>
    ? (user: string) => Promise<Outcome<A, E | InvalidInput>>
    : Service[Name] extends (...input: infer Input) => Effect.Effect<infer A, infer E, CurrentUser>
      ? (user: string, ...input: Extract<Plain<Input>, ReadonlyArray<unknown>>) => Promise<Outcome<A, E | InvalidInput>>
      : never
}

/** Methods as `Todos`, `Lists`, `Accounts` and `Changes` describe them. */
export interface Methods {
  /** As `Todos` describes them. */
  readonly todos: Promised<Todos["Service"]>
  /** As `Lists` describes them. */
  readonly lists: Promised<Lists["Service"]>
  /** As `Accounts` describes them. */
  readonly accounts: Promised<Accounts["Service"]>
  /** As `Changes` describes them. */
  readonly changes: Promised<Omit<Changes["Service"], "stream">>
}

/** What the methods run on. */
export type Requirements = Todos | Lists | Changes | Accounts | SqlClient
export type Run = <A, E>(self: Effect.Effect<A, E, Requirements>) => Promise<Outcome<A, E>>

/** An end as a value. */
export const outcome = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Outcome<A, E>, never, R> =>
  Effect.match(self, {
    onFailure: (error) => ({ ok: false, error }),
    onSuccess: (value) => ({ ok: true, value })
  })

/** What TypeScript lets through: text that is no id, and options that nobody else looks at. */
type Check = (value: unknown) => Effect.Effect<unknown, InvalidInput>

const userId = validateUnknown(UserId, "/user")
/** The user of a call. */
export const checkedUser = (user: string) => Effect.map(userId(user), (id) => ({ id }))
const id = validateUnknown(TodoId, "/id")
const options = validateUnknown(
  Schema.UndefinedOr(
    Schema.Struct({
      ifRevision: Schema.optional(IfRevision),
      ifAbsent: Schema.optional(Schema.Boolean),
      idempotencyKey: Schema.optional(IdempotencyKey),
      todos: Schema.optional(ListTodos)
    })
  ),
  "/options"
)
/** The service looks at it. */
const input: Check = Effect.succeed

/** How each method's parameters are checked. */
type Checks<Service> = { readonly [Name in keyof Service]: ReadonlyArray<Check> }

const both = {
  create: [input, options],
  get: [id],
  list: [input],
  put: [id, input, options],
  update: [id, input, options],
  delete: [id, options],
  restore: [id, options],
  move: [id, input, options]
}
const listChecks: Checks<Lists["Service"]> = both
const todoChecks: Checks<Todos["Service"]> = {
  ...both,
  complete: [id, options],
  reopen: [id, options],
  batch: [input, options]
}
const accountChecks: Checks<Accounts["Service"]> = { me: [], isDisabled: [] }
const changeChecks: Checks<Omit<Changes["Service"], "stream">> = { page: [input] }

/** All methods, on what runs their effects. */
export const methods = (run: Run): Methods => ({
  todos: promised(run, Todos, todoChecks),
  lists: promised(run, Lists, listChecks),
  accounts: promised(run, Accounts, accountChecks),
  changes: promised(run, Changes, changeChecks)
})

type Called = Effect.Effect<unknown, unknown, CurrentUser>
type Method = Called | ((...input: ReadonlyArray<unknown>) => Called)

const promised = <Id extends Requirements, Service extends object, Kept extends Partial<Service>>(
  run: Run,
  tag: Context.Key<Id, Service>,
  checks: Checks<Kept>
): Promised<Kept> =>
  Object.fromEntries(
    Object.entries<ReadonlyArray<Check>>(checks).map(([name, parameters]) => [
      name,
      (user: string, ...given: ReadonlyArray<unknown>) =>
        run(
          Effect.gen(function* () {
            const current = yield* checkedUser(user)
            const values = yield* Effect.all(parameters.map((check, index) => check(given[index])))
            const service: object = yield* tag
            const method: Method = Reflect.get(service, name)
            return yield* Effect.provideService(
              Effect.isEffect(method) ? method : method(...values),
              CurrentUser,
              current
            )
          })
        )
    ])
  ) as unknown as Promised<Kept>
