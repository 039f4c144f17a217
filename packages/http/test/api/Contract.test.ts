import { Validator } from "@seriousme/openapi-schema-validator"
import { Api, Authorization } from "@todo/http/api"
import { HttpApi, OpenApi } from "effect/http-api"
import { describe, expect, it } from "vitest"
import { routes } from "../support/routes.ts"
import { useServer } from "../support/testServer.ts"

const document = OpenApi.fromApi(Api)

describe("Contract", () => {
  const server = useServer()

  it("every endpoint except the health checks requires a token", () => {
    const open: Array<string> = []
    HttpApi.reflect(Api, {
      onGroup: () => {},
      onEndpoint: ({ endpoint, group, middleware }) => {
        const names = [...middleware].map(({ key }) => key)
        if (!names.includes(Authorization.key)) open.push(`${group.identifier}.${endpoint.identifier}`)
      }
    })
    expect(open).toEqual(["system.live", "system.ready"])
  })

  it("every one of these endpoints answers 401 without a token", async () => {
    const guarded = routes.filter(({ path }) => path.startsWith("/v1/"))
    expect(guarded.length).toBeGreaterThan(6)
    for (const { method, path } of guarded) {
      const answer = await server.send(method, path.replaceAll(/:\w+/g, "019ab000-0000-7000-8000-000000000000"))
      expect(answer, `${method} ${path}`).toMatchObject({ status: 401, body: { code: "unauthorized" } })
    }
  })

  it("openapi.json in the repository describes the contract", async () => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot("../../openapi.json")
  })

  it("the server serves the same document", async () => {
    const answer = await server.send("GET", "/openapi.json")
    expect(answer.status).toBe(200)
    expect(answer.headers["content-type"]).toMatch(/^application\/json/)
    const { servers, ...rest } = JSON.parse(JSON.stringify(document))
    expect(answer.body).toEqual({ ...rest, servers: [{ url: "/" }] })
    // In the repository, for clients that are generated from the file and run against `npm start`.
    expect(servers).toEqual([expect.objectContaining({ url: "http://127.0.0.1:3000" })])
  })

  it("the document is valid OpenAPI 3.1", async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(JSON.stringify(document)))
    expect(result.errors ?? []).toEqual([])
    expect(validator.version).toBe("3.1")
  })

  it("the validator notices a document that is not valid", async () => {
    const broken = { ...JSON.parse(JSON.stringify(document)), paths: { "/v1/todos": { get: { responses: "none" } } } }
    expect((await new Validator().validate(broken)).valid).toBe(false)
  })

  it("the document describes the token, the errors and the headers of an endpoint", () => {
    const update = document.paths["/v1/todos/{id}"]?.patch
    expect(update?.security).toEqual([{ bearer: [] }])
    expect(Object.keys(update?.responses ?? {})).toEqual(
      expect.arrayContaining(["200", "400", "401", "403", "404", "412", "422", "503"])
    )
    expect(update?.requestBody?.content).toHaveProperty(["application/merge-patch+json"])
    expect(update?.responses["200"]).toHaveProperty("headers.etag")
  })

  it("every object that a client sends refuses unknown members", () => {
    const sent = Object.entries(document.components.schemas).filter(([name]) => /^New|Patch$/.test(name))
    expect(sent.map(([name]) => name)).toEqual(expect.arrayContaining(["NewTodo", "TodoPatch"]))
    for (const [, schema] of sent) expect(schema).toMatchObject({ additionalProperties: false })
  })
})
