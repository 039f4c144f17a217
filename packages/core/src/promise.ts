/**
 * The services for programs that are not written with Effect: methods that take the user
 * and return promises.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Changes, type LiveChange } from "./changes/Changes.ts"
import * as Database from "./database/Database.ts"
import type { ChangeQuery } from "./domain/Change.ts"
import type { Conflict, Unavailable } from "./domain/Errors.ts"
import { CurrentUser } from "./domain/User.ts"
import { Hooks } from "./writes/Hooks.ts"
import { assertHooks, type HookTransaction, type PromisedHooks, toWriteHooks } from "./promise/PromiseHooks.ts"
import {
  checkedUser,
  type Methods,
  methods,
  type Outcome,
  outcome,
  type Requirements,
  type Run
} from "./promise/PromiseMethods.ts"
import {
  assertNoEffect,
  isFailure,
  isSuccess,
  type Transaction,
  withTransaction
} from "./promise/PromiseTransaction.ts"
import { toTransactionError } from "./database/SqlErrors.ts"
import { ConnectionQueue, queued } from "./database/ConnectionQueue.ts"
import type { EncodingUnsupported } from "./schema/Encoding.ts"
import * as Migrations from "./schema/Migrations.ts"
import { SchemaName, SchemaNameValue } from "./schema/SchemaName.ts"
import * as Services from "./Services.ts"

export type { HookTransaction, Methods, Outcome, PromisedHooks, Transaction }

/** The value of a transaction whose function returned this: that of an `Outcome`, or what was returned itself. */
export type Committed<Returned> = Returned extends { readonly ok: true; readonly value: infer A }
  ? A
  : Returned extends { readonly ok: false; readonly error: unknown }
    ? never
    : // Where the compiler knows no more of `ok` than that it is a boolean, it can be either.
      Returned extends { readonly ok: boolean; readonly value: infer A }
      ? A | Returned
      : Returned

/** The errors among what was returned. */
type Failed<Returned> = Returned extends { readonly ok: infer Ok; readonly error: infer E }
  ? false extends Ok
    ? E
    : never
  : never

/**
 * What `createTodos` gives. Every method takes the user's id in the first place, and its promise
 * gives an `Outcome`: errors are values in it.
 */
export interface TodosForPromises extends Methods {
  /** `page` as in a transaction, and `stream`, which is of no transaction. */
  readonly changes: Methods["changes"] & {
    /**
     * The changes after `since`, and then each as it happens, as `Changes.stream` does. Leaving
     * the loop ends it; so does `signal`, whose reason is thrown as other iterators of the
     * platform throw it. A failure is thrown as well, the same as the errors of `page`.
     */
    readonly stream: (
      user: string,
      query?: Pick<ChangeQuery, "since">,
      options?: { readonly signal?: AbortSignal | undefined }
    ) => AsyncIterable<LiveChange>
  }

  /**
   * Runs calls, and statements of the host's, in one transaction.
   *
   * It rolls back where `run` rejects or throws, and rejects with the same, and where `run` returns a failure: an
   * object with `ok: false` and an `error`, such as every method gives, or one of the host's own. That is what the
   * caller gets. With whatever else `run` returns it commits: the `value` is that of an object with `ok: true` and a
   * `value`, otherwise what was returned, `undefined` and `null` too. Only the returned value itself is looked at: an
   * array that has failures in it commits, so look at each outcome, and return the failure or throw.
   *
   * Calls of `within` run one after the other, also where several are made at once; after the end they reject.
   * Nothing is repeated: on a `Conflict` with the reason `concurrent-writes` call it again. Calls outside of `within`
   * are not part of it, and one for the same user would wait for it.
   *
   * @example
   * const made = await transaction(async ({ query, todos }) => {
   *   const made = await todos.create("alice", { title: "Pack" })
   *   if (!made.ok) return made
   *   await query("insert into orders (todo_id) values ($1)", [made.value.id])
   *   return made.value
   * })
   */
  readonly transaction: <const Returned>(
    run: (within: Transaction) => Returned | Promise<Returned>
  ) => Promise<
    Outcome<Committed<Awaited<Returned>>, Exclude<Failed<Awaited<Returned>>, SqlError> | Unavailable | Conflict>
  >

  /**
   * The services and the `SqlClient` that all this works on. `createHandler({ todos })` of `@todo/http` serves the API
   * on them, with the same pool, schema and hooks.
   */
  readonly services: Effect.Effect<Context.Context<Requirements>>

  /** Brings the schema up to this release, as `Migrations.up` does: as the owner of the tables. */
  readonly migrate: (
    options?: Pick<Migrations.UpOptions, "runtimeRole">
  ) => Promise<
    Outcome<
      Migrations.Upgrade,
      EncodingUnsupported | Migrations.MigrationFailed | Migrations.SchemaMismatch | Unavailable
    >
  >

  /** Ends streams, waits for nothing else, and closes the pool where it is ours. Also at the end of `await using`. */
  readonly close: () => Promise<void>
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** What it works on: a database of which it has a pool, or the host's `SqlClient`. */
export type TodosOptions = (
  | {
      /** `postgres://user:password@host:5432/database`, for a pool of its own. */
      readonly url: string
      /** How many connections at most; 10 where nothing is said. */
      readonly poolSize?: number | undefined
      /** `false` behind poolers in transaction mode that keep no prepared statements. */
      readonly prepare?: boolean | undefined
    }
  | {
      /** The `SqlClient` of a host that has one. It stays the host's, and open. */
      readonly sql: SqlClient.SqlClient
    }
) & {
  /** The schema that holds the tables; `todo` where nothing is said. */
  readonly schema?: string | undefined
  /** What the host does within each write. */
  readonly hooks?: PromisedHooks | undefined
}

/** Every user-scoped service, with hooks that are written with promises. Throws where these cannot be any. */
export const layerServices = (
  hooks: PromisedHooks | undefined
): Layer.Layer<Exclude<Requirements, SqlClient.SqlClient>, never, SqlClient.SqlClient> => {
  if (hooks === undefined) return Services.layer
  assertHooks(hooks)
  return Layer.effectContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const built: { services?: Context.Context<Requirements> } = {}
      const known = () => {
        if (built.services === undefined) throw new Error("A hook ran before the services were built")
        return built.services
      }
      const services = yield* Layer.build(
        Layer.fresh(Services.layer).pipe(Layer.provide(Layer.succeed(Hooks, toWriteHooks(hooks, known))))
      )
      built.services = Context.add(services, SqlClient.SqlClient, sql)
      return services
    })
  )
}

/**
 * The services for a host whose own are not Effect.
 *
 * It takes a connection string or an Effect `SqlClient`, and neither a client nor a pool of
 * `pg` or `postgres.js`: a transaction that one of those has open cannot be joined. Rows of the
 * host's that must commit with todos are written by `transaction`, through its `query`.
 * A host that is Effect takes `Services.layer`, which joins whatever transaction is open.
 *
 * Throws where `url` or `schema` is not well-formed; connects when it is used first.
 *
 * @example
 * const { close, todos } = createTodos({ url: "postgres://todo_runtime@localhost/app" })
 * const made = await todos.create("alice", { title: "Buy milk" })
 * if (!made.ok) throw new Error(made.error.message)
 * await todos.complete("alice", made.value.id)
 * await close()
 */
export const createTodos = (options: TodosOptions): TodosForPromises => {
  const database =
    "sql" in options
      ? Layer.succeed(SqlClient.SqlClient, validSql(options.sql))
      : Database.layer({ ...options, url: Redacted.make(validUrl(options.url)) })
  const runtime = ManagedRuntime.make(
    layerServices(options.hooks).pipe(
      Layer.provideMerge(database),
      Layer.provideMerge(Layer.succeed(SchemaName, validSchema(options.schema ?? "todo")))
    )
  )
  let isClosed = false
  const close = () => {
    isClosed = true
    return runtime.dispose()
  }
  const run: Run = (self) =>
    isClosed ? Promise.reject(new Error("createTodos: closed")) : runtime.runPromise(outcome(self))
  const all = methods(run)

  return {
    ...all,
    changes: {
      ...all.changes,
      stream: (user, query = {}, { signal } = {}) =>
        Stream.toAsyncIterable(
          Stream.unwrap(
            Effect.map(Effect.all([checkedUser(user), runtime.contextEffect]), ([current, context]) =>
              Context.get(context, Changes)
                .stream(query)
                .pipe(Stream.provideContext(Context.add(context, CurrentUser, current)))
            )
          ).pipe(Stream.interruptWhen(aborted(signal)))
        )
    },
    transaction: (body) =>
      run(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const inside = withTransaction(sql, (within) =>
            Effect.flatMap(
              Effect.promise(async () => body(within)),
              committed
            )
          )
          return yield* toTransactionError(queued(yield* ConnectionQueue)(sql.withTransaction(inside)))
        })
      ) as Promise<Outcome<never, never>>,
    services: Effect.suspend(() => Effect.orDie(runtime.contextEffect)),
    migrate: (options) => run(Migrations.up(options)),
    close,
    [Symbol.asyncDispose]: close
  }
}

/** What the function of a transaction returned, as its end: only a failure rolls back. */
const committed = (returned: unknown): Effect.Effect<unknown, unknown> => {
  assertNoEffect("The function of the transaction", returned)
  if (isFailure(returned)) return Effect.fail(returned.error)
  return Effect.succeed(isSuccess(returned) ? returned.value : returned)
}

const validUrl = (url: string): string => {
  const problem = Database.urlProblem(url)
  if (problem !== undefined) throw new TypeError(`url: ${problem}`)
  return url
}
/** Hosts may not be written in TypeScript, and a pool of another driver would fail at the first call only. */
const validSql = (sql: SqlClient.SqlClient): SqlClient.SqlClient => {
  if (typeof sql === "function" && "transactionService" in sql) return sql
  throw new TypeError("sql: a SqlClient of Effect; pools of pg and postgres.js cannot be shared, give their `url`")
}
const validSchema = Schema.decodeUnknownSync(SchemaNameValue)

/** Never, or as the signal says. */
const aborted = (signal: AbortSignal | undefined): Effect.Effect<never, unknown> =>
  signal === undefined
    ? Effect.never
    : Effect.callback((resume) => {
        const abort = () => resume(Effect.fail(signal.reason))
        if (signal.aborted) return abort()
        signal.addEventListener("abort", abort, { once: true })
        return Effect.sync(() => signal.removeEventListener("abort", abort))
      })
