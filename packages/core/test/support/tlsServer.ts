/** A PostgreSQL with TLS and a certificate of its own authority, made with openssl. */
import { execFileSync } from "node:child_process"
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "@todo/core"
import { startThrowAway } from "@todo/core/postgres"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"

/** The connections that each role may use. */
const hba = `
host      all postgres            127.0.0.1/32 trust
hostssl   all demands_tls         127.0.0.1/32 trust
hostnossl all demands_plain       127.0.0.1/32 trust
host      all either              127.0.0.1/32 trust
hostssl   all with_certificate    127.0.0.1/32 cert
host      all with_password       127.0.0.1/32 scram-sha-256
`

/** Creates the files of two authorities, of the server (`db.example`) and of a client (`with_certificate`). */
const makeFiles = (folder: string) => {
  const openssl = (...args: ReadonlyArray<string>) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  for (const authority of ["ca", "other-ca"]) {
    const subject = ["-subj", `/CN=${authority}`, "-keyout", `${authority}.key`, "-out", `${authority}.pem`]
    openssl("req", "-x509", ...key, "-days", "2", ...subject, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
  }
  for (const [name, subject, extension] of [
    ["server", "db.example", "subjectAltName=DNS:db.example"],
    ["client", "with_certificate", "extendedKeyUsage=clientAuth"]
  ] as const) {
    openssl("req", "-new", ...key, "-subj", `/CN=${subject}`, "-keyout", `${name}.key`, "-out", `${name}.csr`)
    writeFileSync(join(folder, "extensions"), extension)
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions"]
    openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`)
  }
  openssl("ec", "-in", "client.key", "-aes256", "-passout", "pass:canary", "-out", "client-locked.key")
  writeFileSync(join(folder, "index"), "")
  writeFileSync(
    join(folder, "ca.conf"),
    "[ca]\ndefault_ca=own\n[own]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\ncrl_extensions=ext\n[ext]\nauthorityKeyIdentifier=keyid\n"
  )
  const ca = ["ca", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key"]
  openssl(...ca, "-gencrl", "-out", "empty.crl")
  openssl(...ca, "-revoke", "server.pem")
  openssl(...ca, "-gencrl", "-out", "revoked.crl")
  for (const name of ["client.key", "client-locked.key"]) chmodSync(join(folder, name), 0o600)
  copyFileSync(join(folder, "client.key"), join(folder, "open.key"))
  chmodSync(join(folder, "open.key"), 0o644)
}

/** Runs statements at a URL. */
export const at = <A, E>(url: string, self: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(self, Database.layer({ url: Redacted.make(url), poolSize: 1 }))

/** Starts the server. `stop` stops it and deletes the files. */
export const startTlsServer = async () => {
  const folder = mkdtempSync(join(tmpdir(), "todo-tls-"))
  makeFiles(folder)
  const server = await startThrowAway()
  const admin = server.url("postgres")
  const set = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql`show data_directory`.values
    const data = String(row?.[0])
    const { gid, uid } = statSync(data)
    for (const name of ["server.pem", "server.key", "ca.pem"]) {
      copyFileSync(join(folder, name), join(data, name))
      chmodSync(join(data, name), 0o600)
      chownSync(join(data, name), uid, gid)
    }
    for (const role of ["demands_tls", "demands_plain", "either", "with_certificate"]) {
      yield* sql.unsafe(`create role ${role} login`).unprepared
    }
    yield* sql.unsafe("create role with_password login password 'canary'").unprepared
    for (const setting of [
      "ssl = on",
      "ssl_cert_file = 'server.pem'",
      "ssl_key_file = 'server.key'",
      "ssl_ca_file = 'ca.pem'"
    ]) {
      yield* sql.unsafe(`alter system set ${setting}`).unprepared
    }
    writeFileSync(join(data, "pg_hba.conf"), hba)
    yield* sql`select pg_reload_conf()`
  })
  await Effect.runPromise(at(admin, set))
  // The configuration is reloaded when a new session can use TLS.
  await Effect.runPromise(
    Effect.retry(
      at(
        `${admin}?sslmode=require`,
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select 1`)
      ),
      {
        times: 500
      }
    )
  )
  const port = Number(new URL(admin).port)
  return {
    admin,
    port,
    /** The path of a file. */
    file: (name: string) => join(folder, name),
    /** The URL for a role, with the IP address as host. */
    url: (role: string, parameters = "") => `postgres://${role}@127.0.0.1:${port}/postgres?${parameters}`,
    /** The directory of a Unix socket that leads to it. */
    socket: async () => {
      const unix = createServer((near) => {
        const far = connect(port, "127.0.0.1")
        for (const socket of [near, far]) socket.on("error", () => {})
        near.pipe(far).pipe(near)
      }).listen(join(folder, ".s.PGSQL.5432"))
      await once(unix, "listening")
      return { directory: folder, close: () => new Promise((done) => unix.close(done)) }
    },
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
