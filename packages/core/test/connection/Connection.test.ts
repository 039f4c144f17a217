import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted, Result } from "effect"
import { userInfo } from "node:os"
import * as Connection from "../../src/connection/Connection.ts"

const read = (url: string, environment: Record<string, string> = {}) => Connection.read(url, environment)

/** The parameters of a URL. `address` is left out if it equals the host. */
const taken = (url: string, environment?: Record<string, string>) => {
  const { address, encryption, password, ...rest } = Result.getOrThrow(read(url, environment))
  return {
    ...rest,
    ...(address !== rest.host && { address }),
    password: password && Redacted.value(password),
    mode: encryption.mode
  }
}

const refusal = (url: string, environment?: Record<string, string>): string =>
  Result.match(read(url, environment), { onSuccess: () => "accepted", onFailure: ({ message }) => message })

describe("A database URL is read as libpq reads it", () => {
  const cases: ReadonlyArray<readonly [url: string, expected: object, environment?: Record<string, string>]> = [
    ["postgres://u:p@h:6000/d", { user: "u", password: "p", host: "h", port: 6000, database: "d" }],
    ["postgresql://u@h/d", { user: "u", password: undefined, host: "h", port: 5432 }],
    ["postgres://u:@h/d", { user: "u", password: undefined }],
    ["postgres://h/d", { user: userInfo().username }],
    ["postgres://h/d?user=u&password=p", { user: "u", password: "p" }],
    ["postgres://h?user=u&dbname=d", { user: "u", database: "d" }],
    [" postgres://u@h/d\n", { database: "d" }],
    ["postgres://u%40x:100%25sure%2F%3A%40@h/d%20e", { user: "u@x", password: "100%sure/:@", database: "d e" }],
    ["postgres://u:a?b#c&d=e@h/d", { password: "a?b#c&d=e", host: "h", database: "d" }],
    ["postgres://u@[::1]:5433/d", { host: "::1", port: 5433 }],
    ["postgres://u@/d?host=/run/postgresql", { host: "/run/postgresql", port: 5432, user: "u", mode: "disable" }],
    ["postgres:///d?host=/run/postgresql&port=5433", { host: "/run/postgresql", port: 5433 }],
    ["postgres://u@%2Frun%2Fpostgresql/d", { host: "/run/postgresql" }],
    ["postgres://u@%2Frun%2Fpostgresql:5433/d", { host: "/run/postgresql", port: 5433 }],
    ["postgres://u@localhost/d?host=/cloudsql/a:b:c", { host: "/cloudsql/a:b:c" }],
    ["postgres://u@h/d?hostaddr=192.0.2.1", { host: "h", address: "192.0.2.1" }],
    ["postgres://u@h/d?application_name=a+b%20c", { applicationName: "a+b c" }],
    ["postgres://u@h/d?fallback_application_name=a", { fallbackApplicationName: "a" }],
    ["postgres://u@h/d?options=-c%20search_path=x", { options: "-c search_path=x" }],
    ["postgres://u@h/d?options=-c+geqo%3Doff+-c+timezone%3DUTC", { options: "-c geqo=off -c timezone=UTC" }],
    ["postgres://u@h/d?options=-c%20timezone=Etc/GMT+5", { options: "-c timezone=Etc/GMT+5" }],
    ["postgres://u@h/d?connect_timeout=10", { connectTimeout: Duration.seconds(10) }],
    ["postgres://u@h/d?connect_timeout=0", { connectTimeout: Duration.infinity }],
    ["postgres://u@h/d", { connectTimeout: Duration.seconds(3), keepAlive: undefined, mode: "prefer" }],
    ["postgres://u@h/d?keepalives_idle=30", { keepAlive: Duration.seconds(30) }],
    ["postgres://u@h/d?keepalives=0&keepalives_idle=30", { keepAlive: undefined }],
    ["postgres://u@h/d?sslmode=disable", { mode: "disable" }],
    ["postgres://u@h/d?sslmode=allow", { mode: "allow" }],
    ["postgres://u@h/d?sslmode=prefer", { mode: "prefer" }],
    ["postgres://u@h/d?sslmode=require", { mode: "demand" }],
    ["postgres://u@h/d?ssl=true", { mode: "demand" }],
    ["postgres://u@h/d?sslrootcert=system", { mode: "demand" }],
    ["postgres://u@h/d?sslmode=require&channel_binding=prefer&target_session_attrs=any", { mode: "demand" }],
    ["postgres://u@h/d?gssencmode=prefer&sslnegotiation=postgres&client_encoding=utf8", { host: "h" }],
    ["postgres://u@h/d?sslmode=require&uselibpqcompat=true", { mode: "demand" }],
    // Variables of the environment supply the parts that the URL leaves out.
    [
      "postgres://",
      { host: "h", port: 6000, user: "u", password: "p", database: "d" },
      {
        PGHOST: "h",
        PGPORT: "6000",
        PGUSER: "u",
        PGPASSWORD: "p",
        PGDATABASE: "d"
      }
    ],
    [
      "postgres://u:p@h:6000/d?sslmode=disable",
      { host: "h", port: 6000, user: "u", password: "p", mode: "disable" },
      {
        PGHOST: "x",
        PGPORT: "1",
        PGUSER: "x",
        PGPASSWORD: "x",
        PGDATABASE: "x",
        PGSSLMODE: "require"
      }
    ],
    ["postgres://u@h/d", { mode: "demand" }, { PGSSLMODE: "require" }],
    ["postgres://u@/d?host=/tmp", { mode: "disable" }, { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/nowhere" }],
    [
      "postgres://u@h/d",
      { applicationName: "a", options: "-c geqo=off", connectTimeout: Duration.seconds(9) },
      {
        PGAPPNAME: "a",
        PGOPTIONS: "-c geqo=off",
        PGCONNECT_TIMEOUT: "9"
      }
    ]
  ]
  for (const [url, expected, environment] of cases) {
    it(`${url.trim()} ${environment === undefined ? "" : JSON.stringify(environment)}`, () => {
      assert.deepInclude(taken(url, environment), expected)
    })
  }
})

describe("The error of an unsupported or invalid parameter has its name, and never its value", () => {
  const h = "postgres://u:canary@h/d"
  const cases: ReadonlyArray<readonly [url: string, expected: RegExp, environment?: Record<string, string>]> = [
    ["", /^The database URL must be like postgres:/],
    ["mysql://canary@h/d", /^The database URL must be like postgres:/],
    ["host=h user=u password=canary", /^The database URL must be like postgres:/],
    ["postgres://u:100%sure-canary@h/d", /^password: write % as %25$/],
    ["postgres://u:100%canary@h/d", /^password: .*write % as %25$/],
    ["postgres://u:canary%FF@h/d", /^password: .*UTF-8/],
    ["postgres://u:canary%00@h/d", /^password: .*%00/],
    ["postgres://u%zz@h/d", /^user: write % as %25$/],
    ["postgres://u:can@ary@h/d", /^host: cannot contain @.*%40/],
    ["postgres://u:can/ary@h/d", /^port: must be a whole number.*%2F/],
    ["postgres://u@h:canary/d", /^port: must be a whole number/],
    ["postgres://u@h:0/d", /^port: must be a whole number from 1 to 65535$/],
    ["postgres://u@h:65536/d", /^port: /],
    ["postgres://u@h,h2/d", /^host: several servers are not supported/],
    ["postgres://u@h:1,h2:2/d", /^(host|port): several servers are not supported/],
    ["postgres://u@/d?host=h,h2", /^host: several servers are not supported/],
    ["postgres://u@/d", /^host: is missing.*\?host=\/run\/postgresql/],
    ["postgres:///d", /^host: is missing/],
    ["postgres://u:canary@h", /^dbname: the name of the database is missing/],
    ["postgres://u:canary@h/", /^dbname: /],
    [`${h}?sslmode=canary`, /^sslmode: must be one of disable, allow, prefer, require, verify-ca, verify-full$/],
    [`${h}?sslmode=`, /^sslmode: is empty/],
    [`${h}?sslmode`, /^sslmode: write sslmode=value$/],
    [`${h}?sslmode=require&sslmode=disable`, /^sslmode: is there twice/],
    [`${h}?user=v`, /^user: is there twice/],
    [`${h}?password=canary2`, /^password: is there twice/],
    [`${h}?sslMode=require`, /^sslMode: write sslmode$/],
    [`${h}?ssl=false`, /^ssl: write sslmode=/],
    [`${h}?ssl=no-verify`, /^ssl: write sslmode=/],
    [`${h}?ssl=true&sslmode=require`, /^ssl: write sslmode=/],
    [`${h}?sslmode=verify-full`, /^sslmode: verify-full needs sslrootcert/],
    [`${h}?sslmode=verify-ca`, /^sslmode: verify-ca needs sslrootcert/],
    [`${h}?sslmode=require&sslrootcert=system`, /^sslmode: must be verify-full with sslrootcert=system/],
    [`${h}?sslmode=require&sslrootcert=/nowhere/ca.pem`, /^sslrootcert: cannot read \/nowhere\/ca.pem \(ENOENT\)$/],
    [`${h}?sslmode=require&sslrootcert=/etc/hostname`, /^sslrootcert: .*does not hold certificates/],
    [`${h}?sslmode=require&sslcert=/nowhere/c.pem&sslkey=/nowhere/k.pem`, /^sslcert: cannot read/],
    [`${h}?sslmode=require&sslcert=/nowhere/c.pem`, /^sslcert: needs sslkey/],
    [`${h}?sslmode=require&sslkey=/nowhere/k.pem`, /^sslkey: needs sslcert/],
    [`${h}?sslrootcert=/nowhere/ca.pem`, /^sslrootcert: has no effect with sslmode=prefer/],
    [`${h}?sslmode=disable&sslrootcert=/nowhere/ca.pem`, /^sslrootcert: has no effect with sslmode=disable/],
    ["postgres://u@/d?host=/tmp&sslmode=require", /^sslmode: has no effect on a Unix socket/],
    ["postgres://u@/d?host=/tmp&sslcert=/x", /^sslcert: has no effect on a Unix socket/],
    [`${h}?sslsni=2`, /^sslsni: must be 0 or 1$/],
    [`${h}?ssl_min_protocol_version=TLSv9`, /^ssl_min_protocol_version: must be one of/],
    [`${h}?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2`, /^ssl_min_protocol_version: /],
    [`${h}?channel_binding=require`, /^channel_binding: must be disable or prefer; remove it/],
    [`${h}?target_session_attrs=read-write`, /^target_session_attrs: must be any/],
    [`${h}?gssencmode=require`, /^gssencmode: /],
    [`${h}?sslnegotiation=direct`, /^sslnegotiation: /],
    [`${h}?require_auth=scram-sha-256`, /^require_auth: is not supported/],
    [`${h}?service=canary`, /^service: is not supported/],
    [`${h}?passfile=canary`, /^passfile: is not supported.*PGPASSWORD/],
    [`${h}?client_encoding=LATIN1`, /^client_encoding: must be UTF8/],
    [`${h}?connect_timeout=canary`, /^connect_timeout: must be a whole number from 0 to 86400$/],
    [`${h}?connect_timeout=-1`, /^connect_timeout: /],
    [`${h}?keepalives_count=3`, /^keepalives_count: is not supported/],
    [`${h}?hostaddr=canary`, /^hostaddr: must be an IP address$/],
    [`${h}?pgbouncer=true`, /^pgbouncer: .*TODO_DATABASE_PREPARE=false/],
    [`${h}?connection_limit=5`, /^connection_limit: .*TODO_DATABASE_POOL/],
    [`${h}?schema=canary`, /^schema: .*TODO_SCHEMA/],
    [`${h}?statement_timeout=5`, /^statement_timeout: write options=-c%20statement_timeout/],
    [`${h}?sslrootcrt=canary`, /^sslrootcrt: there is no such parameter/],
    [`${h}?__proto__=canary`, /^The database URL must have name=value/],
    [`${h}?constructor=canary`, /^constructor: there is no such parameter/],
    ["postgres://u:x/y?can=a&ry@h/d", /^port: /],
    [h, /^PGSSLMODE: must be one of/, { PGSSLMODE: "canary" }],
    [h, /^PGSSLROOTCERT: cannot read/, { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/nowhere/ca.pem" }],
    [h, /^PGTARGETSESSIONATTRS: must be any/, { PGTARGETSESSIONATTRS: "read-write" }],
    [h, /^PGCHANNELBINDING: /, { PGCHANNELBINDING: "require" }],
    [h, /^PGSERVICE: is not supported/, { PGSERVICE: "canary" }],
    [h, /^accepted$/, { PGPASSFILE: "canary" }],
    ["postgres://u@h/d", /^PGPASSFILE: is not read/, { PGPASSFILE: "canary" }],
    ["postgres://u@h/d", /^PGPORT: must be a whole number/, { PGPORT: "canary" }]
  ]
  for (const [url, expected, environment] of cases) {
    it(`${url} ${environment === undefined ? "" : JSON.stringify(environment)}`, () => {
      const message = refusal(url, environment)
      assert.match(message, expected)
      assert.notMatch(message, /canary|ary@/)
    })
  }
})
