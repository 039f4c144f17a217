import { generateKeyPairSync, randomBytes } from "node:crypto"
import { assert, describe, it as effect } from "@effect/vitest"
import { ServerRequirements } from "@todo/core/installation"
import { settingMessage } from "@todo/core/installation"
import { Config, ConfigProvider, Effect } from "effect"
import { expect, it } from "vitest"
import { loadSettings } from "../../src/settings/ProgramSettings.ts"
import { algs, makeKey } from "../support/issuer.ts"
import { freePort } from "../../../../.config/freePort.ts"
import { answers, start, temporaryDirectory } from "../support/program.ts"
import { audience, issuer, request } from "../support/testServer.ts"

const database = { DATABASE_URL: "postgres://user:canary@127.0.0.1:1/todo" }
const named = { ...database, TODO_JWT_ISSUER: issuer, TODO_JWT_AUDIENCE: audience }

const load = (environment: Record<string, string>) =>
  loadSettings.pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: environment })))

/** The log line of a refused start. */
const refusal = (environment: Record<string, string>) =>
  Effect.map(Effect.flip(load(environment)), (error) =>
    error instanceof Config.ConfigError ? settingMessage(error) : error.message
  )

const good = randomBytes(32).toString("base64")
const [rsa, ec, ed] = algs.map((alg) => makeKey(alg)) as [
  ReturnType<typeof makeKey>,
  ReturnType<typeof makeKey>,
  ReturnType<typeof makeKey>
]
const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey
const set = (...keys: ReadonlyArray<object>) => JSON.stringify({ keys })

describe("Unsafe keys stop the start:", () => {
  const secrets = [
    "short",
    "x".repeat(31),
    "é".repeat(15),
    "a".repeat(32),
    "0".repeat(64),
    "abab".repeat(10),
    "secret".repeat(6),
    "Secret-Secret-Secret-Secret-Secret-1234",
    "changeme".repeat(4),
    "change-me-change-me-change-me-change-me",
    "password".repeat(5),
    "your-secret-your-secret-your-secret",
    "a-string-secret-at-least-256-bits-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "reallyreallyreallyreallyverysafe",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    ec.pem,
    JSON.stringify(rsa.jwk)
  ]
  const publicKeys = [
    "canary",
    "{}",
    "null",
    "[]",
    set(),
    '{"keys":{}}',
    JSON.stringify({ kty: "oct", k: "canary" }),
    JSON.stringify(ed.privateKey.export({ format: "jwk" })),
    String(rsa.privateKey.export({ format: "pem", type: "pkcs8" })),
    String(rsa1024.export({ format: "pem", type: "spki" })),
    JSON.stringify(rsa1024.export({ format: "jwk" })),
    JSON.stringify({ ...rsa.jwk, e: "AQ" }),
    JSON.stringify({ ...ec.jwk, use: "enc" }),
    JSON.stringify({ ...ec.jwk, key_ops: ["sign"] }),
    JSON.stringify({ ...rsa.jwk, alg: "RSA-OAEP-256" }),
    set({ ...ec.jwk, kid: "a", use: "enc" }, { ...rsa.jwk, kid: "b", use: "enc" }),
    set(ec.jwk, makeKey("ES256").jwk),
    set({ ...ec.jwk, kid: "a" }, { ...makeKey("ES256").jwk, kid: "a" })
  ]
  const urls = [
    "canary",
    "http://issuer.test/jwks",
    "http://127.evil.test/jwks",
    "http://localhost.evil.test/jwks",
    "http://10.0.0.1/jwks",
    "ftp://127.0.0.1/jwks",
    "file:///etc/passwd",
    "https://user:canary@issuer.test/jwks",
    "https://canary@issuer.test/jwks",
    "https://:canary@issuer.test/jwks"
  ]
  const cases = [
    ...secrets.flatMap((value) => [
      { TODO_JWT_SECRET: value },
      { TODO_JWT_SECRET: good, TODO_JWT_SECRET_PREVIOUS: value }
    ]),
    ...publicKeys.map((value) => ({ TODO_JWT_PUBLIC_KEY: value })),
    ...urls.map((value) => ({ TODO_JWKS_URL: value }))
  ]

  for (const given of cases) {
    const [name = "", value = ""] = Object.entries(given).at(-1) ?? []
    effect.effect(`unsafe keys stop the start: ${name} ${JSON.stringify(value).slice(0, 60)}`, () =>
      Effect.gen(function* () {
        const line = yield* refusal({ ...named, ...given })
        assert.match(line, new RegExp(`^${name}: .*[a-z]{3}`))
        assert.notInclude(line, "\n")
        assert.notMatch(line, /canary|undefined|\[object|Error/)
        if (value.length > 8) assert.notInclude(line, value)
      })
    )
  }
})

describe("Keys of two kinds stop the start:", () => {
  const url = "https://issuer.test/jwks"
  const mixed: ReadonlyArray<Record<string, string>> = [
    { TODO_JWT_SECRET: good, TODO_JWT_PUBLIC_KEY: ec.pem },
    { TODO_JWT_SECRET: good, TODO_JWKS_URL: url },
    { TODO_JWT_PUBLIC_KEY: ec.pem, TODO_JWKS_URL: url },
    { TODO_JWT_SECRET: good, TODO_JWT_PUBLIC_KEY: ec.pem, TODO_JWKS_URL: url }
  ]
  for (const given of mixed) {
    const names = Object.keys(given).join(", ")
    effect.effect(`keys of two kinds stop the start: ${names}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* refusal({ ...named, ...given }),
          `${names}: set only one of them; keys of two kinds cannot be combined`
        )
        assert.instanceOf(yield* Effect.flip(load({ ...named, ...given })), ServerRequirements.UnsafeSetting)
        // Development mode refuses it too.
        assert.include(yield* refusal(given), names)
      })
    )
  }

  effect.effect("TODO_JWT_SECRET_PREVIOUS with another kind, or alone, stops the start", () =>
    Effect.gen(function* () {
      const previous = { TODO_JWT_SECRET_PREVIOUS: good }
      assert.match(yield* refusal({ ...named, ...previous, TODO_JWKS_URL: url }), /^TODO_JWT_SECRET, TODO_JWKS_URL: /)
      assert.match(yield* refusal({ ...named, ...previous }), /^TODO_JWT_SECRET is not set: /)
      assert.match(yield* refusal(previous), /^TODO_JWT_SECRET is not set: /)
    })
  )
})

describe("Keys of one kind", () => {
  const kinds: ReadonlyArray<Record<string, string>> = [
    { TODO_JWT_SECRET: good },
    { TODO_JWT_SECRET: "correct horse battery staple, and some more" },
    { TODO_JWT_SECRET: good, TODO_JWT_SECRET_PREVIOUS: randomBytes(32).toString("hex") },
    { TODO_JWT_PUBLIC_KEY: rsa.pem },
    { TODO_JWT_PUBLIC_KEY: `\n${ec.pem}\n` },
    { TODO_JWT_PUBLIC_KEY: JSON.stringify(ed.jwk) },
    { TODO_JWT_PUBLIC_KEY: set({ ...ec.jwk, kid: "a" }, { ...makeKey("ES256").jwk, kid: "b" }, ed.jwk) },
    { TODO_JWT_PUBLIC_KEY: set({ ...ec.jwk, kid: "a" }, { ...rsa.jwk, kid: "b", use: "enc" }) },
    { TODO_JWKS_URL: "https://issuer.test/.well-known/jwks.json?a=b" },
    { TODO_JWKS_URL: "http://127.0.0.1:8080/jwks" },
    { TODO_JWKS_URL: "http://localhost/jwks" },
    { TODO_JWKS_URL: "http://[::1]:1/jwks" }
  ]
  for (const given of kinds) {
    effect.effect(
      `keys of one kind are enough, and end development mode: ${Object.keys(given).join(", ")} ${Object.values(given)[0]?.slice(0, 30).trim()}`,
      () =>
        Effect.gen(function* () {
          assert.isFalse((yield* load({ ...named, ...given })).development)
          // Without DATABASE_URL the embedded database is used, and the issuer is still required.
          const { DATABASE_URL: _, ...embedded } = named
          assert.isFalse((yield* load({ ...embedded, ...given })).development)
          assert.match(yield* refusal(given), /^TODO_JWT_ISSUER is not set: /)
        })
    )
  }

  effect.effect("keys are required if DATABASE_URL is set", () =>
    Effect.gen(function* () {
      assert.instanceOf(yield* Effect.flip(load(named)), ServerRequirements.MissingSetting)
      const line = yield* refusal(named)
      for (const name of ["TODO_JWT_SECRET", "TODO_JWT_PUBLIC_KEY", "TODO_JWKS_URL"]) assert.include(line, name)
    })
  )
})

describe("The process", () => {
  it.each<[string, Record<string, string>]>([
    ["TODO_JWT_PUBLIC_KEY", { TODO_JWT_PUBLIC_KEY: JSON.stringify({ ...ec.jwk, use: "enc" }) }],
    ["TODO_JWT_SECRET, TODO_JWKS_URL", { TODO_JWT_SECRET: good, TODO_JWKS_URL: "https://issuer.test/canary" }]
  ])("the process says in one line what is wrong with %s", async (name, given) => {
    const program = start({ ...named, ...given })
    expect(await program.ended).toBe(1)
    expect(program.stderr()).toMatch(new RegExp(`^todo: ${name}: [^\n]+\n$`))
    expect(program.stderr()).not.toMatch(/canary/)
    expect(program.stdout()).toBe("")
  })

  it("a server starts while issuer and database are down, and refuses invalid tokens without them", async () => {
    const jwks = `http://127.0.0.1:${await freePort()}/jwks`
    const program = start({ ...named, PORT: "0", TODO_JWKS_URL: jwks })
    const address = await program.address()
    await answers(address, "/livez", 200)
    const get = (token: string) =>
      request(`${address}/v1/todos`, "GET", { headers: { authorization: `Bearer ${token}` } })

    expect(await get(`${ec.token()}=`)).toMatchObject({ status: 401, body: { code: "unauthorized" } })
    const { body, headers, status } = await get(ec.token())
    expect({ status, body, retry: headers["retry-after"] }).toMatchObject({
      status: 503,
      body: { code: "unavailable", detail: "The keys of the issuer of tokens cannot be fetched at the moment" },
      retry: "1"
    })
  })

  it("a server answers invalid tokens 401 and valid ones 503 while the database is down", async () => {
    const program = start({ ...named, PORT: "0", TODO_JWT_PUBLIC_KEY: ec.pem })
    const address = await program.address()
    const get = (token: string) =>
      request(`${address}/v1/todos`, "GET", { headers: { authorization: `Bearer ${token}` } })
    expect((await get(makeKey("ES256").token())).status).toBe(401)
    expect((await get(ec.token({ claims: { exp: 1 } }))).status).toBe(401)
    expect((await get(ec.token())).status).toBe(503)
  })

  it("a server in development mode prints a token that fits its settings", async () => {
    const directory = await temporaryDirectory()
    const program = start({
      PORT: "0",
      TODO_DATA_DIR: `${directory}/data`,
      TODO_JWT_TYP: "at+jwt",
      TODO_JWT_MAX_AGE: "1 hour",
      TODO_JWT_ISSUER: issuer,
      TODO_JWT_AUDIENCE: audience
    })
    const address = await program.address()
    const [token = ""] = /ey[\w-]+\.[\w-]+\.[\w-]+/.exec(program.stdout()) ?? []
    const get = (token: string) =>
      request(`${address}/v1/todos`, "GET", { headers: { authorization: `Bearer ${token}` } })
    expect((await get(token)).status).toBe(200)
    expect((await get(ec.token())).status).toBe(401)
    program.kill("SIGTERM")
    expect(await program.ended).toBe(0)
  })
})
