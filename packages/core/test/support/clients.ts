/** Clients for tests: with a pool of any size, or with a record of their statements. */
import { type CurrentUser, Services } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { asOwner, asSuperuser } from "./connections.ts"
import { layerPool } from "./host.ts"

/** The services on a new database, with a pool of this size. */
export const onPool = (poolSize: number) =>
  Services.layer.pipe(Layer.provideMerge(layerPool(poolSize)), Layer.provideMerge(TestDatabase.layer))

/** The statements that a client ran. A repeated statement counts each time. */
export class Ran {
  readonly texts: Array<string> = []
  count(part: string): number {
    return this.texts.filter((text) => text.includes(part)).length
  }
}

/** The services on a client that records its statements. */
export const onRecordedPool = (ran: Ran, poolSize = 10) => {
  const recorded = Layer.effect(
    SqlClient.SqlClient,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const unsafe = (text: string, parameters?: ReadonlyArray<unknown>) => {
        const statement = sql.unsafe(text, parameters)
        return new Proxy(statement, {
          get: (target, key) =>
            key === "values"
              ? Effect.suspend(() => {
                  ran.texts.push(text)
                  return target.values
                })
              : Reflect.get(target, key)
        })
      }
      return new Proxy(sql, { get: (target, key) => (key === "unsafe" ? unsafe : Reflect.get(target, key)) })
    })
  )
  return Services.layer.pipe(
    Layer.provideMerge(recorded),
    Layer.provideMerge(layerPool(poolSize)),
    Layer.provideMerge(TestDatabase.layer)
  )
}

/** Locks the row of a user while `self` runs, as a slow transaction would. */
export const whileHeld = <A, E, R>(
  { id }: typeof CurrentUser.Service,
  self: (release: Effect.Effect<void>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const held = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const holding = Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql`select 1 from todo.users where id = ${id} for update`.pipe(
        Effect.andThen(Deferred.succeed(held, undefined)),
        Effect.andThen(Deferred.await(go)),
        sql.withTransaction
      )
    )
    const holder = yield* Effect.forkChild(asSuperuser(holding))
    yield* Deferred.await(held)
    const release = Effect.andThen(Deferred.succeed(go, undefined), Effect.ignore(Fiber.join(holder)))
    return yield* Effect.ensuring(self(release), release)
  })

/** The transactions that wait for a lock, with the time when each began. */
export const waiting = asSuperuser(
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ since: string }>`select xact_start::text as since from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
  )
)

/** Replaces parts of a database function, to show that a test fails without them. Each part must exist. */
export const broken = (name: string, ...changes: ReadonlyArray<readonly [part: string, by: string]>) =>
  asOwner(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [found] = yield* sql<{ source: string }>`
        select pg_get_functiondef(p.oid) as source from pg_proc p
        where pronamespace = 'todo'::regnamespace and proname = ${name}`
      let source = found?.source ?? ""
      for (const [part, by] of changes) {
        if (!source.includes(part)) return yield* Effect.die(`${name} has no "${part}"`)
        source = source.replaceAll(part, by)
      }
      yield* sql.unsafe(source)
    })
  )

/** Deletes from a table fail with 57P01 while `self` runs: those of rows that fulfil the condition. */
export const whileDeletesFail =
  (table: string, condition: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      asOwner(
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql.withTransaction(
            Effect.andThen(
              sql.unsafe(`create function todo.stop() returns trigger language plpgsql as
                $$ begin raise exception 'stop' using errcode = '57P01'; end $$`),
              sql.unsafe(`create trigger stop before delete on todo.${table} for each row when (${condition})
                execute function todo.stop()`)
            )
          )
        )
      ),
      () => self,
      () =>
        Effect.orDie(
          asOwner(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("drop function todo.stop() cascade")))
        )
    )

/** The numbers from 0 to below `length`. */
export const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, n) => n)
