/** Test kit: invalid tokens, each derived from a valid one by one change. */
import { createHmac, generateKeyPairSync, sign as signWith } from "node:crypto"
import { audience, claims, forge, issuer, now, secret } from "./testServer.ts"

const HS256 = { alg: "HS256" }
const user = "somebody"

/** A valid token with some claims changed; `undefined` removes a claim. */
const claiming = (changed: Record<string, unknown>): string => forge(HS256, { ...claims(user), ...changed })

const heading = (changed: Record<string, unknown>, key = secret): string =>
  forge({ ...HS256, ...changed }, claims(user), key)

const good = (): string => forge(HS256, claims(user))
const parts = (token: string): readonly [string, string, string] => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, signature]
}

/** A second spelling of the same bytes: decoders ignore some bits of the last character. */
const respelled = (part: string): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1]
}

/** A token with a valid signature by a key of the attacker. */
const foreign = (alg: string, key: ReturnType<typeof generateKeyPairSync>["privateKey"], header = {}): string => {
  const signed = parts(forge({ alg, ...header }, claims(user)))
    .slice(0, 2)
    .join(".")
  return `${signed}.${signWith("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`
}

const json = (changed: Record<string, unknown>): string => JSON.stringify({ ...claims(user), ...changed })

const foreignEd = (): string => {
  const signed = parts(heading({ alg: "EdDSA" }))
    .slice(0, 2)
    .join(".")
  const { privateKey } = generateKeyPairSync("ed25519")
  return `${signed}.${signWith(null, Buffer.from(signed), privateKey).toString("base64url")}`
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const jwk = rsa.publicKey.export({ format: "jwk" })

/** A token that was signed in its second spelling: the first bit that decoders ignore is set. */
const respelledAt = (index: 0 | 1): string => {
  // The length leaves bits that decoders ignore.
  const padded = (extra: number) =>
    parts(forge({ ...HS256, x: "x".repeat(extra) }, { ...claims(user), x: "x".repeat(extra) }))
  const split = [0, 1, 2].map(padded).find((split) => split[index].length % 4 !== 0) ?? padded(0)
  const signed = split.with(index, respelled(split[index])).slice(0, 2).join(".")
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`
}

/** A valid token with the given length. */
export const sized = (length: number): string => {
  for (let filler = Math.floor((length * 3) / 4) - 400; ; filler++) {
    const token = claiming({ x: "x".repeat(filler) })
    if (token.length === length) return token
  }
}

type Bad = readonly [what: string, token: () => string]

const badHeaders: ReadonlyArray<Bad> = [
  [
    "alg none without a signature",
    () =>
      `${parts(heading({ alg: "none" }))
        .slice(0, 2)
        .join(".")}.`
  ],
  ["alg none with a signature", () => heading({ alg: "none" })],
  ["alg None", () => heading({ alg: "None" })],
  ["alg hs256", () => heading({ alg: "hs256" })],
  ["alg HS384 with the right secret", () => forge({ alg: "HS384" }, claims(user), secret, "sha384")],
  ["alg HS512 with the right secret", () => forge({ alg: "HS512" }, claims(user), secret, "sha512")],
  ["alg RS256 with a key of its own", () => foreign("RS256", rsa.privateKey)],
  ["alg ES256 with a key of its own", () => foreign("ES256", ec.privateKey)],
  ["alg RS256, signed with the secret", () => heading({ alg: "RS256" })],
  ["no alg", () => heading({ alg: undefined })],
  ["alg as a list", () => heading({ alg: ["HS256"] })],
  ["alg null", () => heading({ alg: null })],
  ["another secret", () => heading({}, "another-secret-of-a-test-0123456789")],
  ["the secret with a space behind", () => heading({}, `${secret} `)],
  ["an empty secret", () => heading({}, "")],
  ["a jku to follow", () => foreign("RS256", rsa.privateKey, { jku: "http://127.0.0.1:1/jwks" })],
  ["an x5u to follow", () => foreign("RS256", rsa.privateKey, { x5u: "http://127.0.0.1:1/cert" })],
  ["a key in jwk", () => foreign("RS256", rsa.privateKey, { jwk })],
  ["a secret in jwk", () => heading({ jwk: { kty: "oct", k: Buffer.from("mine").toString("base64url") } }, "mine")],
  ["a chain in x5c", () => foreign("RS256", rsa.privateKey, { x5c: ["MIIB"] })],
  ["crit that nobody knows", () => heading({ crit: ["x"], x: 1 })],
  ["crit with b64", () => heading({ crit: ["b64"], b64: false })],
  ["crit null", () => heading({ crit: null })],
  ["crit that names what is known", () => heading({ crit: ["alg"] })],
  ["b64 false without crit", () => heading({ b64: false })],
  ["b64 true, which says nothing", () => heading({ b64: true })],
  ["typ as a number", () => heading({ typ: 1 })],
  ["typ null", () => heading({ typ: null })],
  ["typ as a list", () => heading({ typ: ["JWT"] })],
  ["kid as a number", () => heading({ kid: 1 })],
  ["kid as an object", () => heading({ kid: { toString: "x" } })],
  ["kid null", () => heading({ kid: null })],
  ["a kid that is a path, signed with nothing", () => heading({ kid: "../../../../dev/null" }, "")],
  ["a kid that is SQL, signed with what it selects", () => heading({ kid: "x' union select 'key' --" }, "key")],
  ["a kid that is a command", () => heading({ kid: "|/bin/true" }, "x")],
  ["a kid that is the name of a property", () => heading({ kid: "__proto__" }, "[object Object]")],
  ["a kid that names the secret", () => heading({ kid: secret }, "x")],
  ["x5t of a key that nobody knows", () => foreign("RS256", rsa.privateKey, { x5t: "AA", "x5t#S256": "AA" })],
  ["an alg in the prototype", () => forge('{"__proto__":{"alg":"HS256"}}', claims(user))],
  ["alg twice, the last none", () => forge('{"alg":"HS256","alg":"none"}', claims(user))],
  ["alg twice, the last of a public key", () => forge('{"alg":"HS256","alg":"RS256"}', claims(user))],
  ["alg with white space", () => heading({ alg: "HS256 " })],
  ["alg as Cyrillic has it", () => heading({ alg: "НS256" })],
  ["alg EdDSA with a key of its own", () => foreignEd()],
  ["alg dir, as if encrypted", () => heading({ alg: "dir", enc: "A128GCM" })],
  ["alg A128KW", () => heading({ alg: "A128KW" })],
  ["alg PBES2, with a count that takes for ever", () => heading({ alg: "PBES2-HS256+A128KW", p2c: 2 ** 31 })],
  ["a header that is not UTF-8", () => forge(Buffer.from('{"alg":"HS256","x":"\xff"}', "latin1"), claims(user))],
  ["a header with something behind it", () => forge('{"alg":"HS256"}{}', claims(user))],
  ["a header with a comment", () => forge('{"alg":"HS256"/**/}', claims(user))],
  ["an empty header", () => `.${parts(good()).slice(1).join(".")}`],
  ["an empty object as the header", () => forge({}, claims(user))],
  ["an empty crit", () => heading({ crit: [] })],
  ["crit that names what is not there", () => heading({ crit: ["exp"] })],
  ["a header that is a list", () => forge([HS256], claims(user))],
  ["a header that is null", () => forge("null", claims(user))],
  ["a header that is no JSON", () => forge("{alg:HS256}", claims(user))],
  ["a payload that is a list", () => forge(HS256, [claims(user)])],
  ["a payload that is null", () => forge(HS256, "null")],
  ["a payload that is text", () => forge(HS256, '"somebody"')],
  ["a payload that is no JSON", () => forge(HS256, "somebody")],
  ["a payload that is not UTF-8", () => forge(HS256, Buffer.from(json({ sub: "a\xff" }), "latin1"))],
  ["a payload with something behind it", () => forge(HS256, `${json({})}{}`)],
  ["a payload with U+0000 behind it", () => forge(HS256, `${json({})}\0`)],
  ["a payload with a comma too many", () => forge(HS256, json({}).replace(/}$/, ",}"))],
  ["a token for a payload", () => forge({ ...HS256, cty: "JWT" }, good())],
  ["a token as JSON text for a payload", () => forge({ ...HS256, cty: "JWT" }, JSON.stringify(good()))],
  ["2,000 lists in each other for a payload", () => forge(HS256, "[".repeat(2_000) + "]".repeat(2_000))],
  ["an empty payload", () => forge(HS256, "")]
]

const badClaims: ReadonlyArray<Bad> = [
  ...["iss", "aud", "sub", "exp", "iat"].map((name): Bad => [`no ${name}`, () => claiming({ [name]: undefined })]),
  ...["iss", "aud", "sub", "exp", "iat"].map((name): Bad => [`${name} null`, () => claiming({ [name]: null })]),
  ["another iss", () => claiming({ iss: "https://elsewhere.test" })],
  ["iss with a slash behind", () => claiming({ iss: `${issuer}/` })],
  ["iss in other letters", () => claiming({ iss: issuer.toUpperCase() })],
  ["iss with a user in front of it", () => claiming({ iss: issuer.replace("//", "//x@") })],
  ["an empty iss", () => claiming({ iss: "" })],
  ["iss as an object", () => claiming({ iss: { [issuer]: true } })],
  ["iss as a list", () => claiming({ iss: [issuer] })],
  ["another aud", () => claiming({ aud: "https://elsewhere.test" })],
  ["aud in other letters", () => claiming({ aud: audience.toUpperCase() })],
  ["aud as an empty list", () => claiming({ aud: [] })],
  ["aud as a list in a list", () => claiming({ aud: [[audience]] })],
  ["aud with a list beside the right one", () => claiming({ aud: [audience, ["x"]] })],
  ["aud with a number beside the right one", () => claiming({ aud: [audience, 1] })],
  ["aud with null beside the right one", () => claiming({ aud: [audience, null] })],
  ["aud as text with several", () => claiming({ aud: `${audience} https://elsewhere.test` })],
  ["aud with a space behind", () => claiming({ aud: `${audience} ` })],
  ["aud as a number", () => claiming({ aud: 1 })],
  ["aud true", () => claiming({ aud: true })],
  ["aud empty", () => claiming({ aud: "" })],
  ["aud of others alone", () => claiming({ aud: ["https://elsewhere.test", `${audience}/`] })],
  ["aud as an object", () => claiming({ aud: { [audience]: true } })],
  ["exp in the past", () => claiming({ iat: now() - 100, exp: now() - 10 })],
  ["exp as text", () => claiming({ exp: String(now() + 60) })],
  ["exp beyond all numbers", () => forge(HS256, JSON.stringify(claims(user)).replace(/"exp":\d+/, '"exp":1e400'))],
  ["exp 1e300", () => claiming({ exp: 1e300 })],
  ["exp -1", () => claiming({ exp: -1 })],
  ["exp 0", () => claiming({ exp: 0 })],
  ["exp true", () => claiming({ exp: true })],
  ["exp as a list", () => claiming({ exp: [now() + 60] })],
  ["exp as an object", () => claiming({ exp: { valueOf: now() + 60 } })],
  ["exp in milliseconds", () => claiming({ exp: Date.now() + 60_000 })],
  ["exp and iat 1e300", () => claiming({ iat: 1e300, exp: 1e300 })],
  ["exp as text in hexadecimal", () => claiming({ exp: `0x${(now() + 60).toString(16)}` })],
  ["exp half a second more than 24 hours after iat", () => claiming({ iat: now(), exp: now() + 86_400.5 })],
  ["exp below all numbers", () => forge(HS256, json({}).replace(/"exp":\d+/, '"exp":-1e400'))],
  ["exp twice, the last one over", () => forge(HS256, json({}).replace(/}$/, ',"exp":1}'))],
  ["exp 6 seconds ago, past the tolerance", () => claiming({ iat: now() - 100, exp: now() - 6 })],
  ["exp before iat", () => claiming({ iat: now() + 4, exp: now() + 2 })],
  ["exp at iat", () => claiming({ iat: now() + 2, exp: now() + 2 })],
  ["exp a second more than 24 hours after iat", () => claiming({ iat: now(), exp: now() + 86_401 })],
  ["an old iat and more than 24 hours in all", () => claiming({ iat: now() - 86_000, exp: now() + 3_600 })],
  ["iat -1", () => claiming({ iat: -1 })],
  ["iat -1e300", () => claiming({ iat: -1e300 })],
  ["iat 1e300", () => claiming({ iat: 1e300 })],
  ["iat true", () => claiming({ iat: true })],
  ["iat in milliseconds", () => claiming({ iat: Date.now() })],
  ["iat as a list", () => claiming({ iat: [now()] })],
  ["iat 0", () => claiming({ iat: 0 })],
  ["iat as text", () => claiming({ iat: String(now()) })],
  ["iat in the future", () => claiming({ iat: now() + 60 })],
  ["iat 10 seconds in the future", () => claiming({ iat: now() + 10 })],
  ["iat below all numbers", () => forge(HS256, JSON.stringify(claims(user)).replace(/"iat":\d+/, '"iat":-1e400'))],
  ["nbf in the future", () => claiming({ nbf: now() + 60 })],
  ["nbf null", () => claiming({ nbf: null })],
  ["nbf true", () => claiming({ nbf: true })],
  ["nbf 1e300", () => claiming({ nbf: 1e300 })],
  ["nbf as a list", () => claiming({ nbf: [0] })],
  ["nbf beyond all numbers", () => forge(HS256, json({}).replace(/}$/, ',"nbf":1e400}'))],
  ["nbf below all numbers", () => forge(HS256, json({}).replace(/}$/, ',"nbf":-1e400}'))],
  ["nbf as text", () => claiming({ nbf: "0" })],
  ["an empty sub", () => claiming({ sub: "" })],
  ["sub of 256 characters", () => claiming({ sub: "x".repeat(256) })],
  ["sub of 256 emoji", () => claiming({ sub: "😀".repeat(256) })],
  ["sub of 255 characters and a space", () => claiming({ sub: `${"x".repeat(255)} ` })],
  ["sub of 128 letters with an accent each, of their own", () => claiming({ sub: "e\u0301".repeat(128) })],
  ["sub 0", () => claiming({ sub: 0 })],
  ["sub false", () => claiming({ sub: false })],
  ["sub in the prototype", () => forge(HS256, json({ sub: undefined }).replace("{", '{"__proto__":{"sub":"victim"},'))],
  ["all claims in the prototype", () => forge(HS256, `{"__proto__":${json({})}}`)],
  ["sub twice, the last null", () => forge(HS256, json({}).replace(/}$/, ',"sub":null}'))],
  ["Sub", () => claiming({ sub: undefined, Sub: user })],
  ["sub as a number", () => claiming({ sub: 1 })],
  ["sub true", () => claiming({ sub: true })],
  ["sub as a list", () => claiming({ sub: [user] })],
  ["sub as an object", () => claiming({ sub: { id: user } })],
  ...["\u0000", "\n", "\r", "\t", "\u0001", "\u007f", "\u009f", "\u0085", "\u001b[31m"].map((control): Bad => [
    `sub with ${JSON.stringify(control)}`,
    () => claiming({ sub: `${user}${control}` })
  ]),
  ...["a\\ud800", "\\udfffa", "\\ud83d", "\\ude00\\ud83d"].map((sub): Bad => [
    `sub with a surrogate alone, ${sub}`,
    () => forge(HS256, json({ sub: undefined }).replace("{", `{"sub":"${sub}",`))
  ])
]

const badForms: ReadonlyArray<Bad> = [
  ["something else", () => "canary"],
  ["three empty parts", () => ".."],
  ["two parts", () => parts(good()).slice(0, 2).join(".")],
  ["four parts", () => `${good()}.x`],
  ["five parts, as if encrypted", () => `${good()}.x.y`],
  ["an empty signature", () => `${parts(good()).slice(0, 2).join(".")}.`],
  ["half a signature", () => good().slice(0, -20)],
  [
    "another payload under the same signature",
    () =>
      parts(good())
        .with(1, parts(forge({}, claims("root")))[1])
        .join(".")
  ],
  ["padding", () => `${good()}=`],
  [
    "padding in the header",
    () =>
      parts(good())
        .with(0, `${parts(good())[0]}=`)
        .join(".")
  ],
  ["a last character of another spelling", () => respelled(good())],
  [
    "the alphabet of base64",
    () =>
      parts(forge(HS256, { ...claims(user), x: "???>>>" }))
        .map((part) => part.replaceAll("_", "/").replaceAll("-", "+"))
        .join(".")
  ],
  ["a character that base64url has not", () => `${good().slice(0, -1)}!`],
  ["a dot behind", () => `${good()}.`],
  ["a dot in front", () => `.${good()}`],
  ["two dots between", () => good().replace(".", "..")],
  ["a comma for a dot", () => good().replace(".", ",")],
  ["percent-encoding", () => good().replaceAll(".", "%2E")],
  [
    "padding in the payload",
    () =>
      parts(good())
        .with(1, `${parts(good())[1]}=`)
        .join(".")
  ],
  ["a last character of another spelling in the header", () => respelledAt(0)],
  ["a last character of another spelling in the payload", () => respelledAt(1)],
  [
    "a signature of another token",
    () =>
      parts(good())
        .with(2, parts(claiming({ x: 1 }))[2])
        .join(".")
  ],
  ["the parts in another order", () => parts(good()).toReversed().join(".")],
  [
    "a signature in hexadecimal",
    () =>
      parts(good())
        .with(2, Buffer.from(parts(good())[2], "base64url").toString("hex"))
        .join(".")
  ],
  [
    "a signature cut to half of the hash",
    () =>
      parts(good())
        .with(2, Buffer.from(parts(good())[2], "base64url").subarray(0, 16).toString("base64url"))
        .join(".")
  ],
  ["quotes", () => `"${good()}"`],
  ["a byte that is no ASCII", () => `${good()}\xe9`],
  ["8,193 characters, all canonical", () => sized(8_193)],
  ["white space inside", () => good().replace(".", ". ")],
  ["a tab behind the header", () => good().replace(".", "\t.")],
  [
    "the JSON serialisation",
    () => {
      const [protectedHeader, payload, signature] = parts(good())
      return JSON.stringify({ protected: protectedHeader, payload, signature })
    }
  ],
  ["more than 8 KiB", () => claiming({ x: "x".repeat(8_192) })]
]

export const invalidTokens: ReadonlyArray<Bad> = [...badHeaders, ...badClaims, ...badForms]
