import { Api } from "@todo/http/api"
import { OpenApi } from "effect/http-api"
import { describe, expect, it } from "vitest"
import { assertPromised, make } from "../support/OpenApiAnswers.ts"
import { type TestUser, useServer } from "../support/testServer.ts"

const document = OpenApi.fromApi(Api)

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    operation: operation as OpenApi.OpenAPISpecOperation
  }))
)

interface Parameter {
  readonly type?: string
  readonly enum?: ReadonlyArray<string>
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
}

const queries = operations.flatMap(({ name, operation, path }) =>
  operation.parameters
    .filter((parameter) => parameter.in === "query")
    .map((parameter) => ({
      ...parameter,
      path,
      schema: parameter.schema as Parameter,
      at: `${name}?${parameter.name}`
    }))
)

describe("The OpenAPI document", () => {
  const server = useServer()

  it.each(operations)("the document declares the common problems of $name", ({ operation, path }) => {
    const expected = path.startsWith("/v1/")
      ? ["400", "401", "403", "413", "415", "422", "500", "503"]
      : ["413", "415", "500", "503"]
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(expected))
  })

  it.each(
    queries.filter(({ path, schema }) => !path.includes("{") && /boolean|integer|string/.test(schema.type ?? ""))
  )("the document tells which values $at takes", async ({ name, path, schema }) => {
    const { maximum, minimum } = schema
    const isNumber = minimum !== undefined && maximum !== undefined
    const good = schema.type === "boolean" ? [true, false] : isNumber ? [minimum, maximum] : (schema.enum ?? [])
    const bad = isNumber ? [minimum - 1, maximum + 1] : ["\u0000"]
    const me = await server.user()
    const ask = async (value: unknown) =>
      (await me.send("GET", `${path}?${name}=${encodeURIComponent(String(value))}`)).status
    for (const value of schema.default === undefined ? good : [...good, schema.default]) {
      expect({ value, status: await ask(value) }).toEqual({ value, status: 200 })
    }
    // An invalid cursor has its own problem, `invalid-cursor`.
    for (const value of bad)
      expect({ value, status: await ask(value) }).toEqual({
        value,
        status: /cursor|since|lastEventId/.test(name) ? 400 : 422
      })
  })

  // Effect leaves a pattern out of the document unless its expression has the flag `u`.
  it("the document has the form of ids, days, times and time zones", () => {
    const { schemas } = document.components
    for (const place of [
      "Todo/properties/id",
      "Timestamp",
      "Due/anyOf/0/properties/date",
      "Due/anyOf/1/properties/dateTime",
      "Due/anyOf/1/properties/timeZone"
    ]) {
      // oxlint-disable-next-line typescript/no-explicit-any -- JSON
      const schema = place.split("/").reduce<any>((within, name) => within[name], schemas)
      expect(`${place} ${JSON.stringify(schema)}`).toContain('"pattern"')
    }
  })

  it("the document states the default limit of pages", async () => {
    const me = await server.user()
    const limit = queries.find(({ at }) => at === "GET /v1/todos?limit")?.schema.default as number
    const create = (count: number) =>
      me.send("POST", "/v1/todos/batch", {
        json: { operations: Array.from({ length: count }, () => ({ op: "create", todo: { title: "a" } })) }
      })
    await create(limit)
    await create(1)
    expect((await me.send("GET", "/v1/todos")).body.items).toHaveLength(limit)
  })

  it("the document has the event stream, whose events are its changes", async () => {
    const me = await server.user()
    await me.add()
    const url = `${server.url}/v1/changes`
    const headers = { authorization: `Bearer ${me.token}`, accept: "text/event-stream" }
    const abort = new AbortController()
    const response = await fetch(url, { headers, signal: abort.signal })
    const asked = { method: "GET", url, status: response.status, headers: Object.fromEntries(response.headers) }
    expect(asked.headers["content-type"]).toBe("text/event-stream")
    assertPromised(asked)

    let text = ""
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part
      if (/data: .*\n.*\n\n/.test(text)) break
    }
    abort.abort()
    const change = JSON.parse(/data: (.*)\n/.exec(text)?.[1] ?? "null")
    const page = { changes: [change], nextCursor: "", hasMore: false }
    assertPromised({
      ...asked,
      headers: { ...asked.headers, "content-type": "application/json" },
      text: JSON.stringify(page)
    })
  })

  describe("is compared with responses, and the comparison finds", () => {
    const answered = async (me: TestUser, method = "GET", path = "/v1/me") => {
      const { headers, status, text } = await me.send(method, path)
      return { method, url: server.url + path, status, headers, text }
    }

    it("the comparison finds no difference in a correct response", async () => {
      expect(make(document)(await answered(await server.user()))).toBeUndefined()
    })

    it.each<[string, (given: Awaited<ReturnType<typeof answered>>) => object, string]>([
      ["another status", () => ({ status: 202 }), "is not in the document"],
      [
        "another content type",
        ({ headers }) => ({ headers: { ...headers, "content-type": "text/plain" } }),
        "content type"
      ],
      [
        "a header that is not there",
        ({ headers }) => ({ headers: { ...headers, "x-request-id": undefined } }),
        "x-request-id"
      ],
      [
        "a header of another form",
        ({ headers }) => ({ headers: { ...headers, "x-request-id": "a b" } }),
        "x-request-id"
      ],
      ["a member too many", ({ text }) => ({ text: text.replace("{", '{"x":1,') }), "additional properties"],
      [
        "a member of another type",
        ({ text }) => ({ text: text.replace(/"revision":\d+/, '"revision":-1') }),
        "body/revision"
      ],
      ["a body that is no JSON", () => ({ text: "{" }), "is not JSON"],
      ["a route of its own", () => ({ url: `${server.url}/v1/you` }), "is not in the document"],
      ["a method of its own", () => ({ method: "POST" }), "is not in the document"],
      ["another error of the router", () => ({ url: `${server.url}/v2`, status: 404 }), "without problem details"]
    ])("the comparison finds %s", async (_, change, wrong) => {
      const given = await answered(await server.user())
      expect(make(document)({ ...given, ...change(given) })).toContain(wrong)
    })

    it("the comparison finds a response that the document lacks", async () => {
      const less = OpenApi.fromApi(Api)
      delete less.paths["/v1/todos/{id}"]?.get?.responses[422]
      const given = await answered(await server.user(), "GET", "/v1/todos/x")
      expect(make(document)(given)).toBeUndefined()
      expect(make(less)(given)).toContain("The answer 422 to GET /v1/todos/x is not in the document")
    })
  })
})
