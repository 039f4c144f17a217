import { isSqlError } from "effect/sql/SqlError"

/** Messages and codes of the server, the pooler or Node.js, each with a hint. */
const hints: ReadonlyArray<readonly [message: RegExp, hint: string]> = [
  [
    /no encryption|SSL off|SSL (connection is )?required|connection is insecure/i,
    "the server demands TLS: write sslmode=require into the URL, or sslmode=verify-full with sslrootcert"
  ],
  [
    /does not support TLS/,
    "the server has no TLS: switch it on there (ssl = on), or write sslmode=disable if the network is safe"
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/,
    "the authority of the server's certificate is not in sslrootcert: name the file of that authority with sslrootcert"
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    "the certificate belongs to another host: write the host as in the certificate, or use sslmode=verify-ca"
  ],
  [/CERT_HAS_EXPIRED/, "the server's certificate has expired: renew it on the server"],
  [/CERT_REVOKED/, "the server's certificate is revoked by sslcrl: give the server a new one"],
  [
    /requires a valid client certificate|alert (number )?(unknown ca|certificate|bad certificate)/i,
    "the server demands a client certificate: name it with sslcert, and its key with sslkey"
  ],
  [
    /unsupported startup parameter/,
    "set TODO_DATABASE_PREPARE=false (embedded: prepare: false), or in PgBouncer from 1.21 on ignore_startup_parameters = statement_timeout, lock_timeout, idle_in_transaction_session_timeout; and set these limits on the role (alter role ... set statement_timeout)"
  ],
  [/requested password authentication/, "the URL has no password: add it, or set PGPASSWORD"]
]

/**
 * A hint for an error of connecting to the database.
 *
 * @returns what to do about the error, or `undefined` if the error is another one or has no hint.
 *
 * @example
 * console.error(error.message, Database.connectionHint(error) ?? "")
 */
export const connectionHint = (error: unknown): string | undefined => {
  if (!isSqlError(error) || error.reason.operation !== "connect") return undefined
  const { cause } = error.reason
  if (!(cause instanceof Error)) return undefined
  const message = `${"code" in cause ? String(cause.code) : ""} ${cause.message}`
  return hints.find(([pattern]) => pattern.test(message))?.[1]
}
