import { isSqlError } from "effect/sql/SqlError"

/** What the server, the pooler or Node says, and what to do about it. */
const hints: ReadonlyArray<readonly [said: RegExp, hint: string]> = [
  [
    /no encryption|SSL off|SSL (connection is )?required|connection is insecure/i,
    "the server demands TLS: write sslmode=require into the URL, or sslmode=verify-full with sslrootcert"
  ],
  [
    /does not support TLS/,
    "the server has no TLS: turn it on there (ssl = on), or write sslmode=disable where the network is safe"
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/,
    "the server's certificate is of an authority that sslrootcert does not hold: name the file of that authority with sslrootcert"
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    "the certificate is another host's: write the host as the certificate has it, or sslmode=verify-ca"
  ],
  [/CERT_HAS_EXPIRED/, "the server's certificate has expired: renew it there"],
  [/CERT_REVOKED/, "the server's certificate is in the list of sslcrl: give the server another one"],
  [
    /requires a valid client certificate|alert (number )?(unknown ca|certificate|bad certificate)/i,
    "the server demands a certificate of the client: name it with sslcert, and its key with sslkey"
  ],
  [
    /unsupported startup parameter/,
    "set TODO_DATABASE_PREPARE=false (embedded: prepare: false), or in PgBouncer from 1.21 on ignore_startup_parameters = statement_timeout, lock_timeout, idle_in_transaction_session_timeout; and set these limits on the role (alter role ... set statement_timeout)"
  ],
  [/requested password authentication/, "the URL has no password: write it there, or set PGPASSWORD"]
]

/** What to do about a connection that did not come about, where its error tells; `undefined` for other errors. */
export const connectionHint = (error: unknown): string | undefined => {
  if (!isSqlError(error) || error.reason.operation !== "connect") return undefined
  const { cause } = error.reason
  if (!(cause instanceof Error)) return undefined
  const said = `${"code" in cause ? String(cause.code) : ""} ${cause.message}`
  return hints.find(([pattern]) => pattern.test(said))?.[1]
}
