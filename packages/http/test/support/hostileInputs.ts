/**
 * Test kit: inputs that the API refuses. Most contain the canary, which no response may repeat.
 */
export const canary = "canary7f3a"

const json = JSON.stringify
const emoji = "😀"
const id = "019ab000-0000-7000-8000-000000000000"

/** Invalid members of a JSON object, and the pointer that the response must name. */
export type Field = readonly [what: string, members: string, pointer: string]

const wrongTypes = (name: string, values: ReadonlyArray<unknown>): ReadonlyArray<Field> =>
  values.map((value) => [`${name} as ${json(value)}`, `"${name}":${json(value)}`, `/${name}`])

const unknown = (name: string, value: unknown = canary): Field => [
  `the unknown member ${json(name)}`,
  `${json(name)}:${json(value)}`,
  `/${name}`
]

const bad = (name: string, what: string, value: unknown, pointer = `/${name}`): Field => [
  `${name}: ${what}`,
  `"${name}":${json(value)}`,
  pointer
]

const badDate = (date: string): Field => [`due date ${json(date)}`, `"due":${json({ date })}`, "/due/date"]

const badTime = (dateTime: string): Field => [
  `due time ${json(dateTime)}`,
  `"due":${json({ dateTime, timeZone: "Europe/Paris" })}`,
  "/due/dateTime"
]

const badZone = (timeZone: string): Field => [
  `time zone ${json(timeZone)}`,
  `"due":${json({ dateTime: "2026-12-01T09:00:00", timeZone })}`,
  "/due/timeZone"
]

/** Members that every write of a todo refuses. */
export const badFields: ReadonlyArray<Field> = [
  ...wrongTypes("title", [null, 1, true, [canary], { canary }]),
  ...wrongTypes("description", [1, false, [canary], { canary }]),
  ...wrongTypes("completed", [null, 0, 1, "true", canary, []]),
  ...wrongTypes("priority", [null, 1, true, canary, "High", "", ["high"]]),
  ...wrongTypes("due", [1, canary, "2026-12-01", [], [{ date: "2026-12-01" }]]),
  ...wrongTypes("tags", [null, canary, { 0: canary }, 1]),
  ...wrongTypes("listId", [1, canary, "", "none", [id], `urn:uuid:${id}`, `{${id}}`, id.replaceAll("-", ""), `${id} `]),

  bad("title", "empty", ""),
  bad("title", "white space only", " \t\n\u00a0\u3000"),
  bad("title", "501 code points", canary.padEnd(501, "x")),
  bad("title", "501 emoji", emoji.repeat(501)),
  bad("title", "U+0000", `${canary}\u0000`),
  ["title: a high surrogate alone", `"title":"${canary}\\ud83d"`, "/title"],
  ["title: a low surrogate alone", `"title":"\\ude00${canary}"`, "/title"],
  ["title: surrogates the wrong way round", `"title":"\\ude00\\ud83d"`, "/title"],
  bad("description", "10,001 code points", canary.padEnd(10_001, "x")),
  bad("description", "10,001 emoji", emoji.repeat(10_001)),
  bad("description", "U+0000", `\u0000${canary}`),
  ["description: a surrogate alone", `"description":"\\ud800"`, "/description"],

  bad(
    "tags",
    "21",
    Array.from({ length: 21 }, (_, index) => `${canary}${index}`)
  ),
  bad("tags", "the same twice", [canary, "b", canary]),
  bad("tags", "an empty one", ["a", ""], "/tags/1"),
  bad("tags", "51 code points", [canary.padEnd(51, "x")], "/tags/0"),
  bad("tags", "U+0000", ["a", "b", `${canary}\u0000`], "/tags/2"),
  ["tags: a surrogate alone", `"tags":["\\udfff"]`, "/tags/0"],
  bad("tags", "a number", ["a", 987_654_321], "/tags/1"),
  bad("tags", "null", [null], "/tags/0"),
  bad("tags", "a list in a list", [[canary]], "/tags/0"),

  ...["2026-02-30", "2027-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31"].map(badDate),
  ...["0000-01-01", "10000-01-01", "+12026-01-01", "-0001-01-01", "2026-1-1", "20260101", "2026/01/01"].map(badDate),
  ...["infinity", "-infinity", "now", "today", "tomorrow", "epoch", "", " 2026-12-01", "2026-12-01 "].map(badDate),
  ...["2026-12-01T00:00:00Z", "2026-W01-1", "2026-335", "２０２６-12-01", "2026-12-01\n"].map(badDate),
  ...["2026-12-01T24:00:00", "2026-12-31T23:59:60", "2026-12-01T09:60:00", "2026-12-01T25:00:00"].map(badTime),
  ...["2026-02-30T09:00:00", "0000-12-01T09:00:00", "2026-12-01", "2026-12-01T09:00", "now", ""].map(badTime),
  ...["2026-12-01T09:00:00Z", "2026-12-01T09:00:00+01:00", "2026-12-01T09:00:00.123", "2026-12-01 09:00:00"].map(
    badTime
  ),
  ...["+01:00", "-0800", "+1", "Mars/Olympus", "", " Europe/Paris", "Europe/Paris ", "Europe", canary].map(badZone),
  ...["Europe/Paris\u0000", "../../etc/passwd", "Europe/Paris; drop table", "x".repeat(65), "＋01:00"].map(badZone),
  ["due: nothing in it", '"due":{}', "/due/date"],
  [
    "due: both forms",
    '"due":{"date":"2026-12-01","dateTime":"2026-12-01T09:00:00","timeZone":"Europe/Paris"}',
    "/due/date"
  ],
  ["due: a time without a zone", '"due":{"dateTime":"2026-12-01T09:00:00"}', "/due/timeZone"],
  ["due: a zone without a time", '"due":{"timeZone":"Europe/Paris"}', "/due/dateTime"],
  ["due: an unknown member", `"due":{"date":"2026-12-01","x":"${canary}"}`, "/due/x"],
  ["due: a date that is null", '"due":{"date":null}', "/due/date"],

  ...["id", "revision", "position", "createdAt", "updatedAt", "deletedAt", "completedAt"].map((name) => unknown(name)),
  ...["ownerId", "owner_id", "Title", "constructor", "toString", "__proto__"].map((name) => unknown(name)),
  unknown("prototype", { [canary]: canary }),
  ["an unknown member whose name is no name", `"<b>${canary}</b>":1`, ""],
  ["an unknown member with an empty name", `"":"${canary}"`, ""],
  ["an unknown member with U+0000 in its name", `"a\\u0000${canary}":1`, ""]
]

/** Bodies that are not JSON. */
export const malformedBodies: ReadonlyArray<readonly [what: string, body: string | Uint8Array<ArrayBuffer>]> = [
  ["nothing", ""],
  ["white space", " \n"],
  ["an object without its end", `{"title":"${canary}"`],
  ["a text without its end", `{"title":"${canary}`],
  ["something behind the object", `{"title":"${canary}"}}`],
  ["two objects", `{"title":"${canary}"}{"title":"b"}`],
  ["a comma too many", `{"title":"${canary}",}`],
  ["single quotes", `{'title':'${canary}'}`],
  ["a comment", `{"title":"${canary}"/**/}`],
  ["NaN", `{"title":NaN}`],
  ["undefined", "undefined"],
  ["a name without quotes", `{title:"${canary}"}`],
  ["a control character in a text", `{"title":"${canary}\n"}`],
  ["an escape that does not exist", `{"title":"${canary}\\x41"}`],
  ["half of an escape", `{"title":"\\u12"}`],
  ["a form", `title=${canary}`],
  ["XML", `<title>${canary}</title>`],
  ["compressed data", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
  ["UTF-16", new Uint8Array(Buffer.from(`{"title":"${canary}"}`, "utf16le"))]
]

/** Bytes that are not UTF-8 (RFC 8259, 8.1). A decoder would replace them. */
export const badUtf8: typeof malformedBodies = [
  ["bytes that are no UTF-8", new Uint8Array(Buffer.from(`{"title":"${canary}\xff"}`, "latin1"))],
  ["an overlong form of UTF-8", new Uint8Array(Buffer.from(`{"title":"${canary}\xc0\xaf"}`, "latin1"))],
  ["a surrogate in UTF-8", new Uint8Array(Buffer.from(`{"title":"${canary}\xed\xa0\x80"}`, "latin1"))]
]

/** JSON, but not an object. */
export const otherJson: ReadonlyArray<string> = ["null", "true", "1", "1e400", `"${canary}"`, "[]", `[{"title":"x"}]`]

const nested = (levels: number, open: string, close: string): string => open.repeat(levels) + close.repeat(levels)

/** JSON that is costly or unusual to parse. */
export const hardJson: ReadonlyArray<readonly [what: string, body: string]> = [
  ["100,000 lists in each other", nested(100_000, "[", "]")],
  ["100,000 lists as the title", `{"title":${nested(100_000, "[", "]")}}`],
  ["100,000 lists as the tags", `{"title":"x","tags":${nested(100_000, "[", "]")}}`],
  ["100,000 lists as the due date", `{"title":"x","due":${nested(100_000, "[", "]")}}`],
  ["40,000 objects in each other", `{"title":"x","due":${`{"a":`.repeat(40_000)}1${"}".repeat(40_000)}}`],
  ["100,000 lists under an unknown name", `{"title":"x","${canary.slice(0, 3)}":${nested(100_000, "[", "]")}}`],
  ["20,000 unknown members", `{"title":"x",${Array.from({ length: 20_000 }, (_, i) => `"a${i}":1`).join(",")}}`],
  ["50,000 tags", `{"title":"x","tags":[${Array.from({ length: 50_000 }, () => '"a"').join(",")}]}`]
]

/** Invalid bodies of other routes, and the pointer that the response must name. `ID` is a todo of the caller. */
export const badBodies: ReadonlyArray<readonly [route: string, body: string, pointer: string]> = [
  ...["{}", "[]", '{"before":null}', '{"before":"x"}', `{"after":"${canary}"}`, `{"after":{"id":"${id}"}}`].map(
    (body) => ["POST /v1/todos/ID/move", body, ""] as const
  ),
  ["POST /v1/todos/ID/move", `{"before":"${id}","after":"${id}"}`, ""],
  ["POST /v1/todos/ID/move", `{"before":"${id}","x":"${canary}"}`, ""],
  ["POST /v1/todos/ID/move", `{"before":"urn:uuid:${id}"}`, "/before"],
  ...["{}", '{"operations":null}', '{"operations":[]}', '{"operations":{}}', '{"operations":"x"}'].map(
    (body) => ["POST /v1/todos/batch", body, "/operations"] as const
  ),
  ["POST /v1/todos/batch", `{"operations":[{"op":"create","todo":{"title":"x"}}],"x":1}`, "/x"],
  [
    "POST /v1/todos/batch",
    json({ operations: Array.from({ length: 101 }, () => ({ op: "create", todo: { title: canary } })) }),
    "/operations"
  ],
  ...[
    {},
    null,
    "create",
    { op: canary },
    { op: "create" },
    { op: "create", todo: { title: "" } },
    { op: "create", todo: { title: canary }, id },
    { op: "update", id: canary, patch: {} },
    { op: "update", id },
    { op: "update", id, patch: { title: null } },
    { op: "update", id, patch: {}, ifRevision: '"1"' },
    { op: "update", id, patch: {}, ifRevision: -1 },
    { op: "delete" },
    { op: "delete", id, ifRevision: 1.5 },
    { op: "delete", id, patch: {} }
  ].map(
    (operation) =>
      [
        "POST /v1/todos/batch",
        json({ operations: [{ op: "create", todo: { title: "x" } }, operation] }),
        "/operations/1"
      ] as const
  ),
  ...[
    "{}",
    '{"name":""}',
    '{"name":" "}',
    '{"name":null}',
    '{"name":1}',
    '{"name":"\\u0000"}',
    '{"name":"\\ud800"}'
  ].map((body) => ["POST /v1/lists", body, "/name"] as const),
  ["POST /v1/lists", json({ name: canary.padEnd(201, "x") }), "/name"],
  ["POST /v1/lists", `{"name":"x","title":"${canary}"}`, "/title"],
  ["POST /v1/lists", `{"name":"x","position":"${canary}"}`, "/position"]
]
