import { Api } from "@todo/http/api"
import { Ajv2020 } from "ajv/dist/2020.js"
import { OpenApi } from "effect/http-api"
import { describe, expect, it } from "vitest"
import { useServer } from "../support/testServer.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- JSON
type Json = any

const document: Json = JSON.parse(JSON.stringify(OpenApi.fromApi(Api)))

/** The target of a reference. */
const resolved = (value: Json): Json => {
  if (typeof value?.$ref !== "string") return value
  // The names have no characters that JSON pointers escape.
  const names: ReadonlyArray<string> = value.$ref.split("/").slice(1)
  return names.reduce((within: Json, name) => within[name], document)
}

/** All members at any depth, with their places. */
const membersOf = (
  value: Json,
  at: ReadonlyArray<string> = []
): ReadonlyArray<{ at: ReadonlyArray<string>; value: Json }> =>
  typeof value !== "object" || value === null || at.at(-1) === "example" || at.at(-1) === "examples"
    ? []
    : Object.entries(value).flatMap(([name, member]) => {
        const here = [...at, name]
        return [{ at: here, value: member }, ...membersOf(member, here)]
      })

const all = membersOf(document)

const operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method,
    path,
    parameters: operation.parameters as ReadonlyArray<Json>,
    answers: Object.values<Json>(operation.responses).map(resolved),
    sent: operation.requestBody?.content as Json
  }))
)

describe("The OpenAPI document, as tools read it,", () => {
  it("the document describes every group, operation, parameter, answer, header, schema and property", () => {
    const { headers, responses, schemas, securitySchemes } = document.components
    const named: ReadonlyArray<readonly [string, Json]> = [
      ...document.tags.map((tag: Json) => [`group ${tag.name}`, tag]),
      ...Object.entries({ ...headers, ...responses, ...schemas, ...securitySchemes }),
      ...all
        .filter(({ at }) => at.at(-2) === "properties" || (at.length === 3 && at[0] === "paths"))
        .map(({ at, value }) => [at.join(" "), value]),
      ...operations.flatMap(({ answers, name, parameters }) => [
        ...parameters.map((parameter) => [`${name} ${parameter.name}`, parameter] as const),
        ...answers.map((answer) => [`${name} answer`, answer] as const),
        ...answers.flatMap((answer) =>
          Object.entries(answer.headers).map(([header, value]) => [`${name} ${header}`, resolved(value)] as const)
        )
      ])
    ]
    expect(named.length).toBeGreaterThan(500)
    expect(named.filter(([, { description = "" }]) => description.length < 5).map(([name]) => name)).toEqual([])
  })

  // Generators read each part of `allOf` as a schema of its own.
  it("the document has the limits of a value in the same schema as its type", () => {
    expect(all.filter(({ at }) => at.at(-1) === "allOf").map(({ at }) => at.join(" "))).toEqual([])
    const { description, deletedAt, title } = document.components.schemas.Todo.properties
    expect(title).toMatchObject({ type: "string", minLength: 1, maxLength: 500, pattern: "\\S" })
    expect(description).toMatchObject({ type: ["string", "null"], maxLength: 10_000 })
    expect(deletedAt.anyOf).toEqual([{ $ref: "#/components/schemas/Timestamp" }, { type: "null" }])
  })

  it("every schema has a type", () => {
    const schemas = all.filter(
      ({ at }) => at.at(-1) === "schema" || at.at(-2) === "properties" || at.at(-1) === "items"
    )
    expect(schemas.length).toBeGreaterThan(500)
    const vague = schemas.filter(({ value }) => !("type" in value || "$ref" in value || "anyOf" in value))
    expect(vague.map(({ at }) => at.join(" "))).toEqual([])
  })

  // Some validators read a pattern with the flag `u`, others without it.
  it("patterns mean the same with the flag u and without", () => {
    const patterns = all.filter(({ at, value }) => at.at(-1) === "pattern" && typeof value === "string")
    expect(patterns.length).toBeGreaterThan(10)
    for (const { value } of patterns) {
      expect(value).not.toMatch(/\\[pPk]|\\u\{/)
      expect([new RegExp(value).source, new RegExp(value, "u").source]).toEqual([value, value])
    }
  })

  it("the document names the scheme of the token in lower case, as the registry of IANA does", () => {
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: "http", scheme: "bearer" })
  })

  describe("has an example of every body", () => {
    const bodies = operations.flatMap(({ answers, name, sent }) =>
      [sent, ...answers.map(({ content }) => content)].flatMap((content = {}) =>
        Object.entries<Json>(content).map(([type, body]) => ({ name: `${name} ${type}`, type, body }))
      )
    )

    it("every body has an example that fits the schema", () => {
      const ajv = new Ajv2020({ strict: false, validateFormats: false })
      ajv.addSchema(document, "openapi.json")
      expect(bodies.length).toBeGreaterThan(150)
      for (const { body, name, type } of bodies) {
        if (type === "text/event-stream") continue
        const schema = JSON.parse(JSON.stringify(body.schema).replaceAll('"#/', '"openapi.json#/'))
        const validate = ajv.compile(schema)
        const examples = Object.values(body.examples ?? {}).map((example) => resolved(example).value)
        expect({ name, fit: examples.map((example) => validate(example)) }).toEqual({
          name,
          fit: (body.schema.anyOf ?? [body.schema]).map(() => true)
        })
      }
    })

    const server = useServer()

    it("every body has an example that the server accepts", async () => {
      const me = await server.user()
      const requests = operations.flatMap(({ method, parameters, path, sent = {} }) =>
        Object.entries<Json>(sent).flatMap(([type, { examples }]) =>
          Object.values(examples).map((example) => ({
            method: method.toUpperCase(),
            template: path,
            path: path.replace("{id}", parameters.find(({ name }) => name === "id")?.schema.examples[0]),
            type,
            json: resolved(example).value
          }))
        )
      )
      expect(requests.map(({ method, template }) => `${method} ${template}`)).toHaveLength(11)

      // Rows that other requests refer to are created first.
      const order = ["PUT", "POST", "PATCH"]
      const sorted = requests.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
      for (const { json, method, path, template, type } of sorted) {
        if (template.endsWith("/move")) {
          const body = requests.find((other) => other.method === "PUT" && template.startsWith(other.template))?.json
          await me.send("PUT", path.replace(/[^/]+\/move$/, json.after), { json: body })
        }
        const { status } = await me.send(method, path, { json, headers: { "content-type": type } })
        expect({ method, path, status }).toEqual({ method, path, status: expect.toBeOneOf([200, 201]) })
      }
    })
  })
})
