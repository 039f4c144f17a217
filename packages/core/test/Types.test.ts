/** Tests of types: `tsc -b` fails if one is wrong. */
import { expectTypeOf, it } from "@effect/vitest"
import {
  type Accounts,
  type Changes,
  CurrentUser,
  type IfRevision,
  type InvalidInput,
  type Lists,
  Services,
  type TodoOperation,
  Todos,
  UserId
} from "@todo/core"
import { createTodos, type Methods, type Outcome } from "@todo/core/promise"
import { type Brand, Effect, type Stream } from "effect"
import { SqlClient } from "effect/sql"

/** The names of the errors of each method. */
type Errors<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends
    | Effect.Effect<unknown, infer E, CurrentUser>
    | ((...input: never) => Effect.Effect<unknown, infer E, CurrentUser> | Stream.Stream<unknown, infer E, CurrentUser>)
    ? E extends { readonly _tag: infer Tag }
      ? Tag
      : never
    : never
}

/** The requirements of each method. */
type Needs<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends
    | Effect.Effect<unknown, unknown, infer R>
    | ((...input: never) => Effect.Effect<unknown, unknown, infer R> | Stream.Stream<unknown, unknown, infer R>)
    ? R
    : never
}

type Needed<Service> = { readonly [Name in keyof Service]: CurrentUser }

/** The errors of every write. */
type Write = "UserDisabled" | "Unavailable" | "Conflict" | "WriteRefused"
type Key = "IdempotencyKeyReused" | "IdempotencyKeyInUse"

it("the errors of each method are the documented ones", () => {
  expectTypeOf<Errors<Todos["Service"]>>().toEqualTypeOf<{
    readonly create: Write | Key | "InvalidInput" | "ListNotFound"
    readonly get: "TodoNotFound" | "Unavailable"
    readonly list: "InvalidInput" | "InvalidCursor" | "Unavailable"
    readonly put: Write | "InvalidInput" | "ListNotFound" | "RevisionMismatch"
    readonly update: Write | "InvalidInput" | "ListNotFound" | "TodoNotFound" | "RevisionMismatch"
    readonly complete: Write | "TodoNotFound" | "RevisionMismatch"
    readonly reopen: Write | "TodoNotFound" | "RevisionMismatch"
    readonly delete: Write | "TodoNotFound" | "RevisionMismatch"
    readonly restore: Write | Key | "TodoNotFound" | "RevisionMismatch"
    readonly move: Write | Key | "InvalidInput" | "TodoNotFound" | "RevisionMismatch"
    readonly batch: Write | Key | "InvalidInput" | "TodoNotFound" | "ListNotFound" | "RevisionMismatch"
  }>()
  expectTypeOf<Errors<Lists["Service"]>>().toEqualTypeOf<{
    readonly create: Write | Key | "InvalidInput"
    readonly get: "ListNotFound" | "Unavailable"
    readonly list: "InvalidInput" | "InvalidCursor" | "Unavailable"
    readonly put: Write | "InvalidInput" | "RevisionMismatch"
    readonly update: Write | "InvalidInput" | "ListNotFound" | "RevisionMismatch"
    readonly delete: Write | "ListNotFound" | "ListNotEmpty" | "RevisionMismatch"
    readonly restore: Write | Key | "ListNotFound" | "RevisionMismatch"
    readonly move: Write | Key | "InvalidInput" | "ListNotFound" | "RevisionMismatch"
  }>()
  expectTypeOf<Errors<Changes["Service"]>>().toEqualTypeOf<{
    readonly page: "InvalidInput" | "InvalidCursor" | "CursorExpired" | "Unavailable"
    readonly stream: "InvalidInput" | "InvalidCursor" | "CursorExpired" | "Unavailable" | "UserDisabled"
  }>()
  expectTypeOf<Errors<Accounts["Service"]>>().toEqualTypeOf<{
    readonly me: "Unavailable"
    readonly isDisabled: "Unavailable"
  }>()
})

it("every method requires the user, and nothing else", () => {
  expectTypeOf<Needs<Todos["Service"]>>().toEqualTypeOf<Needed<Todos["Service"]>>()
  expectTypeOf<Needs<Lists["Service"]>>().toEqualTypeOf<Needed<Lists["Service"]>>()
  expectTypeOf<Needs<Changes["Service"]>>().toEqualTypeOf<Needed<Changes["Service"]>>()
  expectTypeOf<Needs<Accounts["Service"]>>().toEqualTypeOf<Needed<Accounts["Service"]>>()
})

it("code that forgets the user does not compile", () => {
  const program = Effect.flatMap(Todos, (todos) => todos.list({})).pipe(Effect.provide(Services.layer))
  const forgotten = (sql: SqlClient.SqlClient) => {
    const host = Effect.provideService(program, SqlClient.SqlClient, sql)
    // @ts-expect-error the user is missing
    void Effect.runPromise(host)
    // @ts-expect-error text without validation is not an id
    CurrentUser.of({ id: "alice" })
    return Effect.runPromise(Effect.provideService(host, CurrentUser, { id: UserId.make("alice") }))
  }
  expectTypeOf(forgotten).returns.resolves.toHaveProperty("items")

  const forgottenPromise = () => {
    const { todos } = createTodos({ url: "postgres://todo@localhost/todo" })
    // @ts-expect-error the user is missing
    void todos.list({})
    // @ts-expect-error the user is missing
    void todos.create({ title: "a" })
    return todos.get("alice", "an id as text")
  }
  expectTypeOf(forgottenPromise).returns.resolves.toHaveProperty("ok")
})

it("a promise has the errors of its method, and InvalidInput for a malformed id", () => {
  const { todos } = {} as ReturnType<typeof createTodos>
  type ErrorOf<Name extends keyof typeof todos> =
    Awaited<ReturnType<(typeof todos)[Name]>> extends infer Ended
      ? Ended extends { readonly ok: false; readonly error: infer E extends { readonly _tag: string } }
        ? E["_tag"]
        : never
      : never
  expectTypeOf<ErrorOf<"get">>().toEqualTypeOf<"TodoNotFound" | "Unavailable" | "InvalidInput">()
  expectTypeOf<ErrorOf<"complete">>().toEqualTypeOf<Write | "TodoNotFound" | "RevisionMismatch" | "InvalidInput">()
  expectTypeOf<keyof typeof todos>().toEqualTypeOf<keyof Todos["Service"]>()
  expectTypeOf<Parameters<(typeof todos)["restore"]>[1]>().toEqualTypeOf<string>()
})

/** Ids and keys are plain strings for promises. */
type Plain<T> =
  T extends Brand.Brand<string>
    ? Brand.Brand.Unbranded<T>
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T

/** What each method of a service takes and returns, when it is called with promises. */
type Promised<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends Effect.Effect<infer A, infer E, CurrentUser>
    ? [input: readonly [string], result: Outcome<A, E | InvalidInput>]
    : Service[Name] extends (...input: infer Input) => Effect.Effect<infer A, infer E, CurrentUser>
      ? [input: Plain<[string, ...Input]>, result: Outcome<A, E | InvalidInput>]
      : never
}

/** What each method takes and returns. */
type Written<Group> = {
  readonly [Name in keyof Group]: Group[Name] extends (...input: infer Input) => Promise<infer Result>
    ? [input: Plain<Input>, result: Result]
    : never
}

it("the methods with promises are those of the services, with the user in front", () => {
  expectTypeOf<Written<Methods["todos"]>>().toEqualTypeOf<Promised<Todos["Service"]>>()
  expectTypeOf<Written<Methods["lists"]>>().toEqualTypeOf<Promised<Lists["Service"]>>()
  expectTypeOf<Written<Methods["accounts"]>>().toEqualTypeOf<Promised<Accounts["Service"]>>()
  expectTypeOf<Written<Methods["changes"]>>().toEqualTypeOf<Promised<Omit<Changes["Service"], "stream">>>()
})

it("a transaction returns the result of its function, and fails with its error", () => {
  const check = async ({ transaction }: ReturnType<typeof createTodos>) => {
    const nothing = await transaction(async () => {})
    expectTypeOf(nothing).toExtend<
      { ok: true; value: void } | { ok: false; error: { _tag: "Unavailable" | "Conflict" } }
    >()
    const made = await transaction(({ todos }) => todos.create("alice", { title: "a" }))
    if (made.ok) expectTypeOf(made.value.title).toEqualTypeOf<string>()
    else expectTypeOf(made.error._tag).toEqualTypeOf<Write | Key | "InvalidInput" | "ListNotFound">()
    const plain = await transaction(async ({ todos }) => {
      const made = await todos.create("alice", { title: "a" })
      if (!made.ok) return made
      return Math.random() > 0.5 ? made.value : { ok: false, error: "out of stock" }
    })
    if (plain.ok) expectTypeOf(plain.value.title).toEqualTypeOf<string>()
    else expectTypeOf<"out of stock">().toExtend<typeof plain.error>()
    const literal = await transaction(async () => ({ ok: true, value: 7 }))
    if (literal.ok) expectTypeOf(literal.value).toExtend<number>()
    const none = await transaction(async () => null)
    if (none.ok) expectTypeOf(none.value).toEqualTypeOf<null>()
  }
  expectTypeOf(check).toBeFunction()
})

it("ifRevision has the same type everywhere", () => {
  type Expected<Options> = Exclude<
    Extract<Options, object> extends { readonly ifRevision?: infer E } ? E : never,
    undefined
  >
  type Promised = ReturnType<typeof createTodos>
  type OperationOf<Op> = Extract<TodoOperation, { readonly op: Op }>
  expectTypeOf<IfRevision>().toEqualTypeOf<number | "*" | ReadonlyArray<number>>()
  expectTypeOf<Expected<Parameters<Todos["Service"]["update"]>[2]>>().toEqualTypeOf<IfRevision>()
  expectTypeOf<Expected<Parameters<Lists["Service"]["delete"]>[1]>>().toEqualTypeOf<IfRevision>()
  expectTypeOf<Expected<Parameters<Promised["todos"]["update"]>[3]>>().toEqualTypeOf<IfRevision>()
  expectTypeOf<Expected<Parameters<Promised["lists"]["delete"]>[2]>>().toEqualTypeOf<IfRevision>()
  expectTypeOf<Expected<OperationOf<"update">>>().toEqualTypeOf<IfRevision>()
  expectTypeOf<Expected<OperationOf<"delete">>>().toEqualTypeOf<IfRevision>()
})
