import { randomUUID } from "node:crypto"
import { connect } from "node:net"
import { Database } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it } from "vitest"
import { lockUser, waitingForLock } from "../support/lockUser.ts"
import { answers, gate, settings, start, useDatabase } from "../support/program.ts"
import { claims, request, type Sent, sign } from "../support/testServer.ts"

describe("The process", () => {
  const urls = useDatabase()
  const environment = () => ({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_MIGRATE_URL: urls.TODO_MIGRATE_URL })

  const newUser = async () => {
    const id = `user-${randomUUID()}`
    const authorization = `Bearer ${await sign(claims(id))}`
    const send = (address: string, method: string, path: string, sent?: Sent) =>
      request(address + path, method, { ...sent, headers: { authorization } })
    return { id, send }
  }

  const asSuperuser = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
    Effect.runPromise(Effect.provide(effect, Database.layer({ url: urls.admin, poolSize: 2 })))

  it.each(["SIGTERM", "SIGINT"] as const)("the process serves, and ends with 0 on %s", async (signal) => {
    const program = start(environment())
    const address = await program.address()
    const me = await newUser()
    expect((await me.send(address, "POST", "/v1/todos", { json: { title: "a" } })).status).toBe(201)
    await answers(address, "/readyz", 200)
    program.kill(signal)
    expect(await program.ended).toBe(0)
    expect(program.stderr()).toBe("")
  })

  it("the process answers requests in flight after SIGTERM, and accepts no new ones", async () => {
    const program = start({ ...environment(), DATABASE_URL: urls.unlimited })
    const address = await program.address()
    const me = await newUser()
    const { body } = await me.send(address, "POST", "/v1/todos", { json: { title: "a" } })

    const release = await lockUser(urls.admin, me.id)
    const inFlight = me.send(address, "PATCH", `/v1/todos/${body.id}`, { json: { title: "b" } })
    await expect.poll(() => waitingForLock(urls.admin), { timeout: 30_000 }).toBe(1)
    program.kill("SIGTERM")
    const refused = () =>
      request(`${address}/livez`, "GET").then(
        () => false,
        () => true
      )
    await expect.poll(refused, { timeout: 30_000, interval: 20 }).toBe(true)
    await release()
    expect(await inFlight).toMatchObject({ status: 200, body: { title: "b" }, headers: { connection: "close" } })
    expect(await program.ended).toBe(0)
  })

  describe("does not wait beyond the drain timeout", () => {
    const drained = async (bytes: string) => {
      const program = start({ ...environment(), TODO_DRAIN_TIMEOUT: "500 millis", TODO_REQUEST_TIMEOUT: "4 seconds" })
      const port = Number(new URL(await program.address()).port)
      const socket = connect(port, "127.0.0.1").on("error", () => {})
      socket.write(bytes)
      await answers(`http://127.0.0.1:${port}`, "/livez", 200)
      const told = performance.now()
      program.kill("SIGTERM")
      expect(await program.ended).toBe(0)
      socket.destroy()
      return performance.now() - told
    }

    it("the process does not wait beyond the drain timeout for the rest of the headers", async () => {
      expect(await drained("GET /livez HTTP/1.1\r\nHost: x\r\n")).toBeLessThan(3_000)
    })

    it("the process does not wait beyond the drain timeout for the rest of a body", async () => {
      const head = ["POST /v1/todos HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 9"]
      const authorization = `Authorization: Bearer ${await sign(claims("somebody"))}`
      expect(await drained([...head, authorization, "", "{"].join("\r\n"))).toBeLessThan(3_000)
    })
  })

  it("the process keeps every acknowledged write after kill -9", async () => {
    const killed = start(environment())
    const address = await killed.address()
    const me = await newUser()
    const acknowledged = new Set<string>()
    const writer = async () => {
      for (;;) {
        const { body, status } = await me.send(address, "POST", "/v1/todos", { json: { title: "a" } })
        if (status === 201) acknowledged.add(body.id)
        if (acknowledged.size >= 50) killed.kill("SIGKILL")
      }
    }
    await Promise.allSettled([writer(), writer(), writer(), writer()])
    expect(await killed.ended).toBe("SIGKILL")

    const again = await start(environment()).address()
    const { body } = await me.send(again, "GET", "/v1/todos?limit=200")
    const ids = new Set(body.items.map(({ id }: { id: string }) => id))
    expect(acknowledged.size).toBeGreaterThanOrEqual(50)
    expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([])
  })

  it("the process starts without its database: live, not ready, and ready whenever the database is reachable", async () => {
    const database = await gate(urls.DATABASE_URL)
    const program = start({ ...environment(), DATABASE_URL: database.url, TODO_MIGRATE_URL: database.url })
    const address = await program.address()
    const me = await newUser()

    const expectDown = async () => {
      await answers(address, "/readyz", 503)
      await answers(address, "/livez", 200)
      const answer = await me.send(address, "POST", "/v1/todos", { json: { title: "a" } })
      expect(answer).toMatchObject({
        status: 503,
        headers: { "retry-after": "1", "content-type": "application/problem+json" },
        body: { code: "unavailable" }
      })
      expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|postgres/)
    }
    await expectDown()
    for (const titles of [["a"], ["a", "b"]]) {
      await database.open()
      await answers(address, "/readyz", 200)
      const { body, status } = await me.send(address, "POST", "/v1/todos", { json: { title: titles.at(-1) } })
      expect({ status, title: body.title }).toEqual({ status: 201, title: titles.at(-1) })
      await database.close()
      await expectDown()
    }
    program.kill("SIGTERM")
    expect(await program.ended).toBe(0)
  })

  it("the process logs a line of JSON for each request, without secrets", async () => {
    const program = start({ ...environment(), TODO_LOG_FORMAT: "json" })
    const address = await program.address()
    const me = await newUser()
    const { headers } = await me.send(address, "POST", "/v1/todos", { json: { title: "canary" } })
    await me.send(address, "GET", "/v1/todos?cursor=canary")
    program.kill("SIGTERM")
    expect(await program.ended).toBe(0)
    const lines = program.stdout().trim().split("\n")
    const requests = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === "request")
    expect(requests.map(({ annotations }) => annotations)).toMatchObject([
      { method: "POST", route: "/v1/todos", status: 201, requestId: headers["x-request-id"] },
      { method: "GET", route: "/v1/todos", status: 400 }
    ])
    expect(program.stdout() + program.stderr()).not.toMatch(/canary|Bearer|eyJ[\w-]*\./)
    expect(program.stdout()).not.toContain(settings.TODO_JWT_SECRET)
  })

  it("the process logs the cause of a 500 under its request id", async () => {
    const program = start(environment())
    const address = await program.address()
    const rename = (from: string, to: string) =>
      asSuperuser(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`alter table todo.${from} rename to ${to}`)))
    await rename("lists", "gone")
    const answer = await (await newUser()).send(address, "GET", "/v1/lists").finally(() => rename("gone", "lists"))
    expect(answer).toMatchObject({ status: 500, body: { code: "internal" } })
    expect(answer.text).not.toMatch(/lists|relation|select/i)
    await expect.poll(() => program.stdout(), { timeout: 30_000 }).toContain("42P01")
    const line = program
      .stdout()
      .split("\n")
      .find((line) => line.includes("42P01"))
    expect(line).toContain(answer.body.requestId)
  })
})
