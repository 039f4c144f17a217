/**
 * Checks the options of a handler. Hosts may be written in JavaScript, so the compiler does not check them. An invalid
 * option throws at once, because a handler that fails later only answers 503.
 */
import { Database, SchemaNameValue } from "@todo/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Prefix from "../boundary/Prefix.ts"

type Is = (value: unknown) => boolean

const listOf =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && value.every(is)

const isCount: Is = (value) => Number.isInteger(value) && Number(value) > 0
const isText: Is = (value) => typeof value === "string" && value !== ""

/** Timers of JavaScript wait less than 2^31 milliseconds. */
const isDuration: Is = (value) => {
  const parsed = Duration.fromInput(value as Duration.Input)
  const milliseconds = Option.match(parsed, { onNone: () => 0, onSome: Duration.toMillis })
  return milliseconds >= 1 && milliseconds < 2 ** 31
}

/** The origin of a web page, or of an app with embedded pages (`capacitor://localhost`). */
const isOrigin: Is = (value) => typeof value === "string" && /^(null|[a-z][\w+.-]*:\/\/[^\s/?#]+)$/.test(value)

const isRateLimit: Is = (value) =>
  Predicate.hasProperty(value, "requests") &&
  isCount(value.requests) &&
  Predicate.hasProperty(value, "window") &&
  isDuration(value.window)

/** A secret at least as long as the hash, 32 bytes (RFC 7518, 3.2). */
const isSecret: Is = (secret) => Redacted.isRedacted(secret) && Buffer.byteLength(String(Redacted.value(secret))) >= 32

const isKeyUrl: Is = (value) => value instanceof URL && /^https?:$/.test(value.protocol)

const areTokens: Is = (value) => {
  if (!Predicate.isObject(value)) return false
  const { audience, issuer, jwksUrl, maxAge, publicKeys, secrets } = value as { readonly [name: string]: unknown }
  const isSome = [secrets, publicKeys].some((keys) => Array.isArray(keys) && keys.length > 0)
  const areKeys = isSome ? secrets === undefined || listOf(isSecret)(secrets) : isKeyUrl(jwksUrl)
  return areKeys && isText(issuer) && isText(audience) && isDuration(maxAge)
}

const duration = [isDuration, 'a duration such as "10 seconds"'] as const

/** The rule of each optional option, and the text that describes it. */
const rules: Readonly<Record<string, readonly [is: Is, what: string]>> = {
  schema: [Schema.is(SchemaNameValue), "a lower-case name of a PostgreSQL schema"],
  poolSize: [isCount, "a whole number of at least 1"],
  bodyLimit: [isCount, "a whole number of bytes, at least 1"],
  requestTimeout: duration,
  drainTimeout: duration,
  rateLimit: [isRateLimit, 'an object such as { requests: 600, window: "1 minute" }'],
  corsOrigins: [listOf(isOrigin), 'a list of origins such as "https://app.example.com"'],
  tokens: [
    areTokens,
    "an object with `issuer`, `audience`, `maxAge`, and redacted `secrets` of at least 32 bytes, `publicKeys` or a `jwksUrl`"
  ],
  authenticate: [(value) => typeof value === "function", "a function; to accept bearer tokens, set `tokens` instead"]
}

const demand = (isMet: boolean, what: string): void => {
  if (!isMet) throw new TypeError(what)
}

/** The database options that each source of the database allows. An option without effect is refused. */
const ownOptions = {
  url: ["poolSize", "prepare", "schema", "hooks"],
  sql: ["schema", "hooks"],
  todos: []
} as const satisfies Record<string, ReadonlyArray<string>>

const isSql: Is = (value) => typeof value === "function" && "withTransaction" in value && "transactionService" in value
const areTodos: Is = (value) => Predicate.hasProperty(value, "services") && Effect.isEffect(value.services)

const assertDatabase = (given: { readonly [name: string]: unknown }): void => {
  const [way = "url", another] = (["url", "sql", "todos"] as const).filter((name) => given[name] !== undefined)
  demand(another === undefined, `${another}: leave it out, or leave out ${way}; a handler has one database`)
  if (way === "url") {
    const problem = Database.urlProblem(given["url"])
    demand(problem === undefined, `url: ${problem}`)
  }
  demand(
    way !== "sql" || isSql(given["sql"]),
    "sql: must be a SqlClient of Effect; pools of pg and postgres.js cannot be shared"
  )
  demand(way !== "todos" || areTodos(given["todos"]), "todos: must be the result of createTodos of @todo/core/promise")
  for (const name of ownOptions.url.filter((name) => !ownOptions[way].some((own) => own === name))) {
    const owner = way === "todos" ? "createTodos" : "the pool of the host"
    demand(given[name] === undefined, `${name}: leave it out with ${way}; ${owner} already sets it`)
  }
  if (given["hooks"] !== undefined)
    demand(Predicate.isObject(given["hooks"]), "hooks: must be an object with before or after")
}

/** Throws a `TypeError` that names the first invalid option, without its value. */
export const assertHandlerOptions = (options: object): void => {
  const given = options as { readonly [name: string]: unknown }
  assertDatabase(given)
  if (given["prefix"] !== undefined) Prefix.assertWellFormed(String(given["prefix"]))
  for (const [name, [is, what]] of Object.entries(rules)) {
    demand(given[name] === undefined || is(given[name]), `${name}: must be ${what}`)
  }
  demand(given["tokens"] !== undefined || given["authenticate"] !== undefined, "authenticate: set it, or `tokens`")
  demand(given["tokens"] !== undefined || !("tokens" in given), "tokens: leave it out instead of undefined")
}
