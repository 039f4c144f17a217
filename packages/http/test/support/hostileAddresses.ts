/** Test kit: query strings, ids and paths that the API refuses. */
import { canary } from "./hostileInputs.ts"

const id = "019ab000-0000-7000-8000-000000000000"

/** Query strings of `GET /v1/todos`, and the pointer that the answer must name. */
export const badQueries: ReadonlyArray<readonly [query: string, pointer: string]> = [
  ...["0", "201", "-1", "", "abc", "1.5", "0x10", "%205", "5%20", "1,000", "NaN", "Infinity", "5;", "null"].map(
    (limit) => [`limit=${limit}`, "/query/limit"] as const
  ),
  ...["99999999999999999999", "%EF%BC%95", "1%00", canary].map((limit) => [`limit=${limit}`, "/query/limit"] as const),
  ...["yes", "1", "TRUE", "", "null", canary].map((value) => [`completed=${value}`, "/query/completed"] as const),
  ...["urgent", "3", "", "HIGH", canary].map((value) => [`priority=${value}`, "/query/priority"] as const),
  ...["Position", "+position", "--position", "owner_id", "position,id", "", "constructor", canary].map(
    (sort) => [`sort=${sort}`, "/query/sort"] as const
  ),
  ...["x", "", "NONE", "null", `urn:uuid:${id}`, `%7B${id}%7D`, canary].map(
    (value) => [`listId=${value}`, "/query/listId"] as const
  ),
  ["tag=", "/query/tag/0"],
  [`tag=a&tag=${canary.padEnd(51, "x")}`, "/query/tag/1"],
  ["tag=%00", "/query/tag/0"],
  [Array.from({ length: 21 }, (_, index) => `tag=${canary}${index}`).join("&"), "/query/tag"],
  ["limit=1&limit=2", "/query/limit"],
  ["completed=true&completed=false", "/query/completed"],
  ["sort=position&sort=position", "/query/sort"],
  ["priority=low&priority=high", "/query/priority"],
  [`listId=none&listId=${id}`, "/query/listId"],
  [`cursor=a&cursor=${canary}`, "/query/cursor"],
  [`${canary.slice(0, 3)}=1`, "/query/can"],
  ["Limit=5", "/query/Limit"],
  ["limit%5B%5D=5", "/query"],
  ["tag%5B0%5D=a", "/query"],
  ["owner_id=someone", "/query/owner_id"],
  ["__proto__=1", "/query/__proto__"],
  ["constructor=1", "/query/constructor"]
]

/** Query strings of other routes. */
export const otherQueries: ReadonlyArray<readonly [path: string, pointer: string]> = [
  ...["0", "501", "-1", "", "abc", "1.5"].map((limit) => [`/v1/changes?limit=${limit}`, "/query/limit"] as const),
  ["/v1/changes?cursor=x", "/query/cursor"],
  ["/v1/changes?since=a&since=b", "/query/since"],
  ["/v1/changes?lastEventId=a&lastEventId=b", "/query/lastEventId"],
  ["/v1/lists?limit=201", "/query/limit"],
  ["/v1/lists?sort=name", "/query/sort"],
  ["/v1/lists?q=x", "/query/q"],
  ["/v1/todos?deleted=1", "/query/deleted"],
  ["/v1/todos?count=yes", "/query/count"],
  ["/v1/todos?q=", "/query/q"],
  ["/v1/todos?q=%20", "/query/q"],
  ["/v1/todos?q=%00", "/query/q"],
  [`/v1/todos?q=${canary.padEnd(201, "x")}`, "/query/q"],
  ["/v1/todos?q=a&q=b", "/query/q"],
  [`/v1/todos?due=${canary}`, "/query/due"],
  ["/v1/todos?due=", "/query/due"],
  ["/v1/todos?timeZone=%2B01:00", "/query/timeZone"],
  ["/v1/todos?timeZone=Mars", "/query/timeZone"],
  ...[
    "2026-02-30",
    "2026-12-1",
    "12/01/2026",
    "2026-12-01Z",
    "0000-01-01",
    "2026-W49",
    "now",
    "infinity",
    "2026-02-30T00:00:00Z",
    "2026-12-01T24:00:00Z",
    "2026-12-01T00:00:00",
    ""
  ].flatMap((instant) => [
    [`/v1/todos?dueFrom=${instant}`, "/query/dueFrom"] as const,
    [`/v1/todos?dueTo=${instant}`, "/query/dueTo"] as const
  ]),
  ["/v1/todos?dueFrom=2026-12-31T23:59:60Z", "/query/dueFrom"],
  ["/v1/todos?dueFrom=0000-01-01T00:00:00Z", "/query/dueFrom"],
  ["/v1/todos?dueFrom=2026-12-01T00:00:00.0000001Z", "/query/dueFrom"]
]

/** Query strings with invalid escapes, or with bytes that are not UTF-8. */
export const unreadableQueries: ReadonlyArray<string> = [
  "q=%",
  "q=%z",
  "q=%zz",
  "q=100%",
  "q=%ff",
  "q=%ED%A0%80",
  "q=%c0%af",
  "q=a%F0%9F%98",
  "%ff=1",
  "%",
  "tag=a&tag=%e9",
  `q=${canary}%u0041`
]

/** Ids of todos that are not UUIDs with hyphens. */
export const badIds: ReadonlyArray<string> = [
  `%7B${id}%7D`,
  `urn:uuid:${id}`,
  id.replaceAll("-", ""),
  id.slice(0, -1),
  `${id}0`,
  `${id}%20`,
  `%20${id}`,
  `${id}%00`,
  `${id}%0A`,
  "%00",
  "0",
  "0x10",
  "1",
  "-1",
  "null",
  "undefined",
  canary,
  `${id}%2Frestore`,
  `..%2F${id}`,
  `${id}'--`,
  `${id}%3Bx`,
  "%F0%9F%98%80",
  id.replace("0", "０")
]

/** Paths without a route. `ID` stands for a todo of the caller. */
export const unknownPaths: ReadonlyArray<string> = [
  "/",
  "/v1",
  "/v1/",
  `/${canary}`,
  `/v1/${canary}`,
  "/v2/todos",
  "/todos",
  "/V1/todos",
  "/v1/Todos",
  "//v1/todos",
  "/v1//todos",
  "/v1/todos//",
  "/v1/todos/ID/",
  "/v1/todos//ID",
  "/v1/todos/ID//restore",
  "/v1/todos/ID/Restore",
  "/v1/todos/ID/restore/",
  `/v1/todos/ID/${canary}`,
  "/v1%2Ftodos",
  "/v1/todos%2FID",
  "/v1/todos%00",
  "/v1/todos%20",
  "/v1/todos/ID/restore%00",
  "/v1/todos.json",
  "/livez/",
  "/readyz/x",
  "/openapi.json/",
  "/docs/",
  "/.env",
  "/..%2f..%2fetc%2fpasswd",
  "/v1/todos/%",
  "/v1/todos/%zz",
  "/v1/todos/%c0%af",
  `/v1/todos/${"x".repeat(101)}`
]
