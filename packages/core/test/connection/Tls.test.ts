/* oxlint-disable vitest/expect-expect -- expectAll asserts */
import { assert, describe, it } from "@effect/vitest"
import { Database } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Cause, Effect, Exit, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { isSqlError } from "effect/sql/SqlError"
import { afterAll, beforeAll } from "vitest"
import { at, startTlsServer } from "../support/tlsServer.ts"

let server: Awaited<ReturnType<typeof startTlsServer>>
beforeAll(async () => {
  server = await startTlsServer()
})
afterAll(() => server.stop())

/** `tls` or `plain` with the name in the client certificate, or the error and its hint. */
const outcome = (url: string): Promise<string> =>
  Effect.runPromise(
    Effect.exit(
      at(
        url,
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`select ssl, coalesce(client_dn, '') from pg_stat_ssl where pid = pg_backend_pid()`.values
        )
      )
    )
  ).then((exit) => {
    if (Exit.isSuccess(exit)) {
      const [ssl, name] = exit.value[0] ?? []
      return `${ssl === true ? "tls" : "plain"}${String(name)}`
    }
    const error = Cause.squash(exit.cause)
    if (!isSqlError(error)) return error instanceof Error ? error.message : String(error)
    const { cause } = error.reason
    return `${cause instanceof Error ? cause.message : ""}; ${Database.connectionHint(error) ?? "no hint"}`
  })

const expectAll = async (cases: ReadonlyArray<readonly [url: string, expected: string | RegExp]>) => {
  for (const [url, expected] of cases) {
    const found = await outcome(url)
    if (typeof expected === "string") assert.strictEqual(found, expected, url)
    else assert.match(found, expected, url)
    assert.notMatch(found, /canary/)
  }
}

const mustHaveTls = /no encryption.*the server demands TLS: write sslmode=require/

describe("a server with TLS and its own certificate authority", () => {
  it("sslmode determines whether a connection is encrypted", () =>
    expectAll([
      [server.url("either"), "tls"],
      [server.url("either", "sslmode=disable"), "plain"],
      [server.url("either", "sslmode=allow"), "plain"],
      [server.url("either", "sslmode=prefer"), "tls"],
      [server.url("either", "sslmode=require"), "tls"],
      [server.url("either", "ssl=true"), "tls"]
    ]))

  it("a role that requires TLS can connect, except with sslmode=disable, which gets a hint", () =>
    expectAll([
      [server.url("demands_tls"), "tls"],
      [server.url("demands_tls", "sslmode=allow"), "tls"],
      [server.url("demands_tls", "sslmode=require"), "tls"],
      [server.url("demands_tls", "sslmode=disable"), mustHaveTls]
    ]))

  it("a role that refuses TLS can connect with prefer and allow, because both are tried as in libpq", () =>
    expectAll([
      [server.url("demands_plain"), "plain"],
      [server.url("demands_plain", "sslmode=allow"), "plain"],
      [server.url("demands_plain", "sslmode=disable"), "plain"],
      [server.url("demands_plain", "sslmode=require"), /SSL encryption; no hint/]
    ]))

  it("the error of an unknown role is the one that the server sent over TLS", () =>
    expectAll([
      [server.url("nobody"), /role|user "nobody".*SSL encryption; no hint/],
      [server.url("nobody", "sslmode=allow"), /user "nobody".*SSL encryption; no hint/]
    ]))

  it("require, verify-ca and verify-full check sslrootcert, and only verify-full checks the host name", async () => {
    const ca = `sslrootcert=${server.file("ca.pem")}`
    const other = `sslrootcert=${server.file("other-ca.pem")}`
    const unknown = /name the file of that authority with sslrootcert/
    const named = `host=db.example&hostaddr=127.0.0.1&port=${server.port}`
    await expectAll([
      [server.url("either", `sslmode=require&${ca}`), "tls"],
      [server.url("either", `sslmode=require&${other}`), unknown],
      [server.url("either", `sslmode=verify-ca&${ca}`), "tls"],
      [server.url("either", `sslmode=verify-ca&${other}`), unknown],
      [server.url("either", `sslmode=verify-full&${ca}`), /write the host as in the certificate/],
      [`postgres://either@/postgres?${named}&sslmode=verify-full&${ca}`, "tls"],
      [`postgres://either@/postgres?${named}&sslmode=verify-full&${ca}&sslsni=0`, "tls"],
      [`postgres://either@/postgres?${named}&sslmode=verify-full&${other}`, unknown],
      [server.url("either", "sslrootcert=system"), unknown],
      [server.url("either", `sslmode=require&${ca}&sslcrl=${server.file("empty.crl")}`), "tls"],
      [
        server.url("either", `sslmode=require&${ca}&sslcrl=${server.file("revoked.crl")}`),
        /sslcrl: give the server a new/
      ],
      [server.url("either", `sslmode=require&${ca}&sslcrl=${server.file("ca.key")}`), /^sslcrl: does not hold/]
    ])
  })

  it("a client certificate is used with its key, also if the key has a passphrase", async () => {
    const certificate = `sslcert=${server.file("client.pem")}`
    const locked = `sslkey=${server.file("client-locked.key")}`
    const who = "tls/CN=with_certificate"
    const url = (parameters: string) => server.url("with_certificate", `sslmode=require&${parameters}`)
    await expectAll([
      [url(`${certificate}&sslkey=${server.file("client.key")}`), who],
      [server.url("with_certificate", `${certificate}&sslkey=${server.file("client.key")}`), who],
      [url(`${certificate}&${locked}&sslpassword=canary`), who],
      [url(`${certificate}&${locked}`), /^sslpassword: does not open/],
      [url(`${certificate}&${locked}&sslpassword=canary2`), /^sslpassword: does not open/],
      [url(`${certificate}&sslkey=${server.file("server.key")}`), /^sslkey: (is not the key of|others can read)/],
      [url(`${certificate}&sslkey=${server.file("open.key")}`), /^sslkey: others can read .*chmod 600/],
      [url(`${certificate}&sslkey=${server.file("client.pem")}`), /^sslkey: /],
      [url(""), /name it with sslcert, and its key with sslkey/],
      [url(`${certificate}&sslkey=${server.file("client.key")}&sslcertmode=disable`), /name it with sslcert/]
    ])
  })

  it("the URL limits the versions of TLS", () =>
    expectAll([
      [server.url("either", "sslmode=require&ssl_min_protocol_version=TLSv1.3"), "tls"],
      [server.url("either", "sslmode=require&ssl_max_protocol_version=TLSv1.2"), "tls"],
      [
        server.url("either", "sslmode=require&ssl_min_protocol_version=TLSv1&ssl_max_protocol_version=TLSv1.1"),
        /SSL|TLS|alert|protocol/i
      ]
    ]))

  it("the error has a hint if the server requires a password and the URL has none", () =>
    expectAll([
      [server.url("with_password"), /the URL has no password: add it, or set PGPASSWORD/],
      [server.url("with_password", "password=canary"), "tls"],
      [server.url("with_password", "sslmode=disable&password=canary"), "plain"]
    ]))

  it("a Unix socket works in each notation of libpq", async () => {
    const { close, directory } = await server.socket()
    try {
      await expectAll([
        [`postgres://either@/postgres?host=${directory}`, "plain"],
        [`postgresql:///postgres?host=${directory}&user=either`, "plain"],
        [`postgres://either@${encodeURIComponent(directory)}/postgres`, "plain"],
        [`postgres://either@${encodeURIComponent(directory)}:5432/postgres`, "plain"],
        [`postgres://either@localhost/postgres?host=${encodeURIComponent(directory)}`, "plain"]
      ])
    } finally {
      await close()
    }
  })

  it("a statement can be cancelled over TLS, and the connection then serves the next one", async () => {
    for (const parameters of ["", "sslmode=require", "sslmode=allow"]) {
      const found = await Effect.runPromise(
        at(
          server.url("demands_tls", parameters),
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            const stopped = yield* Effect.timeoutOption(sql`select pg_sleep(60)`, "300 millis")
            const rows = yield* sql`
              select count(*)::int from pg_stat_activity where usename = 'demands_tls' and query like '%pg_sleep(60)' and state = 'active'`
              .values
            return [stopped._tag, rows[0]?.[0]]
          })
        )
      )
      assert.deepStrictEqual(found, ["None", 0], parameters)
    }
  })

  it("large parameters and rows pass unchanged, also concurrently", async () => {
    const text = "ü".repeat(400_000)
    const lengths = await Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach(
          Array.from({ length: 24 }, (_, at) => at),
          (at) => Effect.map(sql`select ${at + text}::text`.values, ([row]) => row?.[0] === at + text),
          { concurrency: 8 }
        )
      ).pipe(Effect.provide(Database.layer({ url: Redacted.make(server.url("either")), poolSize: 4 })))
    )
    assert.deepStrictEqual(
      lengths,
      Array.from({ length: 24 }, () => true)
    )
  })
})

it.effect("a server without TLS is refused with a hint if the URL requires TLS, and used otherwise", () =>
  Effect.gen(function* () {
    const { adminUrl } = yield* TestDatabase
    const url = (parameters: string) => `${Redacted.value(adminUrl)}?${parameters}`
    yield* Effect.promise(() =>
      expectAll([
        [url(""), "plain"],
        [url("sslmode=prefer"), "plain"],
        [url("sslmode=allow"), "plain"],
        [url("sslmode=require"), /does not support TLS; the server has no TLS: switch it on there/]
      ])
    )
  }).pipe(Effect.provide(TestDatabase.layerEmpty))
)

it.effect("options and the application name of the URL override our defaults", () =>
  Effect.gen(function* () {
    const { adminUrl } = yield* TestDatabase
    const shown = (parameters: string) =>
      at(
        `${Redacted.value(adminUrl)}?${parameters}`,
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) =>
            sql`select current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('application_name')`
              .values
        )
      )
    assert.deepStrictEqual(yield* shown(""), [["5s", "3s", "todo"]])
    assert.deepStrictEqual(yield* shown("options=-c%20statement_timeout=7s&application_name=mine"), [
      ["7s", "3s", "mine"]
    ])
    assert.deepStrictEqual(yield* shown("options=--statement-timeout%3D8s%20-clock_timeout=1s"), [["8s", "1s", "todo"]])
    assert.deepStrictEqual(yield* shown("fallback_application_name=spare"), [["5s", "3s", "spare"]])
  }).pipe(Effect.provide(TestDatabase.layerEmpty))
)
