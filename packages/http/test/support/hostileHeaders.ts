/** Test kit: requests whose head the API refuses, each as it is sent. */
import { canary } from "./hostileInputs.ts"

const json = "Content-Type: application/json"
const body = `{"title":"${canary}"}`
const length = `Content-Length: ${body.length}`

export interface Hostile {
  /** `ID` stands for a todo of the caller. */
  readonly line: string
  readonly headers: ReadonlyArray<string>
  readonly body?: string
}

type Row = readonly [what: string, request: Hostile, answer: readonly [status: number, code: string]]

const malformed = [400, "malformed-request"] as const
const unsupported = [415, "unsupported-media-type"] as const
const nothing = [404, "route-not-found"] as const

const posted = (what: string, answer: Row[2], ...headers: ReadonlyArray<string>): Row => [
  what,
  { line: "POST /v1/todos", headers: [...headers, length], body },
  answer
]
const deleted = (header: string, ...more: ReadonlyArray<string>): Row => [
  [header, ...more].join(" and "),
  { line: "DELETE /v1/todos/ID", headers: [header, ...more] },
  malformed
]
const asked = (line: string, answer: Row[2], ...headers: ReadonlyArray<string>): Row => [
  [line.slice(0, 80), ...headers].join(" with ").slice(0, 120),
  { line, headers },
  answer
]

export const hostileHeaders: ReadonlyArray<Row> = [
  ...[`Idempotency-Key:`, `Idempotency-Key: ""`, `Idempotency-Key: ${canary} x`, `Idempotency-Key: ${canary}\xe9`].map(
    (header) => posted(header, malformed, json, header)
  ),
  posted("an Idempotency-Key of 256 characters", malformed, json, `Idempotency-Key: ${canary.padEnd(256, "k")}`),
  posted("two Idempotency-Keys", malformed, json, "Idempotency-Key: a", "Idempotency-Key: b"),

  deleted("If-Match:"),
  deleted("If-Match: 1"),
  deleted(`If-Match: ${canary}`),
  deleted(`If-Match: "${canary}`),
  deleted(`If-Match: "1" "2"`),
  deleted(`If-Match: '1'`),
  deleted(`If-Match: w/"1"`),
  deleted(`If-Match: W/ "1"`),
  deleted(`If-Match: *, "1"`),
  deleted(`If-Match: "1", *`),
  deleted("If-Match: *", "If-Match: *"),
  deleted("If-Match: ,"),
  deleted(`If-Match: "1"; x`),
  deleted(`If-Match: "a b"`),
  [
    "If-None-Match with a tag, where only * says something",
    { line: "PUT /v1/todos/ID", headers: [json, length, 'If-None-Match: "1"'], body },
    malformed
  ],
  asked("GET /v1/todos/ID", malformed, `If-None-Match: ${canary}`),

  ...["gzip", "br", "deflate", "zstd", "x-gzip", "compress", "gzip, gzip", "identity, gzip", canary].map((encoding) =>
    posted(`Content-Encoding: ${encoding}`, unsupported, json, `Content-Encoding: ${encoding}`)
  ),
  posted("an empty Content-Type", unsupported, "Content-Type:"),
  posted("two Content-Types", unsupported, json, "Content-Type: text/plain"),
  posted("two Content-Types in one", unsupported, `${json}, text/plain`),
  posted("Content-Type application/vnd.api+json", unsupported, "Content-Type: application/vnd.api+json"),
  posted("Content-Type application/json5", unsupported, "Content-Type: application/json5"),
  posted("Content-Type text/json", unsupported, "Content-Type: text/json"),
  posted("Content-Type */*", unsupported, "Content-Type: */*"),

  ...[
    "Content-Length: -1",
    "Content-Length: +5",
    "Content-Length: 0x5",
    "Content-Length: 5, 5",
    "Content-Length: 1e3"
  ].map((header) => asked("POST /v1/todos", malformed, json, header)),
  asked("POST /v1/todos", malformed, json, "Content-Length: 99999999999999999999999"),
  asked("POST /v1/todos", malformed, json, "Content-Length:"),
  asked("POST /v1/todos", malformed, json, "Transfer-Encoding: identity"),
  asked("POST /v1/todos", malformed, json, "Transfer-Encoding: chunked, chunked"),
  asked("POST /v1/todos", malformed, json, "Transfer-Encoding: xchunked"),
  [
    "a chunk whose size is none",
    { line: "POST /v1/todos", headers: [json, "Transfer-Encoding: chunked"], body: `zz\r\n${canary}\r\n` },
    malformed
  ],
  [
    "a chunk whose size is too much for a number",
    { line: "POST /v1/todos", headers: [json, "Transfer-Encoding: chunked"], body: `${"f".repeat(20)}\r\n${canary}` },
    malformed
  ],
  asked("GET /v1/me", [413, "payload-too-large"], "Content-Length: 300000"),

  asked("GET /v1/me", malformed, "X-A: a\0b"),
  asked("GET /v1/me", malformed, "X-A: a\rb"),
  asked("GET /v1/me", malformed, `X A: ${canary}`),
  asked("GET /v1/me", malformed, `: ${canary}`),
  asked("GET /v1/me", malformed, `${canary}`),
  asked("GET /v1/me", [431, "malformed-request"], `X-A: ${canary.padEnd(17_000, "x")}`),
  asked("GET /v1/me", [431, "malformed-request"], ...Array.from({ length: 3_000 }, (_, i) => `X-${i}: a`)),
  asked(`GET /v1/todos?q=${canary.padEnd(20_000, "x")}`, [431, "malformed-request"]),
  asked(`GET /v1/todos/${canary.padEnd(9_000, "x")}`, nothing),

  asked("TRACE /v1/todos", [405, "method-not-allowed"]),
  asked("PROPFIND /v1/todos/ID", [405, "method-not-allowed"]),
  asked("LINK /v1/me", [405, "method-not-allowed"]),
  asked("CONNECT /v1/todos", malformed),
  asked("CONNECT example.com:443", malformed),
  ...["get", "Get", "FOO", "", "GET\0", "G\xc9T", "PATCHED"].map((method) => asked(`${method} /v1/todos`, malformed)),
  asked("OPTIONS *", nothing),
  asked("GET *", nothing),
  asked("GET", malformed),
  asked("GET v1/todos", malformed),
  asked("GET \\v1\\todos", malformed),
  asked("GET /v1\\todos", nothing),
  asked("GET /v1/todos x", malformed),
  asked("GET /v1/me\xff", malformed),
  asked("GET /v1/todos/../me", nothing),
  asked("GET /v1/todos/%2e%2e/me", nothing),
  asked("GET /v1/./me", nothing),
  asked("GET /v1/me/.", nothing),
  asked(`GET /v1/me;${canary}`, nothing),
  asked("GET /v1/me%3Fx", nothing),

  asked("GET /v1/changes", [400, "invalid-cursor"], "Accept: text/event-stream", `Last-Event-ID: ${canary}`),
  asked("GET /v1/changes", [400, "invalid-cursor"], "Accept: TEXT/Event-Stream;q=0.5", `Last-Event-ID: ${canary}`),
  asked(`GET /v1/changes?since=${canary}`, [400, "invalid-cursor"], "Accept: text/event-stream"),
  asked("GET /v1/changes?limit=0", [422, "invalid-input"], "Accept: text/event-stream"),

  asked(`GET /v1/nothing`, nothing, `X-Request-Id: ${canary} x`),
  asked(`GET /v1/nothing`, nothing, `X-Request-Id: ${canary}\xe9`),
  asked(`GET /v1/nothing`, nothing, `X-Request-Id: ${canary}`, "X-Request-Id: x"),
  asked(`GET /v1/nothing`, nothing, `X-Request-Id: ${canary.padEnd(129, "x")}`),
  asked("POST /v1/me", [405, "method-not-allowed"], "X-HTTP-Method-Override: GET", "Content-Length: 0"),
  posted(
    "an expectation that nobody knows, and a wrong type",
    unsupported,
    "Content-Type: text/plain",
    `Expect: ${canary}`
  )
]
