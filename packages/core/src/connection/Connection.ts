/**
 * Reads a database URL and the `PG...` variables, which supply missing parts. Every parameter is either supported or refused
 * by name, never ignored.
 */
import { isIP } from "node:net"
import { userInfo } from "node:os"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as ConnectionUrl from "./ConnectionUrl.ts"
import { type Encryption, fromParameters } from "./Encryption.ts"
import { InvalidDatabaseUrl } from "./InvalidDatabaseUrl.ts"
import * as Parameters from "./Parameters.ts"

/** The parameters of a database connection. */
export interface Connection {
  /** The server's name or address, or the directory of its Unix socket. */
  readonly host: string
  /** The address to connect to: `hostaddr`, or else `host`. */
  readonly address: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Redacted.Redacted | undefined
  readonly applicationName: string | undefined
  readonly fallbackApplicationName: string | undefined
  /** Options for the server, such as `-c statement_timeout=60000`. */
  readonly options: string | undefined
  readonly connectTimeout: Duration.Duration
  readonly keepAlive: Duration.Duration | undefined
  readonly encryption: Encryption
}

const refuse = (parameter: string, why: string) => Result.fail(new InvalidDatabaseUrl({ parameter, why }))

/** The user of this process, if it has a name. */
const systemUser = (): string | undefined => Result.getOrUndefined(Result.try(() => userInfo().username))

const spelling = "write postgres://user:password@host:5432/database, or postgres://user@/database?host=/run/postgresql"

/** Reads a URL. `environment` has the `PG...` variables. Fails by the name of the first invalid parameter. */
export const read = (url: string, environment: Parameters.Environment): Result.Result<Connection, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const given = yield* Parameters.check(yield* ConnectionUrl.parse(url), environment)
    const text = (name: Parameters.Name) => given.get(name)?.value
    const whole = (name: Parameters.Name, minimum: number, maximum: number) => {
      const found = given.get(name)
      if (found === undefined) return Result.succeed(undefined)
      const number = /^\d{1,9}$/.test(found.value) ? Number(found.value) : -1
      return number >= minimum && number <= maximum
        ? Result.succeed(number)
        : refuse(found.shown, `must be a whole number from ${minimum} to ${maximum}`)
    }

    const host = text("host") ?? text("hostaddr")
    if (host === undefined) return yield* refuse("host", `is missing; ${spelling}`)
    for (const name of ["host", "hostaddr", "port"] as const) {
      const found = given.get(name)
      if (found?.value.includes(",") === true && !found.value.startsWith("/")) {
        const why =
          "several servers are not supported; name one, such as a proxy or the provider's endpoint that follows the primary"
        return yield* refuse(found.shown, why)
      }
    }
    if (/[@\s]/.test(host))
      return yield* refuse(given.get("host")?.shown ?? "host", `cannot contain @ or spaces; ${spelling}`)
    const address = given.get("hostaddr")
    if (address !== undefined && isIP(address.value) === 0) return yield* refuse(address.shown, "must be an IP address")
    const database = text("dbname")
    if (database === undefined) return yield* refuse("dbname", `the name of the database is missing; ${spelling}`)
    const user = text("user") ?? systemUser()
    if (user === undefined) return yield* refuse("user", `is missing; ${spelling}`)
    const encoding = given.get("client_encoding")
    if (encoding !== undefined && !/^(utf-?8|unicode|auto)$/i.test(encoding.value)) {
      return yield* refuse(encoding.shown, "must be UTF8; remove it")
    }
    const port = (yield* whole("port", 1, 65_535)) ?? 5432
    const connectTimeout = yield* whole("connect_timeout", 0, 86_400)
    const keepAlives = yield* whole("keepalives", 0, 1)
    const idle = yield* whole("keepalives_idle", 0, 86_400)
    // 0 means the default of the system, which is two hours on Linux.
    const keepAlive =
      keepAlives === 0 ? undefined : idle === 0 || (keepAlives === 1 && idle === undefined) ? 7200 : idle
    const password = text("password")
    return {
      host,
      address: address?.value ?? host,
      port,
      database,
      user,
      password: password === undefined ? undefined : Redacted.make(password),
      applicationName: text("application_name"),
      fallbackApplicationName: text("fallback_application_name"),
      options: text("options"),
      connectTimeout:
        connectTimeout === undefined
          ? Duration.seconds(3)
          : connectTimeout === 0
            ? Duration.infinity
            : Duration.seconds(connectTimeout),
      keepAlive: keepAlive === undefined ? undefined : Duration.seconds(keepAlive),
      encryption: yield* fromParameters(given, host)
    }
  })

/** Reads a URL with the `PG...` variables of the environment. */
export const load = (url: Redacted.Redacted): Effect.Effect<Connection, InvalidDatabaseUrl> =>
  Effect.flatMap(Effect.orDie(Parameters.environment), (environment) =>
    Effect.fromResult(read(Redacted.value(url), environment))
  )
