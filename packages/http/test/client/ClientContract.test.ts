import { assert, describe, it } from "@effect/vitest"
import { Api } from "@todo/http/api"
import { Schema } from "effect"
import { HttpApi } from "effect/http-api"
import * as EventParser from "../../src/client/EventParser.ts"
import { routes } from "../../src/client/Routes.ts"

it("the client has all routes of the contract except the health checks", () => {
  const found: Record<string, Record<string, unknown>> = {}
  HttpApi.reflect(Api, {
    onGroup: ({ group }) => void (found[group.identifier] = {}),
    onEndpoint: ({ endpoint, group }) => {
      const headers = endpoint.headers === undefined ? {} : Schema.toJsonSchemaDocument(endpoint.headers).schema
      const route = [endpoint.method, endpoint.path, "idempotency-key" in Object(headers["properties"])]
      Object.assign(found[group.identifier] ?? {}, { [endpoint.identifier]: route })
    }
  })
  const { system: _, ...called } = found
  assert.deepStrictEqual<unknown>(routes, called)
})

describe("The parser of events", () => {
  const parse = (...pieces: ReadonlyArray<string>) => {
    const feed = EventParser.make()
    return pieces.flatMap((piece) => feed(piece))
  }

  it("the parser reads the events of the server", () => {
    assert.deepStrictEqual(
      parse('retry: 2000\nevent: change\ndata: {"x":": "}\nid: a\n\n:\n:\nevent: change\n', "data: 1\nid: b\n\n"),
      [
        { id: "a", event: "change", data: '{"x":": "}' },
        { id: "b", event: "change", data: "1" }
      ]
    )
  })

  it("the parser reads what the standard allows: all line ends, many lines, no space, no value", () => {
    assert.deepStrictEqual(parse("data:1\r\ndata\rdata:  2\n\r\n\rdata\n\n"), [
      { id: "", event: "", data: "1\n\n 2" },
      { id: "", event: "", data: "" }
    ])
  })

  it("the parser ignores an event that is cut off", () => {
    assert.deepStrictEqual(parse("id: a\ndata: 1\n\nid: b\ndata: 2\n"), [{ id: "a", event: "", data: "1" }])
  })

  const Lines = Schema.Array(
    Schema.Literals(["id: 1", "id", "event: change", "data: a", "data:", "data: ü b", ": c", "other: d", "", ""])
  )
  const End = Schema.Literals(["\n", "\r\n", "\r"])
  const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })))

  it.prop("the parser gives the same events for any chunks and line ends", [Lines, End, Cuts], ([lines, end, cuts]) => {
    const text = lines.map((line) => line + end).join("")
    const pieces: Array<string> = []
    let at = 0
    for (const cut of cuts) pieces.push(text.slice(at, (at += cut)))
    pieces.push(text.slice(at))
    // A CR at the end may be the first half of CRLF. The comment line after it completes the line end.
    assert.deepStrictEqual(parse(...pieces, ":"), parse(lines.map((line) => `${line}\n`).join("")))
  })
})
