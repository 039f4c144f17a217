/**
 * TLS by libpq's parameters (manual of libpq, "SSL Support"). Files are read once, when the pool is created, so a renewed
 * certificate needs a restart.
 */
import { createPrivateKey, X509Certificate } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { isIP } from "node:net"
import { homedir, platform } from "node:os"
import { join } from "node:path"
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  getCACertificates,
  type SecureVersion
} from "node:tls"
import * as Result from "effect/Result"
import { InvalidDatabaseUrl } from "./InvalidDatabaseUrl.ts"
import type { Given, Name } from "./Parameters.ts"

/** Whether a connection is encrypted, and how the server is verified. */
export type Encryption =
  | { readonly mode: "disable" }
  | { readonly mode: "allow" | "prefer" | "demand"; readonly options: ConnectionOptions }

const modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const

const refuse = (parameter: string, why: string) => Result.fail(new InvalidDatabaseUrl({ parameter, why }))

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "not readable"

const read = (shown: string, path: string): Result.Result<string, InvalidDatabaseUrl> =>
  Result.try({
    try: () => readFileSync(path, "utf8"),
    catch: (error) => new InvalidDatabaseUrl({ parameter: shown, why: `cannot read ${path} (${codeOf(error)})` })
  })

const certificates = (shown: string, path: string): Result.Result<Array<string>, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const blocks = (yield* read(shown, path)).match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []
    const isValid = blocks.every((block) => Result.isSuccess(Result.try(() => new X509Certificate(block))))
    return blocks.length > 0 && isValid
      ? blocks
      : yield* refuse(shown, `${path} does not hold certificates in PEM form (-----BEGIN CERTIFICATE-----)`)
  })

/** Reads a private key. As in libpq, a key that others can read is refused; the group may read a key of root. */
const privateKey = (shown: string, path: string): Result.Result<string, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const text = yield* read(shown, path)
    const { mode, uid } = statSync(path)
    return platform() !== "win32" && (mode & (uid === 0 ? 0o037 : 0o077)) !== 0
      ? yield* refuse(shown, `others can read ${path}; run chmod 600 on it`)
      : text
  })

/** libpq's default path of a file, if the file exists. */
const standard = (file: string): string | undefined => {
  const path = join(homedir(), ".postgresql", file)
  return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : path
}

/** The file that a parameter names, or else libpq's default. */
const file = (given: Given, name: Name, fallback: string) => {
  const named = given.get(name)
  if (named !== undefined) return { path: named.value, shown: named.shown }
  const path = standard(fallback)
  return path === undefined ? undefined : { path, shown: name }
}

/** The client certificate and its key. */
const ownCertificate = (given: Given): Result.Result<ConnectionOptions, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const mode = given.get("sslcertmode")
    if (mode !== undefined && mode.value !== "allow" && mode.value !== "disable") {
      return yield* refuse(mode.shown, "must be allow or disable")
    }
    if (mode?.value === "disable") return {}
    const certificate = file(given, "sslcert", "postgresql.crt")
    const named = given.get("sslkey")
    if (certificate === undefined) {
      return named === undefined ? {} : yield* refuse(named.shown, "needs sslcert, the certificate of this key")
    }
    const secret = file(given, "sslkey", "postgresql.key")
    if (secret === undefined)
      return yield* refuse(certificate.shown, "needs sslkey, the private key of this certificate")
    const cert = (yield* certificates(certificate.shown, certificate.path)).join("\n")
    const key = yield* privateKey(secret.shown, secret.path)
    const passphrase = given.get("sslpassword")?.value
    yield* Result.try({
      try: () => createPrivateKey({ key, passphrase }),
      catch: (error) =>
        new InvalidDatabaseUrl(
          /ENCRYPTED/.test(key)
            ? { parameter: "sslpassword", why: `does not open the key in ${secret.path}` }
            : {
                parameter: secret.shown,
                why: `${secret.path} does not hold a private key in PEM form (${codeOf(error)})`
              }
        )
    })
    yield* Result.try({
      try: () => createSecureContext({ cert, key, passphrase }),
      catch: () => new InvalidDatabaseUrl({ parameter: secret.shown, why: `is not the key of ${certificate.path}` })
    })
    return { cert, key, ...(passphrase !== undefined && { passphrase }) }
  })

const protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

const protocol = (given: Given, name: Name): Result.Result<SecureVersion | undefined, InvalidDatabaseUrl> => {
  const named = given.get(name)
  const version = protocols.find((version) => version === named?.value)
  return named !== undefined && version === undefined
    ? refuse(named.shown, `must be one of ${protocols.join(", ")}`)
    : Result.succeed(version as SecureVersion | undefined)
}

/** The certificate authorities that verify the server; `undefined` if the server is not verified. */
const authorities = (given: Given, mode: (typeof modes)[number]) =>
  Result.gen(function* () {
    const root = file(given, "sslrootcert", "root.crt")
    if (root?.path === "system" && given.get("sslrootcert") !== undefined) {
      // Includes the authorities of Node.js, because some container images have none.
      return mode === "verify-full"
        ? [...new Set([...getCACertificates("default"), ...getCACertificates("system")])]
        : yield* refuse(
            "sslmode",
            "must be verify-full with sslrootcert=system, because everybody can get a certificate from these authorities"
          )
    }
    if (root === undefined) {
      return mode === "require"
        ? undefined
        : yield* refuse(
            "sslmode",
            `${mode} needs sslrootcert, the file of the authority's certificate, or sslrootcert=system`
          )
    }
    return yield* certificates(root.shown, root.path)
  })

/** Reads the TLS parameters for a host. Unix sockets have no TLS. */
export const fromParameters = (given: Given, host: string): Result.Result<Encryption, InvalidDatabaseUrl> =>
  Result.gen(function* () {
    const named = given.get("sslmode")
    const root = given.get("sslrootcert")
    const mode =
      named === undefined
        ? root?.value === "system"
          ? "verify-full"
          : "prefer"
        : modes.find((mode) => mode === named.value)
    if (mode === undefined) return yield* refuse(named?.shown ?? "sslmode", `must be one of ${modes.join(", ")}`)

    const isSocket = host.startsWith("/")
    if (isSocket || mode === "disable") {
      const why = isSocket
        ? "has no effect on a Unix socket, which has no TLS; remove it"
        : "has no effect with sslmode=disable; remove one of both"
      const strict = isSocket && named?.inUrl === true && /^(require|verify)/.test(mode) ? "sslmode" : undefined
      const useless = (["sslrootcert", "sslcert", "sslkey", "sslcrl"] as const).find((name) => given.get(name)?.inUrl)
      const name = strict ?? useless
      return name === undefined ? { mode: "disable" } : yield* refuse(name, why)
    }

    const sni = given.get("sslsni")
    if (sni !== undefined && sni.value !== "0" && sni.value !== "1") return yield* refuse(sni.shown, "must be 0 or 1")
    const minVersion = yield* protocol(given, "ssl_min_protocol_version")
    const maxVersion = yield* protocol(given, "ssl_max_protocol_version")
    if (minVersion !== undefined && maxVersion !== undefined && minVersion > maxVersion) {
      return yield* refuse("ssl_min_protocol_version", "must not be above ssl_max_protocol_version")
    }
    const common = {
      servername: isIP(host) !== 0 || sni?.value === "0" ? "" : host,
      ...(minVersion !== undefined && { minVersion }),
      ...(maxVersion !== undefined && { maxVersion }),
      ...(yield* ownCertificate(given))
    }
    const unverified = { ...common, rejectUnauthorized: false }

    if (mode === "allow" || mode === "prefer") {
      // libpq would verify the certificate and fall back to no TLS if it is invalid, which protects nothing.
      const checks = root ?? given.get("sslcrl")
      return checks?.inUrl === true
        ? yield* refuse(
            checks.shown,
            `has no effect with sslmode=${mode}; add sslmode=verify-full, verify-ca or require`
          )
        : { mode, options: unverified }
    }
    const ca = yield* authorities(given, mode)
    if (ca === undefined) return { mode: "demand", options: unverified }
    const revoked = file(given, "sslcrl", "root.crl")
    const crl = revoked === undefined ? undefined : yield* read(revoked.shown, revoked.path)
    yield* Result.try({
      try: () => createSecureContext({ crl }),
      catch: () =>
        new InvalidDatabaseUrl({ parameter: revoked?.shown ?? "sslcrl", why: "does not hold a list in PEM form" })
    })
    return {
      mode: "demand",
      options: {
        ...common,
        ca,
        ...(crl !== undefined && { crl }),
        rejectUnauthorized: true,
        checkServerIdentity: (_, certificate) =>
          mode === "verify-full" ? checkServerIdentity(host, certificate) : undefined
      }
    }
  })
