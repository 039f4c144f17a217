import { Hooks, Services, WriteRefused } from "@todo/core"
import { Effect, Layer, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ConflictProblem } from "../../src/api/Problem.ts"
import { useServer } from "../support/testServer.ts"

/** A host whose hook refuses todos with a certain title. */
const hooks = Layer.succeed(Hooks, {
  before: (requests) => {
    const index = requests.findIndex((request) => "todo" in request && request.todo.title === "too late")
    const inBatch = requests.length > 1 ? { index } : {}
    return index < 0
      ? Effect.void
      : Effect.fail(new WriteRefused({ code: "month-closed", message: "The month is closed", ...inBatch }))
  }
})

describe("a write that the host's hooks refuse", () => {
  const server = useServer(Services.layer.pipe(Layer.provide(hooks)))

  it("a refusal of the host's hooks is a conflict with the code and message of the hook", async () => {
    const user = await server.user()
    const answer = await user.send("POST", "/v1/todos", { json: { title: "too late" } })
    expect(answer.status).toBe(409)
    expect(answer.headers["content-type"]).toBe("application/problem+json")
    expect(answer.body).toMatchObject({
      code: "conflict",
      reason: "refused",
      refusal: "month-closed",
      detail: "The month is closed"
    })
    expect(answer.body).not.toHaveProperty("errors")
    await user.add()
    expect((await user.send("GET", "/v1/me")).body).toMatchObject({ revision: 1, counts: { open: 1 } })
  })

  it("a refusal in a batch names the operation by its index", async () => {
    const user = await server.user()
    const operations = ["a", "too late"].map((title) => ({ op: "create", todo: { title } }))
    const answer = await user.send("POST", "/v1/todos/batch", { json: { operations } })
    expect(answer.status).toBe(409)
    expect(answer.body.errors).toEqual([{ pointer: "/operations/1", message: "The month is closed" }])
    expect((await user.send("GET", "/v1/me")).body).toMatchObject({ revision: 0 })
  })
})

it("a client decodes a refusal to the error of the hook", () => {
  const refused = new WriteRefused({ code: "month-closed", message: "The month is closed", index: 3 })
  const wire = Schema.encodeUnknownSync(ConflictProblem)(refused)
  expect(Schema.decodeUnknownSync(ConflictProblem)(wire)).toEqual(refused)
})
