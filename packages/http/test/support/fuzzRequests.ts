/**
 * Test kit: random requests for every operation of the OpenAPI document, valid or with errors.
 */
import { Api } from "@todo/http/api"
import { OpenApi } from "effect/http-api"
import { type JsonSchema, type Sender, toJson, Values } from "./fuzzValues.ts"
import { Random } from "../../../../.config/random.ts"

/** A user, with the ids and cursors of earlier responses, which later requests use. */
export interface Fuzzer extends Sender {
  readonly token: string
  readonly etags: Array<string>
  readonly cursors: Array<string>
  readonly todos: Array<string>
  readonly lists: Array<string>
}

/** A request as it is sent. */
export interface FuzzRequest {
  readonly method: string
  readonly path: string
  /** Names and values in turn. A name may occur twice. */
  readonly headers: ReadonlyArray<string>
  readonly body: Buffer | undefined
  /** The sent values that a response must not repeat. */
  readonly values: ReadonlyArray<string>
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: string; readonly schema: JsonSchema }>
  readonly types: ReadonlyArray<string>
  readonly body: JsonSchema | undefined
}

const document = OpenApi.fromApi(Api)
const definitions = document.components.schemas as Record<string, JsonSchema>

const operations: ReadonlyArray<Operation> = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, OpenApi.OpenAPISpecOperation>).map(([method, operation]) => {
    const contents = Object.entries(operation.requestBody?.content ?? {})
    return {
      method: method.toUpperCase(),
      path,
      parameters: operation.parameters as unknown as Operation["parameters"],
      types: contents.map(([type]) => type),
      body: contents[0]?.[1].schema as JsonSchema | undefined
    }
  })
)

/** Words of the contract, which its messages may name. */
const vocabulary = new Set(
  [...JSON.stringify(document).matchAll(/"enum":\[([^\]]*)\]/g)].flatMap(([, list = ""]) => JSON.parse(`[${list}]`))
)

const wrongTypes = [
  "text/plain",
  "application/xml",
  "application/json; charset=latin1",
  "application/json; charset=utf-16",
  "application/json;charset=UTF-8",
  "APPLICATION/JSON",
  "application/json, application/json",
  "multipart/form-data",
  "application/merge-patch+json",
  ";",
  ""
]

/** Optional headers of any request; names and values in turn. */
const oddHeaders: ReadonlyArray<(canary: string) => ReadonlyArray<string>> = [
  // A well-formed request id is repeated and logged, so it has no canary.
  () => ["x-request-id", "given:by-a.client_1"],
  (canary) => ["x-request-id", `${canary} "\xff`],
  () => ["x-request-id", "a".repeat(129)],
  () => ["content-encoding", "gzip"],
  () => ["content-encoding", "identity"],
  () => ["accept", "application/xml"],
  () => ["accept", "text/event-stream;q=0, */*"],
  () => ["accept-encoding", "br, gzip, *;q=0"],
  () => ["accept-language", "x".repeat(4_000)],
  (canary) => ["cookie", `session=${canary}`],
  (canary) => ["x-forwarded-for", canary, "x-forwarded-host", canary, "forwarded", `for=${canary}`],
  () => ["x-http-method-override", "DELETE"],
  () => ["range", "bytes=0-1"],
  () => ["origin", "https://elsewhere.test"],
  () => ["if-modified-since", "never", "if-unmodified-since", "\xff"],
  (canary) => ["traceparent", `00-${canary}-x-01`, "baggage", canary],
  (canary) => ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", canary],
  () => ["__proto__", "x", "constructor", "x"]
]

const segment = encodeURIComponent
/** Lone surrogates have no percent-encoding; the bytes that they would be have one. */
const encoded = (text: string): string =>
  segment(text.replaceAll(/\p{Surrogate}/gu, "\u0001")).replaceAll("%01", "%ED%A0%80")

/** The n-th request of a user. Equal seeds give equal requests, except for values of earlier responses. */
export const makeRequest = (seed: number, number: number, user: Fuzzer): FuzzRequest => {
  const random = new Random(Math.imul(seed ^ (number + 1), 0x9e3779b1))
  const oddity = random.pick([0, 0, 0, 0.06, 0.06, 0.15, 0.6])
  const operation = random.pick(operations)
  const values = new Values(random, definitions, user, oddity)
  const kind = operation.path.split("/")[2] ?? ""
  const sent: Array<string> = []
  const note = (text: string): string => {
    sent.push(text)
    return text
  }

  const headerValue = (name: string, schema: JsonSchema): string => {
    if (random.chance(oddity)) return values.makeText({ type: "string", maxLength: 255 }, name)
    if (name === "if-none-match" && operation.method === "PUT") return "*"
    if (name.startsWith("if-")) {
      const tag = () => random.pick(['"0"', '"1"', 'W/"2"', '"x"', "*", ...user.etags.slice(-5)])
      return random.chance(0.8) ? tag() : `${tag()}, ${tag()}`
    }
    if (name === "last-event-id") return random.pick(["", ...user.cursors.slice(-5)])
    return values.makeText(schema, name)
  }

  const path = operation.path.replaceAll(/\{\w+\}/g, () => {
    const id = random.chance(oddity) ? values.makeText({ type: "string", format: "uuid" }, kind) : values.id(kind)
    return random.chance(oddity / 4) ? note(id).replaceAll(/[^\x21-\x7e]|[?#]/g, "") : encoded(note(id))
  })

  const query = operation.parameters.flatMap(({ in: place, name, schema }): ReadonlyArray<string> => {
    if (place !== "query" || !random.chance(operation.method === "DELETE" ? 0.7 : 0.25)) return []
    const isCursor = name === "cursor" || name === "since"
    const cursor = () =>
      random.chance(oddity) ? mutated(random, random.pick(user.cursors)) : random.pick(user.cursors)
    const make = () => (isCursor && random.chance(0.9) ? cursor() : values.makeText(schema.items ?? schema, name))
    const times = schema.items !== undefined ? random.int(4) : random.chance(oddity / 3) ? 2 : 1
    return random.list(times, () => `${name}=${encoded(note(make()))}`)
  })
  if (random.chance(oddity / 3)) {
    query.push(
      random.pick([
        "x=1",
        "limit",
        "=",
        "&",
        `${encoded(`<${user.canary}>`)}=1`,
        "%",
        "%ff=%zz",
        "tag[]=a",
        "limit=1;limit=2"
      ])
    )
  }

  const headers = ["host", "localhost"]
  for (const { in: place, name, schema } of operation.parameters) {
    if (place !== "header" || !random.chance(0.3)) continue
    for (let times = random.chance(oddity / 3) ? 2 : 1; times > 0; times--) {
      headers.push(name, latin1(note(headerValue(name, schema))))
    }
  }
  if (operation.path === "/v1/changes" && random.chance(0.03)) headers.push("accept", "text/event-stream")
  if (random.chance(0.02 + oddity / 4)) headers.push(...random.pick(oddHeaders)(user.canary))
  if (!random.chance(oddity / 10)) headers.push("authorization", `Bearer ${user.token}`)
  else
    headers.push(
      "authorization",
      latin1(random.pick(["", "Bearer", `Basic ${user.token}`, `Bearer ${mutated(random, user.token)}`]))
    )

  const body = bodyOf(random, values, operation, kind, oddity, note)
  if (body !== undefined) {
    const isWrong = random.chance(oddity / 5)
    headers.push(
      "content-type",
      isWrong
        ? random.pick(wrongTypes)
        : random.pick(operation.types.length > 0 ? operation.types : ["application/json"])
    )
    // If the server does not read a long chunked body to its end, it closes the connection, and the next request fails too.
    const isChunked = body.length < 200_000 && random.chance(0.1)
    headers.push(...(isChunked ? ["transfer-encoding", "chunked"] : ["content-length", String(body.length)]))
  }
  const method = random.chance(oddity / 10)
    ? random.pick(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "TRACE", "QUERY", "SEARCH"])
    : operation.method
  const target = random.chance(oddity / 10) ? bent(random, path) : path
  return {
    method,
    path: query.length === 0 ? target : `${target}?${query.join("&")}`,
    headers,
    body,
    // A message lists the words of the contract, so such a word is not repeated, also if it was sent with white space.
    values: sent.filter((value) => value.length >= 8 && !vocabulary.has(value.trim()))
  }
}

const bodyOf = (
  random: Random,
  values: Values,
  { body, method }: Operation,
  kind: string,
  oddity: number,
  note: (text: string) => string
): Buffer | undefined => {
  if (body === undefined) {
    if (!random.chance(oddity / 10)) return undefined
    return method === "GET" ? undefined : Buffer.from(random.pick(["{}", "x", "\0"]))
  }
  const value = values.make(body, kind)
  leaves(value, note)
  const json = toJson(value)
  const bytes = Buffer.from(json)
  if (!random.chance(oddity / 3)) return bytes
  const at = random.int(bytes.length + 1)
  const insert = (text: string) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(text, "latin1"), bytes.subarray(at)])
  return random.pick<() => Buffer>([
    () => Buffer.alloc(0),
    () => bytes.subarray(0, at),
    () => insert(random.pick(["\xff", "\xed\xa0\x80", "\xc0\xaf", "\0", "}", "]", ",", '"', "\\u12", "\\ud800"])),
    () => Buffer.from(`\ufeff${json}`),
    () => Buffer.from(json, "utf16le"),
    () => Buffer.from(json + json),
    () => Buffer.from(json.replace("{", '{"title":"first","title":null,')),
    () => Buffer.from(json.replace("{", '{"__proto__":{"title":"x"},')),
    () => Buffer.from("[".repeat(random.pick([10, 20_000, 250_000]))),
    () => Buffer.from(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`),
    () => Buffer.alloc(random.pick([256 * 1_024, 256 * 1_024 + 1]), " "),
    () => Buffer.from(` \n\t${json}\r\n `),
    () => Buffer.from(JSON.stringify(json))
  ])()
}

const leaves = (value: unknown, note: (text: string) => string): void => {
  if (typeof value === "string") note(value)
  else if (typeof value === "object" && value !== null) for (const member of Object.values(value)) leaves(member, note)
}

/** The text with one character replaced, removed or added. */
const mutated = (random: Random, text: string): string => {
  const at = random.int(text.length)
  const put = random.pick(["", "A", "=", "-", ".", " ", "\xe9", text, "A".repeat(3_000)])
  return text.slice(0, at) + put + text.slice(at + random.int(2))
}

/** A similar path. */
const bent = (random: Random, path: string): string =>
  random.pick<() => string>([
    () => `${path}/`,
    () => `/${path}`,
    () => path.replace("/v1/", "/v1//"),
    () => path.replace("/v1/", "/V1/"),
    () => path.replace("/v1/", "/v1/../v1/"),
    () => path.replace("/v1/", "/v1/./"),
    () => path.replace("/v1/", "/v1%2F"),
    () => `${path};x=1`,
    () => `${path}%00`,
    () => `${path}.json`,
    () => `${path}%`,
    () => `${path}/${"x".repeat(200)}`,
    () => path.slice(0, -1)
  ])()

/** Removes characters that the sender of the test would refuse in a header. */
const latin1 = (text: string): string =>
  Buffer.from(text.replaceAll(/[^\t\x20-\x7e\u0080-\uffff]/g, ""))
    .toString("latin1")
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "")
