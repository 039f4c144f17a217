/**
 * The services for programs without Effect: methods that take the user and return promises.
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

/** The value of a transaction by the result of its function: the `value` of an `Outcome`, or the result itself. */
export type Committed<Returned> = Returned extends { readonly ok: true; readonly value: infer A }
  ? A
  : Returned extends { readonly ok: false; readonly error: unknown }
    ? never
    : // The type of `ok` is only `boolean`, so it may be either.
      Returned extends { readonly ok: boolean; readonly value: infer A }
      ? A | Returned
      : Returned

/** The errors in the result of the function. */
type Failed<Returned> = Returned extends { readonly ok: infer Ok; readonly error: infer E }
  ? false extends Ok
    ? E
    : never
  : never

/** The result of `createTodos`. Every method takes the id of the user first and resolves to an `Outcome`. */
export interface TodosForPromises extends Methods {
  /** The change feed: `page`, and `stream`, which transactions do not have. */
  readonly changes: Methods["changes"] & {
    /**
     * The changes after `since`, and then every later change; see `Changes.stream`. Leaving the loop ends the stream. So does
     * `signal`: the loop throws its reason. Errors are thrown; they are the errors of `page`.
     */
    readonly stream: (
      user: string,
      query?: Pick<ChangeQuery, "since">,
      options?: { readonly signal?: AbortSignal | undefined }
    ) => AsyncIterable<LiveChange>
  }

  /**
   * Runs calls and SQL statements of the host in one transaction.
   *
   * - If `run` throws or rejects, the transaction rolls back and rejects with the same error.
   * - If `run` returns a failure (an object with `ok: false` and an `error`), it rolls back and resolves to that failure.
   * - Any other result commits. The `value` is that of an object with `ok: true` and a `value`, or else the result itself.
   *
   * Only the result itself is checked. An array with failures in it commits, so check each outcome and return the failure
   * or throw.
   *
   * Calls of `within` run one after the other, and reject after the end. Nothing is repeated: on a `Conflict` with the reason
   * `concurrent-writes`, call `transaction` again. Calls outside of `within` are not part of the transaction, and a write
   * for the same user would wait for it.
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
   * The services and the `SqlClient` behind the methods. `createHandler({ todos })` of `@todo/http` uses them to serve the API
   * with the same pool, schema and hooks.
   */
  readonly services: Effect.Effect<Context.Context<Requirements>>

  /** Upgrades the schema to this release; see `Migrations.up`. The role has to be the owner of the tables. */
  readonly migrate: (
    options?: Pick<Migrations.UpOptions, "runtimeRole">
  ) => Promise<
    Outcome<
      Migrations.Upgrade,
      EncodingUnsupported | Migrations.MigrationFailed | Migrations.SchemaMismatch | Unavailable
    >
  >

  /** Ends streams without waiting for other calls, and closes the pool of `url`. `await using` calls it. */
  readonly close: () => Promise<void>
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** The options of `createTodos`: the URL of a database, or the `SqlClient` of the host. */
export type TodosOptions = (
  | {
      /** `postgres://user:password@host:5432/database`. `createTodos` opens its own pool. */
      readonly url: string
      /** The maximum number of connections. Default: 10. */
      readonly poolSize?: number | undefined
      /** Set it to `false` behind poolers in transaction mode that lose prepared statements. Default: true. */
      readonly prepare?: boolean | undefined
    }
  | {
      /** The `SqlClient` of the host. `close` leaves it open. */
      readonly sql: SqlClient.SqlClient
    }
) & {
  /** The schema of the tables. Default: `todo`. */
  readonly schema?: string | undefined
  /** Hooks that run in the transaction of each write. */
  readonly hooks?: PromisedHooks | undefined
}

/** The services of users, with hooks that are written with promises. Throws a `TypeError` if a hook is invalid. */
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
 * Creates the services for a host without Effect. A host with Effect uses `Services.layer`, which joins an open transaction.
 *
 * It takes a connection string or an Effect `SqlClient`. It does not take a client or pool of `pg` or `postgres.js`, because
 * it cannot join a transaction of theirs. To commit rows of the host together with todos, use `transaction` and its `query`.
 *
 * Throws a `TypeError` if `url`, `sql` or a hook is invalid. It connects on first use.
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

/** Turns the result of the function of a transaction into a success or a failure. Only a failure rolls back. */
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
/** Checks `sql` for hosts in JavaScript, because a pool of another driver would only fail at the first call. */
const validSql = (sql: SqlClient.SqlClient): SqlClient.SqlClient => {
  if (typeof sql === "function" && "transactionService" in sql) return sql
  throw new TypeError(
    "sql must be a SqlClient of Effect; pools of pg and postgres.js cannot be shared, pass their `url`"
  )
}
const validSchema = Schema.decodeUnknownSync(SchemaNameValue)

/** Fails with the reason of the signal when it aborts. Without a signal it never ends. */
const aborted = (signal: AbortSignal | undefined): Effect.Effect<never, unknown> =>
  signal === undefined
    ? Effect.never
    : Effect.callback((resume) => {
        const abort = () => resume(Effect.fail(signal.reason))
        if (signal.aborted) return abort()
        signal.addEventListener("abort", abort, { once: true })
        return Effect.sync(() => signal.removeEventListener("abort", abort))
      })
