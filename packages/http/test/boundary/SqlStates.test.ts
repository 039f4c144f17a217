import { randomUUID } from "node:crypto"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { beforeAll, describe, expect, it } from "vitest"
import { bearer, exchange, type Sample } from "../support/load.ts"
import { answers, settings, start, useDatabase } from "../support/program.ts"

interface Meaning {
  /** The response to a read. */
  readonly read: 500 | 503
  /** The response to a write, and its outcome. */
  readonly write: 409 | 500 | 503
  readonly outcome?: "not-applied" | "unknown"
  /** The number of attempts of a read and of a write. */
  readonly attempts: readonly [read: number, write: number]
}

const passing: Meaning = { read: 503, write: 503, outcome: "not-applied", attempts: [1, 1] }
const unknown: Meaning = { read: 503, write: 503, outcome: "unknown", attempts: [6, 1] }
const conflict: Meaning = { read: 503, write: 409, attempts: [6, 6] }
const ours: Meaning = { read: 500, write: 500, attempts: [1, 1] }
const isPrepared = process.env["TEST_POOLER"] === undefined
/** With prepared statements, the driver treats this state as an outdated plan and plans again. */
const stale: Meaning = isPrepared ? { ...ours, attempts: [2, 2] } : ours

/** One or more SQLSTATEs of every class (PostgreSQL, appendix A). */
const states: ReadonlyArray<readonly [code: string, name: string, meaning: Meaning]> = [
  ["01000", "warning", ours],
  ["02000", "no data", ours],
  ["03000", "statement not yet complete", ours],
  ["08000", "connection exception", unknown],
  ["08006", "connection failure", unknown],
  ["08P01", "protocol violation", unknown],
  ["09000", "triggered action exception", ours],
  ["0A000", "feature not supported", stale],
  ["0B000", "invalid transaction initiation", ours],
  ["0F000", "locator exception", ours],
  ["0L000", "invalid grantor", ours],
  ["0P000", "invalid role", ours],
  ["0Z000", "diagnostics exception", ours],
  ["20000", "case not found", ours],
  ["21000", "cardinality violation", ours],
  ["22003", "number out of range", ours],
  ["22P02", "invalid text representation", ours],
  ["23502", "not null violation", ours],
  ["23505", "unique violation", ours],
  ["23514", "check violation", ours],
  ["24000", "invalid cursor state", ours],
  ["25001", "active transaction", ours],
  ["25006", "read only transaction", passing],
  ["25P03", "idle in transaction too long", passing],
  ["25P04", "transaction too long", passing],
  ["26000", "invalid statement name", stale],
  ["27000", "triggered data change violation", ours],
  ["28000", "invalid authorization", passing],
  ["28P01", "invalid password", passing],
  ["2B000", "dependent privilege descriptors", ours],
  ["2D000", "invalid transaction termination", ours],
  ["2F000", "routine exception", ours],
  ["34000", "invalid cursor name", ours],
  ["38000", "external routine exception", ours],
  ["39000", "external routine invocation exception", ours],
  ["3B000", "savepoint exception", ours],
  ["3D000", "invalid catalog name", passing],
  ["3F000", "invalid schema name", ours],
  ["40001", "serialization failure", conflict],
  ["40P01", "deadlock detected", conflict],
  ["40003", "statement completion unknown", unknown],
  ["42501", "insufficient privilege", ours],
  ["42P01", "undefined table", ours],
  ["44000", "with check option violation", ours],
  ["53100", "disk full", passing],
  ["53200", "out of memory", passing],
  ["53300", "too many connections", passing],
  ["53400", "configuration limit exceeded", passing],
  ["54000", "program limit exceeded", ours],
  ["55P03", "lock not available", passing],
  ["55000", "object not in prerequisite state", ours],
  ["57014", "query canceled", passing],
  ["57P01", "admin shutdown", unknown],
  ["57P02", "crash shutdown", unknown],
  ["57P03", "cannot connect now", unknown],
  ["57P05", "idle session timeout", unknown],
  ["58030", "io error", ours],
  ["72000", "snapshot too old", ours],
  ["F0000", "config file error", ours],
  ["HV000", "foreign data wrapper error", ours],
  ["P0001", "raised exception", ours],
  ["XX000", "internal error", ours],
  ["XX001", "data corrupted", ours]
]

/** All of them in long runs, otherwise one of each meaning. */
const tried =
  process.env["TODO_TEST_ROUNDS"] === "many" ? states : [...new Map(states.map((state) => [state[2], state])).values()]

describe("An SQLSTATE of PostgreSQL is answered", () => {
  const urls = useDatabase()
  const asSuperuser = (...statements: ReadonlyArray<string>) =>
    Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach(statements, (statement) => sql.unsafe<{ n: string }>(statement))
      ).pipe(Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 })))
    )

  /** Makes the next statements fail with a state, at each row that is read or at the commit of a write. */
  const failing = (where: "read" | "write", code: string) =>
    asSuperuser(`update broken set site = '${where}', code = '${code}'`, "alter sequence attempts restart")
  const attempts = async () => {
    const [rows] = await asSuperuser("select nextval('attempts')::text as n")
    return Number(rows?.[0]?.n) - 1
  }

  beforeAll(() =>
    asSuperuser(
      "create table broken (site text, code text)",
      "insert into broken values ('nowhere', '')",
      "create sequence attempts",
      "grant select on broken to todo_runtime, todo_owner",
      "grant usage on sequence attempts to todo_runtime, todo_owner",
      `create function fail(here text) returns boolean language plpgsql as $$
       declare told public.broken;
       begin
         select * into told from public.broken;
         if told.site <> here then return true; end if;
         perform nextval('public.attempts');
         raise exception using errcode = told.code, message = 'canary of the database';
       end $$`,
      `create function fail_write() returns trigger language plpgsql as $$
       begin perform public.fail('write'); return null; end $$`,
      "create constraint trigger broken after insert on todo.todos deferrable initially deferred for each row execute function fail_write()",
      "create policy broken on todo.todos as restrictive for select using (public.fail('read'))"
    )
  )

  const expectAnswer = (answer: Sample, code: string, status: number) => {
    const body = JSON.parse(answer.text)
    const says = { 409: "conflict", 500: "internal", 503: "unavailable" }[status]
    expect({ code, status: answer.status, says: body.code }).toEqual({ code, status, says })
    expect(answer.text).not.toMatch(/canary|SQLSTATE|select|plpgsql/)
    expect(answer.headers["retry-after"] !== undefined).toBe(status === 503)
    return body
  }

  it(
    "each SQLSTATE of the table is answered as the table says, in reads and in writes",
    { timeout: 300_000 },
    async () => {
      const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_LOG_FORMAT: "json" })
      const address = await program.address()
      await answers(address, "/readyz", 200)
      const headers = await bearer()
      const post = () =>
        exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: randomUUID() } })
      expect((await post()).status).toBe(201)

      const reported = new Map<string, string>()
      for (const [code, , meaning] of tried) {
        await failing("read", code)
        const read = await exchange(address, { headers, path: "/v1/todos" })
        const body = expectAnswer(read, code, meaning.read)
        expect([code, body.outcome]).toEqual([code, meaning.read === 503 ? "not-applied" : undefined])
        if (meaning.read >= 500) reported.set(body.requestId, code)
        expect([code, await attempts()]).toEqual([code, meaning.attempts[0]])

        await failing("write", code)
        const written = expectAnswer(await post(), code, meaning.write)
        expect([code, written.outcome]).toEqual([code, meaning.outcome])
        if (meaning.write >= 500) reported.set(written.requestId, code)
        expect([code, await attempts()]).toEqual([code, meaning.attempts[1]])
      }
      await failing("read", "nowhere")
      await asSuperuser("update broken set site = 'nowhere'")
      expect(JSON.parse((await exchange(address, { headers, path: "/v1/todos" })).text).items).toHaveLength(1)

      // The log has the state of each 500 and 503 under the request id of the response.
      const causes = () =>
        new Map(
          program
            .stdout()
            .split("\n")
            .filter((line) => line.includes("request failed"))
            .map((line) => JSON.parse(line).annotations)
            .map(({ errors: [error], requestId }) => [requestId, (error.cause ?? error).sqlState])
        )
      expect(reported.size).toBeGreaterThan(tried.length)
      await expect.poll(() => [...reported].filter(([id, code]) => causes().get(id) !== code)).toEqual([])
      expect(program.stdout()).not.toContain("canary")
    }
  )

  it("a forged cursor with a value of the wrong type is answered 400", async () => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL })
    const address = await program.address()
    const headers = await bearer()
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    for (let n = 0; n < 2; n++) expect((await post()).status).toBe(201)
    const { nextCursor } = JSON.parse((await exchange(address, { headers, path: "/v1/todos?limit=1" })).text)
    await failing("read", "22P02")
    const answer = await exchange(address, { headers, path: `/v1/todos?limit=1&cursor=${nextCursor}` })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, "invalid-cursor"])
    await asSuperuser("update broken set site = 'nowhere'")
  })

  // Behind a pooler the limits are set on the role: see DatabaseSettings.
  it.skipIf(!isPrepared)("limits of statements, locks and idle transactions hold on each connection", async () => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL })
    const address = await program.address()
    await answers(address, "/readyz", 200)
    const [rows] = await asSuperuser(
      "create table seen (name text, setting text)",
      "grant insert on seen to todo_runtime"
    )
    expect(rows).toEqual([])
    await asSuperuser(
      `create or replace function fail_write() returns trigger language plpgsql security invoker as $$
       begin
         insert into public.seen select name, setting from pg_settings
         where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout');
         return null;
       end $$`
    )
    const headers = await bearer()
    const post = () => exchange(address, { headers, method: "POST", path: "/v1/todos", json: { title: "a" } })
    expect((await post()).status).toBe(201)
    const [, seen] = await asSuperuser("select 1 as n", "select name || '=' || setting as n from seen order by 1")
    expect(seen?.map(({ n }) => n)).toEqual([
      "idle_in_transaction_session_timeout=10000",
      "lock_timeout=3000",
      "statement_timeout=5000"
    ])
    await asSuperuser(
      `create function sleep() returns trigger language plpgsql as $$
       begin perform pg_sleep(20); return null; end $$`,
      "create trigger sleep after insert on todo.todos for each row execute function sleep()"
    )
    const slow = await post()
    expect([slow.status, JSON.parse(slow.text).outcome]).toEqual([503, "not-applied"])
    expect(slow.milliseconds).toBeGreaterThan(4_500)
    expect(slow.milliseconds).toBeLessThan(9_000)
  })
})
