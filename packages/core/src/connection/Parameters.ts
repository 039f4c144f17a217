/**
 * Which connection parameters there are (manual of libpq, "Parameter Key Words" and "Environment Variables"), which of
 * them are obeyed, and why the others are not.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { InvalidDatabaseUrl } from "./InvalidDatabaseUrl.ts"

/** Parameters that are obeyed, and the variable of the environment that stands for each where the URL leaves it out. */
const obeyed = {
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

/** A parameter that is obeyed. */
export type Name = keyof typeof obeyed

const follow =
  "one URL leads to one server; name a host that follows the primary, such as a proxy or the provider's endpoint"

/** Parameters of which only some values can be obeyed, which change nothing here; and what to do instead of the others. */
const harmless: Readonly<
  Record<string, readonly [variable: string | undefined, values: ReadonlyArray<string>, why: string]>
> = {
  channel_binding: [
    "PGCHANNELBINDING",
    ["disable", "prefer"],
    "is supported as disable or prefer; take it out, and use sslmode=verify-full with sslrootcert=system or the file of the provider's CA against a server in the middle"
  ],
  target_session_attrs: ["PGTARGETSESSIONATTRS", ["any"], `is supported as any: ${follow}`],
  load_balance_hosts: ["PGLOADBALANCEHOSTS", ["disable", "random"], "must be one of disable, random"],
  gssencmode: ["PGGSSENCMODE", ["disable", "prefer"], "is supported as disable or prefer; use sslmode for encryption"],
  sslnegotiation: ["PGSSLNEGOTIATION", ["postgres"], "is supported as postgres; leave it out"],
  sslcompression: ["PGSSLCOMPRESSION", ["0"], "is supported as 0; leave it out"],
  require_auth: ["PGREQUIREAUTH", [], "is not supported; leave it out"],
  requirepeer: ["PGREQUIREPEER", [], "is not supported; leave it out"],
  service: ["PGSERVICE", [], "is not supported; write the parameters of the service into the URL"],
  servicefile: [undefined, [], "is not supported; write the parameters of the service into the URL"],
  passfile: [undefined, [], "is not supported; write the password into the URL, or set PGPASSWORD"],
  sslcrldir: ["PGSSLCRLDIR", [], "is not supported; put the lists into one file and name it with sslcrl"],
  sslkeylogfile: [undefined, [], "is not supported; leave it out"],
  keepalives_interval: [
    undefined,
    [],
    "is not supported; set keepalives_idle, or tcp_keepalives_interval on the server"
  ],
  keepalives_count: [undefined, [], "is not supported; set keepalives_idle, or tcp_keepalives_count on the server"],
  tcp_user_timeout: [undefined, [], "is not supported; set tcp_user_timeout on the server"],
  krbsrvname: [undefined, [], "is not supported, as there is no GSSAPI here; leave it out"],
  gsslib: [undefined, [], "is not supported, as there is no GSSAPI here; leave it out"],
  gssdelegation: [undefined, [], "is not supported, as there is no GSSAPI here; leave it out"],
  replication: [undefined, [], "is not supported; leave it out"],
  // Of `pg` for Node: sslmode as libpq means it, which is what happens here.
  uselibpqcompat: [undefined, ["true"], "is supported as true; sslmode has libpq's meaning here"]
}

/** Parameters of other drivers, which people copy from their consoles, and what stands for them here. */
const foreign: Readonly<Record<string, string>> = {
  ssl: "write sslmode=require, or sslmode=verify-full with sslrootcert; sslmode=disable goes without TLS",
  sslaccept: "write sslmode=require, or sslmode=verify-full with sslrootcert",
  pgbouncer: "take it out, and set TODO_DATABASE_PREPARE=false (embedded: prepare: false)",
  prepare: "take it out, and set TODO_DATABASE_PREPARE (embedded: prepare)",
  schema: "take it out, and set TODO_SCHEMA (embedded: schema)",
  currentschema: "take it out, and set TODO_SCHEMA (embedded: schema)",
  searchpath: "take it out, and set TODO_SCHEMA (embedded: schema)",
  connectionlimit: "take it out, and set TODO_DATABASE_POOL (embedded: poolSize)",
  poolsize: "take it out, and set TODO_DATABASE_POOL (embedded: poolSize)",
  max: "take it out, and set TODO_DATABASE_POOL (embedded: poolSize)",
  username: "write user",
  database: "write dbname",
  statementtimeout: "write options=-c%20statement_timeout=... (milliseconds)",
  locktimeout: "write options=-c%20lock_timeout=... (milliseconds)",
  idleintransactionsessiontimeout: "write options=-c%20idle_in_transaction_session_timeout=... (milliseconds)"
}

/** A value of the table itself, and none that every object has (`constructor`). */
const own = <A>(table: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** What to write for a name that is none. */
const advice = (name: string): string => {
  const near = [...Object.keys(obeyed), ...Object.keys(harmless)].find((known) => plain(known) === plain(name))
  const instead = near === undefined ? own(foreign, plain(name)) : `write ${near}`
  return instead ?? "there is no such parameter; take it out or correct its name"
}

const refuse = (parameter: string, why: string) => Result.fail(new InvalidDatabaseUrl({ parameter, why }))

const assertHarmless = (shown: string, name: string, value: string): Result.Result<void, InvalidDatabaseUrl> => {
  const [, values, why] = own(harmless, name) ?? [undefined, [], advice(name)]
  return values.includes(value) ? Result.void : refuse(shown, why)
}

/** What a URL and its environment set, by the name of the parameter. */
export interface Given {
  /** The value, and what it is called where it was set. */
  readonly get: (name: Name) => { readonly value: string; readonly shown: string; readonly inUrl: boolean } | undefined
}

/** The `PG...` variables that are set, by their names. */
export type Environment = Readonly<Record<string, string>>

const variables = [
  ...Object.values(obeyed).filter((name) => name !== undefined),
  ...Object.values(harmless).flatMap(([name]) => name ?? []),
  "PGPASSFILE"
]

/** The `PG...` variables that stand for what a URL leaves out. One that is empty is not set. */
export const environment: Config.Config<Environment> = Config.map(
  Config.all(Object.fromEntries(variables.map((name) => [name, Config.option(Config.String(name))]))),
  (found) =>
    Object.fromEntries(
      Object.entries(found).flatMap(([name, value]) =>
        Option.isSome(value) && value.value !== "" ? [[name, value.value] as const] : []
      )
    )
)

/** Fails by the name of the first parameter that cannot be obeyed. */
export const check = (
  url: ReadonlyMap<string, string>,
  environment: Environment
): Result.Result<Given, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const given = new Map(url)
    // JDBC's spelling, which libpq takes too.
    if (given.get("ssl") === "true" && !given.has("sslmode")) {
      given.delete("ssl")
      given.set("sslmode", "require")
    }
    for (const [name, value] of given) if (!Object.hasOwn(obeyed, name)) yield* assertHarmless(name, name, value)
    for (const [name, [variable]] of Object.entries(harmless)) {
      const value = variable === undefined || given.has(name) ? undefined : environment[variable]
      if (variable !== undefined && value !== undefined) yield* assertHarmless(variable, name, value)
    }
    const get: Given["get"] = (name) => {
      const value = given.get(name)
      if (value !== undefined) return { value, shown: name, inUrl: true }
      const variable = obeyed[name]
      const other = variable === undefined ? undefined : environment[variable]
      return variable === undefined || other === undefined ? undefined : { value: other, shown: variable, inUrl: false }
    }
    if (environment["PGPASSFILE"] !== undefined && get("password") === undefined) {
      return yield* refuse("PGPASSFILE", "is not read; write the password into the URL, or set PGPASSWORD")
    }
    return { get }
  })
