/**
 * The connection parameters of libpq (its manual, "Parameter Key Words" and "Environment Variables"): which are supported,
 * and what to do instead of the others.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { InvalidDatabaseUrl } from "./InvalidDatabaseUrl.ts"

/** Supported parameters, each with the environment variable that is used if the URL does not have it. */
const supported = {
  host: "PGHOST",
  hostaddr: "PGHOSTADDR",
  port: "PGPORT",
  dbname: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  application_name: "PGAPPNAME",
  fallback_application_name: undefined,
  options: "PGOPTIONS",
  connect_timeout: "PGCONNECT_TIMEOUT",
  client_encoding: "PGCLIENTENCODING",
  keepalives: undefined,
  keepalives_idle: undefined,
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslpassword: undefined,
  sslcrl: "PGSSLCRL",
  sslsni: "PGSSLSNI",
  sslcertmode: "PGSSLCERTMODE",
  ssl_min_protocol_version: "PGSSLMINPROTOCOLVERSION",
  ssl_max_protocol_version: "PGSSLMAXPROTOCOLVERSION"
} as const

/** A supported parameter. */
export type Name = keyof typeof supported

const follow =
  "one URL leads to one server; name a host that follows the primary, such as a proxy or the provider's endpoint"

/** Parameters of which only values without effect are accepted, and what to do instead of other values. */
const accepted: Readonly<
  Record<string, readonly [variable: string | undefined, values: ReadonlyArray<string>, why: string]>
> = {
  channel_binding: [
    "PGCHANNELBINDING",
    ["disable", "prefer"],
    "must be disable or prefer; remove it, and use sslmode=verify-full with sslrootcert=system or the file of the provider's CA against a server in the middle"
  ],
  target_session_attrs: ["PGTARGETSESSIONATTRS", ["any"], `must be any: ${follow}`],
  load_balance_hosts: ["PGLOADBALANCEHOSTS", ["disable", "random"], "must be one of disable, random"],
  gssencmode: ["PGGSSENCMODE", ["disable", "prefer"], "must be disable or prefer; use sslmode for encryption"],
  sslnegotiation: ["PGSSLNEGOTIATION", ["postgres"], "must be postgres; remove it"],
  sslcompression: ["PGSSLCOMPRESSION", ["0"], "must be 0; remove it"],
  require_auth: ["PGREQUIREAUTH", [], "is not supported; remove it"],
  requirepeer: ["PGREQUIREPEER", [], "is not supported; remove it"],
  service: ["PGSERVICE", [], "is not supported; write the parameters of the service into the URL"],
  servicefile: [undefined, [], "is not supported; write the parameters of the service into the URL"],
  passfile: [undefined, [], "is not supported; write the password into the URL, or set PGPASSWORD"],
  sslcrldir: ["PGSSLCRLDIR", [], "is not supported; put the lists into one file and name it with sslcrl"],
  sslkeylogfile: [undefined, [], "is not supported; remove it"],
  keepalives_interval: [
    undefined,
    [],
    "is not supported; set keepalives_idle, or tcp_keepalives_interval on the server"
  ],
  keepalives_count: [undefined, [], "is not supported; set keepalives_idle, or tcp_keepalives_count on the server"],
  tcp_user_timeout: [undefined, [], "is not supported; set tcp_user_timeout on the server"],
  krbsrvname: [undefined, [], "is not supported, as there is no GSSAPI here; remove it"],
  gsslib: [undefined, [], "is not supported, as there is no GSSAPI here; remove it"],
  gssdelegation: [undefined, [], "is not supported, as there is no GSSAPI here; remove it"],
  replication: [undefined, [], "is not supported; remove it"],
  // A parameter of `pg` for Node.js. It gives sslmode the meaning of libpq, which it always has here.
  uselibpqcompat: [undefined, ["true"], "must be true; sslmode has libpq's meaning here"]
}

/** Parameters of other drivers, which people copy from consoles, and what to write instead. */
const foreign: Readonly<Record<string, string>> = {
  ssl: "write sslmode=require, or sslmode=verify-full with sslrootcert; sslmode=disable goes without TLS",
  sslaccept: "write sslmode=require, or sslmode=verify-full with sslrootcert",
  pgbouncer: "remove it, and set TODO_DATABASE_PREPARE=false (embedded: prepare: false)",
  prepare: "remove it, and set TODO_DATABASE_PREPARE (embedded: prepare)",
  schema: "remove it, and set TODO_SCHEMA (embedded: schema)",
  currentschema: "remove it, and set TODO_SCHEMA (embedded: schema)",
  searchpath: "remove it, and set TODO_SCHEMA (embedded: schema)",
  connectionlimit: "remove it, and set TODO_DATABASE_POOL (embedded: poolSize)",
  poolsize: "remove it, and set TODO_DATABASE_POOL (embedded: poolSize)",
  max: "remove it, and set TODO_DATABASE_POOL (embedded: poolSize)",
  username: "write user",
  database: "write dbname",
  statementtimeout: "write options=-c%20statement_timeout=... (milliseconds)",
  locktimeout: "write options=-c%20lock_timeout=... (milliseconds)",
  idleintransactionsessiontimeout: "write options=-c%20idle_in_transaction_session_timeout=... (milliseconds)"
}

/** An own property of the table, because `table.constructor` exists in every object. */
const own = <A>(table: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** What to write instead of an unknown name. */
const advice = (name: string): string => {
  const near = [...Object.keys(supported), ...Object.keys(accepted)].find((known) => plain(known) === plain(name))
  const instead = near === undefined ? own(foreign, plain(name)) : `write ${near}`
  return instead ?? "there is no such parameter; remove it or correct its name"
}

const refuse = (parameter: string, why: string) => Result.fail(new InvalidDatabaseUrl({ parameter, why }))

const assertAccepted = (shown: string, name: string, value: string): Result.Result<void, InvalidDatabaseUrl> => {
  const [, values, why] = own(accepted, name) ?? [undefined, [], advice(name)]
  return values.includes(value) ? Result.void : refuse(shown, why)
}

/** The parameters of a URL and of its environment. */
export interface Given {
  /** The value, and the name under which it was set: `sslmode` or `PGSSLMODE`. */
  readonly get: (name: Name) => { readonly value: string; readonly shown: string; readonly inUrl: boolean } | undefined
}

/** The `PG...` variables that are set, by their names. */
export type Environment = Readonly<Record<string, string>>

const variables = [
  ...Object.values(supported).filter((name) => name !== undefined),
  ...Object.values(accepted).flatMap(([name]) => name ?? []),
  "PGPASSFILE"
]

/** The `PG...` variables that supply missing parts of a URL. An empty variable counts as not set. */
export const environment: Config.Config<Environment> = Config.map(
  Config.all(Object.fromEntries(variables.map((name) => [name, Config.option(Config.String(name))]))),
  (found) =>
    Object.fromEntries(
      Object.entries(found).flatMap(([name, value]) =>
        Option.isSome(value) && value.value !== "" ? [[name, value.value] as const] : []
      )
    )
)

/** Combines the parameters of a URL with the environment. Fails with the first parameter that is not supported. */
export const check = (
  url: ReadonlyMap<string, string>,
  environment: Environment
): Result.Result<Given, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const given = new Map(url)
    // The spelling of JDBC, which libpq accepts too.
    if (given.get("ssl") === "true" && !given.has("sslmode")) {
      given.delete("ssl")
      given.set("sslmode", "require")
    }
    for (const [name, value] of given) if (!Object.hasOwn(supported, name)) yield* assertAccepted(name, name, value)
    for (const [name, [variable]] of Object.entries(accepted)) {
      const value = variable === undefined || given.has(name) ? undefined : environment[variable]
      if (variable !== undefined && value !== undefined) yield* assertAccepted(variable, name, value)
    }
    const get: Given["get"] = (name) => {
      const value = given.get(name)
      if (value !== undefined) return { value, shown: name, inUrl: true }
      const variable = supported[name]
      const other = variable === undefined ? undefined : environment[variable]
      return variable === undefined || other === undefined ? undefined : { value: other, shown: variable, inUrl: false }
    }
    if (environment["PGPASSFILE"] !== undefined && get("password") === undefined) {
      return yield* refuse("PGPASSFILE", "is not read; write the password into the URL, or set PGPASSWORD")
    }
    return { get }
  })
