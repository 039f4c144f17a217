/** Test kit: forged tokens, each derived from a valid one. They follow the classes of Project Wycheproof. */
import { constants, createHash, generateKeyPairSync, privateEncrypt, sign } from "node:crypto"
import { type IssuerKey, makeKey, signature } from "./issuer.ts"
import { claims } from "./testServer.ts"

type Parts = readonly [header: string, payload: string, signature: Buffer]
export const partsOf = (token: string): Parts => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, Buffer.from(signature, "base64url")]
}
export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A change of a valid token. It was signed with this key, or with the secret if there is no key. */
export type Case = readonly [name: string, change: (parts: Parts, key: IssuerKey | undefined) => string]

const resigned =
  (change: (signature: Buffer) => Buffer) =>
  ([header, payload, signature]: Parts): string =>
    `${header}.${payload}.${change(Buffer.from(signature)).toString("base64url")}`

/** Flips the last bit of one byte; -1 is the last byte. */
const flipped = (at: number) => (bytes: Buffer) =>
  Buffer.from(bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte)))

export const general: ReadonlyArray<Case> = [
  ["no signature", resigned(() => Buffer.alloc(0))],
  ["no third part", ([header, payload]) => `${header}.${payload}`],
  ["a signature of zeros", resigned((bytes) => bytes.fill(0))],
  ["a signature of ones", resigned((bytes) => bytes.fill(255))],
  ["a signature of one byte", resigned((bytes) => bytes.subarray(0, 1))],
  ["a signature with a bit of its first byte turned over", resigned(flipped(0))],
  ["a signature with its last bit turned over", resigned(flipped(-1))],
  ["a signature without its last byte", resigned((bytes) => bytes.subarray(0, -1))],
  ["a signature without its first byte", resigned((bytes) => bytes.subarray(1))],
  ["a signature with a byte behind", resigned((bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))],
  ["a signature with a byte in front", resigned((bytes) => Buffer.concat([Buffer.alloc(1), bytes]))],
  ["a signature twice", resigned((bytes) => Buffer.concat([bytes, bytes]))],
  ["another payload", ([header, , mac]) => `${header}.${encode(claims("root"))}.${mac.toString("base64url")}`],
  ["an empty payload", ([header, , mac]) => `${header}..${mac.toString("base64url")}`],
  [
    "a header with white space",
    ([, payload, mac], key) =>
      `${Buffer.from(`{ "alg":"${key?.alg ?? "HS256"}"}`).toString("base64url")}.${payload}.${mac.toString("base64url")}`
  ],
  [
    "alg none and the signature",
    ([, payload, mac]) => `${encode({ alg: "none" })}.${payload}.${mac.toString("base64url")}`
  ],
  ["alg none and no signature", ([, payload]) => `${encode({ alg: "none" })}.${payload}.`],
  ["padding", ([header, payload, mac]) => `${header}.${payload}.${mac.toString("base64url")}=`],
  [
    "padding as base64 has it",
    ([header, payload, mac]) =>
      `${header}.${payload}.${mac.toString("base64").replaceAll("+", "-").replaceAll("/", "_")}==`
  ],
  ["a signature in hexadecimal", ([header, payload, mac]) => `${header}.${payload}.${mac.toString("hex")}`],
  ...[" ", "\n", "\r\n", "\t", "\0", "!", "%3D", "."].map((text): Case => [
    `${JSON.stringify(text)} behind`,
    ([header, payload, mac]) => `${header}.${payload}.${mac.toString("base64url")}${text}`
  ])
]

/** Headers with a valid signature that must be refused. */
export const headers: ReadonlyArray<readonly [name: string, json: (alg: string) => string]> = [
  ["crit with an unknown name", (alg) => `{"alg":"${alg}","crit":["unknown"],"unknown":1}`],
  ["crit without names", (alg) => `{"alg":"${alg}","crit":[]}`],
  ["crit null", (alg) => `{"alg":"${alg}","crit":null}`],
  ["crit that is text", (alg) => `{"alg":"${alg}","crit":"b64"}`],
  ["crit with a name twice", (alg) => `{"alg":"${alg}","crit":["b64","b64"],"b64":true}`],
  ["crit with b64", (alg) => `{"alg":"${alg}","crit":["b64"],"b64":true}`],
  ["crit with alg", (alg) => `{"alg":"${alg}","crit":["alg"]}`],
  ["b64 false", (alg) => `{"alg":"${alg}","b64":false}`],
  ["a typ that is no text", (alg) => `{"alg":"${alg}","typ":1}`],
  ["a kid that is no text", (alg) => `{"alg":"${alg}","kid":1}`],
  ["crit with what is not there", (alg) => `{"alg":"${alg}","crit":["exp"]}`],
  ["alg twice, the last none", (alg) => `{"alg":"${alg}","alg":"none"}`],
  ["alg in other letters", (alg) => `{"alg":"${alg === "EdDSA" ? "EDDSA" : alg.toLowerCase()}"}`],
  ["alg with white space", (alg) => `{"alg":"${alg} "}`],
  ["no alg", () => '{"typ":"JWT"}'],
  ["alg null", () => '{"alg":null}'],
  ["an empty alg", () => '{"alg":""}'],
  ["alg as a list", (alg) => `{"alg":["${alg}"]}`],
  ["a list", (alg) => `[{"alg":"${alg}"}]`],
  ["something behind the object", (alg) => `{"alg":"${alg}"}x`],
  ["no JSON", (alg) => `{alg:"${alg}"}`]
]

/** ECDSA: 64 bytes, r and s, each between 1 and the order (RFC 7518, 3.4). */
const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex")
const [zero, one] = [Buffer.alloc(32), Buffer.alloc(32).fill(1, 31)]
const pair = (r: Buffer, s: Buffer) => resigned(() => Buffer.concat([r, s]))
const ecdsa: ReadonlyArray<Case> = [
  ["r and s 0", pair(zero, zero)],
  ["r 0", resigned((bytes) => bytes.fill(0, 0, 32))],
  ["s 0", resigned((bytes) => bytes.fill(0, 32))],
  ["r 1 and s 0", pair(one, zero)],
  ["r 0 and s 1", pair(zero, one)],
  ["r and s 1", pair(one, one)],
  ["r the order", ([header, payload, bytes]) => pair(order, bytes.subarray(32))([header, payload, bytes])],
  ["s the order", ([header, payload, bytes]) => pair(bytes.subarray(0, 32), order)([header, payload, bytes])],
  ["r and s the order", pair(order, order)],
  ["r and s exchanged", resigned((bytes) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]))],
  [
    "r and s of 33 bytes",
    resigned((bytes) => Buffer.concat([Buffer.alloc(1), bytes.subarray(0, 32), Buffer.alloc(1), bytes.subarray(32)]))
  ],
  ["a signature in DER", ([header, payload], key) => `${header}.${payload}.${derOf(`${header}.${payload}`, key)}`],
  [
    "a signature on P-384",
    ([header, payload]) => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" })
      return `${header}.${payload}.${signature("ES256", privateKey, `${header}.${payload}`).toString("base64url")}`
    }
  ],
  [
    "a signature on secp256k1",
    ([header, payload]) => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" })
      return `${header}.${payload}.${signature("ES256", privateKey, `${header}.${payload}`).toString("base64url")}`
    }
  ]
]

const derOf = (text: string, key: IssuerKey | undefined): string => {
  const raw = signature("ES256", (key ?? makeKey("ES256")).privateKey, text)
  const integer = (bytes: Buffer) => {
    const value = bytes.readUInt8() > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes
    return Buffer.concat([Buffer.from([2, value.length]), value])
  }
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, body.length]), body]).toString("base64url")
}

/** Ed25519: s below the order, in little endian (RFC 8032, 5.1.7). */
const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n
const plusOrder = (bytes: Buffer): Buffer => {
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString("hex")}`) + edOrder
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex").toReversed()])
}
const eddsa: ReadonlyArray<Case> = [
  ["s with the order added, which is the same to a careless reader", resigned(plusOrder)],
  ["R 0", resigned((bytes) => bytes.fill(0, 0, 32))],
  ["s 0", resigned((bytes) => bytes.fill(0, 32))],
  ["the neutral element and s 0", resigned((bytes) => bytes.fill(0).fill(1, 0, 1))]
]

/** RSA: only the hash with its name is signed, with the padding of PKCS #1 v1.5 (RFC 8017, 9.2). */
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()
const digestInfo = Buffer.from("3031300d060960864801650304020105000420", "hex")
const withoutNull = Buffer.from("302f300b06096086480165030402010420", "hex")
const ofSha512 = Buffer.from("3051300d060960864801650304020305000440", "hex")
const rsaSigned =
  (encoded: (text: string) => Buffer): Case[1] =>
  ([header, payload], key) => {
    const { privateKey } = key ?? makeKey("RS256")
    const bytes = privateEncrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
      encoded(`${header}.${payload}`)
    )
    return `${header}.${payload}.${bytes.toString("base64url")}`
  }
const rsa: ReadonlyArray<Case> = [
  ["a hash without its name", rsaSigned(sha256)],
  ["a hash whose name lacks its NULL", rsaSigned((text) => Buffer.concat([withoutNull, sha256(text)]))],
  ["a hash under the name of another", rsaSigned((text) => Buffer.concat([ofSha512, sha256(text)]))],
  ["something behind the hash", rsaSigned((text) => Buffer.concat([digestInfo, sha256(text), Buffer.alloc(1)]))],
  ["something before the hash", rsaSigned((text) => Buffer.concat([Buffer.alloc(1), digestInfo, sha256(text)]))],
  ["half of the hash", rsaSigned((text) => Buffer.concat([digestInfo, sha256(text).subarray(0, 16)]))],
  [
    "a signature of PSS",
    ([header, payload], key) => {
      const { privateKey } = key ?? makeKey("RS256")
      const bytes = sign("sha256", Buffer.from(`${header}.${payload}`), {
        key: privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING
      })
      return `${header}.${payload}.${bytes.toString("base64url")}`
    }
  ],
  ...["sha1", "sha384", "sha512"].map((hash): Case => [
    `a signature with ${hash}`,
    ([header, payload], key) => {
      const bytes = sign(hash, Buffer.from(`${header}.${payload}`), (key ?? makeKey("RS256")).privateKey)
      return `${header}.${payload}.${bytes.toString("base64url")}`
    }
  ]),
  ["the signature 1", resigned((bytes) => bytes.fill(0).fill(1, bytes.length - 1))]
]

/** The changes that apply to one algorithm. */
export const special: Record<string, ReadonlyArray<Case>> = { RS256: rsa, ES256: ecdsa, EdDSA: eddsa }
