/** Tokens that must not be accepted, each made from a good one by one change. */
import { generateKeyPairSync, sign as signWith } from "node:crypto"
import { audience, claims, forge, issuer, now, secret } from "./testServer.ts"

const HS256 = { alg: "HS256" }
const user = "somebody"

/** A good token but for some claims; `undefined` leaves one out. */
const claiming = (changed: Record<string, unknown>): string => forge(HS256, { ...claims(user), ...changed })

const heading = (changed: Record<string, unknown>, key = secret): string =>
  forge({ ...HS256, ...changed }, claims(user), key)

const good = (): string => forge(HS256, claims(user))
const parts = (token: string): readonly [string, string, string] => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, signature]
}

/** The same bytes in another spelling: the last character has bits that decoders ignore. */
const respelled = (part: string): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1]
}

/** A token that is signed as its header says, with a key of the attacker. */
const foreign = (alg: string, key: ReturnType<typeof generateKeyPairSync>["privateKey"], header = {}): string => {
  const signed = parts(forge({ alg, ...header }, claims(user)))
    .slice(0, 2)
    .join(".")
  return `${signed}.${signWith("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const jwk = rsa.publicKey.export({ format: "jwk" })

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
  ["an empty crit", () => heading({ crit: [] })],
  ["crit that names what is not there", () => heading({ crit: ["exp"] })],
  ["a header that is a list", () => forge([HS256], claims(user))],
  ["a header that is null", () => forge("null", claims(user))],
  ["a header that is no JSON", () => forge("{alg:HS256}", claims(user))],
  ["a payload that is a list", () => forge(HS256, [claims(user)])],
  ["a payload that is null", () => forge(HS256, "null")],
  ["a payload that is text", () => forge(HS256, '"somebody"')],
  ["a payload that is no JSON", () => forge(HS256, "somebody")],
  ["an empty payload", () => forge(HS256, "")]
]

const badClaims: ReadonlyArray<Bad> = [
  ...["iss", "aud", "sub", "exp", "iat"].map((name): Bad => [`no ${name}`, () => claiming({ [name]: undefined })]),
  ...["iss", "aud", "sub", "exp", "iat"].map((name): Bad => [`${name} null`, () => claiming({ [name]: null })]),
  ["another iss", () => claiming({ iss: "https://elsewhere.test" })],
  ["iss with a slash behind", () => claiming({ iss: `${issuer}/` })],
  ["iss as a list", () => claiming({ iss: [issuer] })],
  ["another aud", () => claiming({ aud: "https://elsewhere.test" })],
  ["aud in other letters", () => claiming({ aud: audience.toUpperCase() })],
  ["aud as an empty list", () => claiming({ aud: [] })],
  ["aud as a list in a list", () => claiming({ aud: [[audience]] })],
  ["aud with a list beside the right one", () => claiming({ aud: [audience, ["x"]] })],
  ["aud with a number beside the right one", () => claiming({ aud: [audience, 1] })],
  ["aud as an object", () => claiming({ aud: { [audience]: true } })],
  ["exp in the past", () => claiming({ iat: now() - 100, exp: now() - 10 })],
  ["exp as text", () => claiming({ exp: String(now() + 60) })],
  ["exp beyond all numbers", () => forge(HS256, JSON.stringify(claims(user)).replace(/"exp":\d+/, '"exp":1e400'))],
  ["exp 1e300", () => claiming({ exp: 1e300 })],
  ["exp before iat", () => claiming({ iat: now() + 4, exp: now() + 2 })],
  ["exp at iat", () => claiming({ iat: now() + 2, exp: now() + 2 })],
  ["exp a second more than 24 hours after iat", () => claiming({ iat: now(), exp: now() + 86_401 })],
  ["an old iat and more than 24 hours in all", () => claiming({ iat: now() - 86_000, exp: now() + 3_600 })],
  ["iat 0", () => claiming({ iat: 0 })],
  ["iat as text", () => claiming({ iat: String(now()) })],
  ["iat in the future", () => claiming({ iat: now() + 60 })],
  ["iat 10 seconds in the future", () => claiming({ iat: now() + 10 })],
  ["iat below all numbers", () => forge(HS256, JSON.stringify(claims(user)).replace(/"iat":\d+/, '"iat":-1e400'))],
  ["nbf in the future", () => claiming({ nbf: now() + 60 })],
  ["nbf as text", () => claiming({ nbf: "0" })],
  ["an empty sub", () => claiming({ sub: "" })],
  ["sub of 256 characters", () => claiming({ sub: "x".repeat(256) })],
  ["sub of 256 emoji", () => claiming({ sub: "😀".repeat(256) })],
  ["sub as a number", () => claiming({ sub: 1 })],
  ["sub true", () => claiming({ sub: true })],
  ["sub as a list", () => claiming({ sub: [user] })],
  ["sub as an object", () => claiming({ sub: { id: user } })],
  ...["\u0000", "\n", "\u007f", "\u0085", "\u001b[31m"].map((control): Bad => [
    `sub with ${JSON.stringify(control)}`,
    () => claiming({ sub: `${user}${control}` })
  ]),
  [
    "sub with a surrogate alone",
    () => forge(HS256, JSON.stringify({ ...claims(""), sub: undefined }).replace("{", '{"sub":"a\\ud800",'))
  ]
]

const badForms: ReadonlyArray<Bad> = [
  ["something else", () => "x"],
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

export const badTokens: ReadonlyArray<Bad> = [...badHeaders, ...badClaims, ...badForms]
