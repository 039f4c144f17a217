/**
 * Parses PostgreSQL's connection URIs (manual of libpq, "Connection URIs"). This is our own parser, because `new URL` cannot
 * read `postgres://user@/app?host=/run/postgresql`, and `pg-connection-string` ignores unknown parameters.
 */
import * as Result from "effect/Result"
import { InvalidDatabaseUrl } from "./InvalidDatabaseUrl.ts"

const example = "like postgres://user:password@host:5432/database"

const form =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<host>\[[^\]]*\]|[^:/?]*)(?::(?<port>[^/?]*))?(?:\/(?<dbname>[^?]*))?(?:\?(?<query>.*))?$/is

const encoded = "in a user or password, write @ as %40, : as %3A, / as %2F, ? as %3F and % as %25"

const refuse = (parameter: string, why: string) => Result.fail(new InvalidDatabaseUrl({ parameter, why }))

const decode = (parameter: string, text: string): Result.Result<string, InvalidDatabaseUrl> => {
  if (/%(?![0-9a-f]{2})/i.test(text)) return refuse(parameter, "write % as %25")
  if (/%00/.test(text)) return refuse(parameter, "must not contain %00")
  return Result.try({
    try: () => decodeURIComponent(text),
    catch: () => new InvalidDatabaseUrl({ parameter, why: "its percent-encoding is not UTF-8; write % as %25" })
  })
}

/**
 * Returns the parameters of a URL by libpq's names, including the parts before the `?`. As in libpq, `host` and `port` in
 * the query replace those before it. Any other duplicate is refused, because one of the two would be ignored.
 */
export const parse = (text: string): Result.Result<ReadonlyMap<string, string>, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const parts = form.exec(text.trim())?.groups
    if (parts === undefined) return yield* refuse("url", `must be ${example}; ${encoded}`)
    const { query, ...before } = parts as Readonly<Record<string, string | undefined>>
    const found = new Map<string, string>()
    for (const [name, raw] of Object.entries(before)) {
      if (raw === undefined || raw === "") continue
      const value = yield* decode(name, name === "host" ? raw.replace(/^\[(.*)\]$/s, "$1") : raw)
      if (name === "host" && /[@\s]/.test(value)) {
        return yield* refuse("host", `cannot contain @ or spaces; ${encoded}`)
      }
      if (name === "port" && !/^\d+$|,/.test(value)) {
        return yield* refuse("port", `must be a whole number from 1 to 65535; ${encoded}`)
      }
      found.set(name, value)
    }

    const inQuery = new Set<string>()
    for (const pair of (query ?? "").split("&").filter((pair) => pair !== "")) {
      const at = pair.indexOf("=")
      const name = yield* decode("url", at === -1 ? pair : pair.slice(0, at))
      // The name may be part of a password that was not encoded, so the message does not repeat it.
      if (!/^[a-z][\w.-]{0,39}$/i.test(name) || (at === -1 && text.includes("@", text.indexOf("?")))) {
        return yield* refuse("url", `must have name=value behind the ?; ${encoded}`)
      }
      if (at === -1) return yield* refuse(name, `write ${name}=value`)
      if (inQuery.has(name) || (found.has(name) && name !== "host" && name !== "port")) {
        return yield* refuse(name, "is there twice; remove one")
      }
      inQuery.add(name)
      // URLSearchParams encodes a space as +. For libpq + is a plus, which is never valid behind -c.
      const raw = pair.slice(at + 1)
      const value = yield* decode(name, name === "options" && /(^|\+)-c\+/.test(raw) ? raw.replaceAll("+", " ") : raw)
      if (value === "") return yield* refuse(name, "is empty; give it a value or remove it")
      found.set(name, value)
    }
    return found
  })
