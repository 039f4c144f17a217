/** The methods of the services with promises, derived from the interfaces of the services. */
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
 * The result of a call. Expected errors, such as a missing todo or an unreachable database, are typed values, so that the
 * compiler makes the caller handle them. `error._tag` distinguishes them; each has its own data and a `message`. Promises
 * only reject because of bugs, of this package or of the host.
 */
export type Outcome<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** Ids, keys and cursors are plain strings here. An invalid one is `InvalidInput`. */
type Plain<T> =
  T extends Brand.Brand<string>
    ? Brand.Brand.Unbranded<T>
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T

/** The methods of a service with the user as first parameter and an `Outcome` as result. */
type Promised<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends Effect.Effect<infer A, infer E, CurrentUser>
    ? (user: string) => Promise<Outcome<A, E | InvalidInput>>
    : Service[Name] extends (...input: infer Input) => Effect.Effect<infer A, infer E, CurrentUser>
      ? (user: string, ...input: Extract<Plain<Input>, ReadonlyArray<unknown>>) => Promise<Outcome<A, E | InvalidInput>>
      : never
}

/** The methods of `Todos`, `Lists`, `Accounts` and `Changes` with promises. Each takes the id of the user first. */
export interface Methods {
  /** The methods of `Todos`. */
  readonly todos: Promised<Todos["Service"]>
  /** The methods of `Lists`. */
  readonly lists: Promised<Lists["Service"]>
  /** The methods of `Accounts`. */
  readonly accounts: Promised<Accounts["Service"]>
  /** The methods of `Changes`, without `stream`. */
  readonly changes: Promised<Omit<Changes["Service"], "stream">>
}

/** The services that the methods need. */
export type Requirements = Todos | Lists | Changes | Accounts | SqlClient
/** Runs an effect with the services. */
export type Run = <A, E>(self: Effect.Effect<A, E, Requirements>) => Promise<Outcome<A, E>>

/** Turns the success or the failure of an effect into an `Outcome`. */
export const outcome = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Outcome<A, E>, never, R> =>
  Effect.match(self, {
    onFailure: (error) => ({ ok: false, error }),
    onSuccess: (value) => ({ ok: true, value })
  })

/** Checks that TypeScript cannot make: the form of ids, and options that the services do not validate. */
type Check = (value: unknown) => Effect.Effect<unknown, InvalidInput>

const userId = validateUnknown(UserId, "/user")
/** Validates the user of a call. */
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
/** No check here, because the service validates its input. */
const input: Check = Effect.succeed

/** One check for each parameter of each method. */
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

/** Builds all methods. `run` runs their effects. */
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
