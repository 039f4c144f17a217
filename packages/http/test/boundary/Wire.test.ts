import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import { hostileHeaders } from "../support/hostileHeaders.ts"
import { badUtf8, canary } from "../support/hostileInputs.ts"
import { useServer } from "../support/testServer.ts"

describe("On the wire", () => {
  const server = useServer()

  /** Writes raw bytes. Returns the received text at the end of the connection, or earlier if a condition holds. */
  const exchange = (bytes: string, enough: (received: string) => boolean = () => false): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(bytes, "latin1"))
      let received = ""
      socket.setTimeout(10_000, () => socket.destroy(new Error(`no end after ${JSON.stringify(received)}`)))
      socket.setEncoding("latin1").on("data", (part) => {
        received += part
        if (enough(received)) socket.end()
      })
      socket.once("close", () => resolve(received)).once("error", reject)
    })

  const head = async (...more: ReadonlyArray<string>) =>
    [
      `POST /v1/todos HTTP/1.1`,
      "Host: x",
      `Authorization: Bearer ${(await server.user()).token}`,
      ...more,
      "",
      ""
    ].join("\r\n")

  it("a length over the limit is answered at once, without waiting for the body", async () => {
    const answer = await exchange(await head("Content-Type: application/json", "Content-Length: 10000000000"))
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(answer).toContain('"code":"payload-too-large"')
  })

  it("a chunked body over the limit is answered with Connection: close", async () => {
    const me = await server.user()
    const chunk = new Uint8Array(10_000).fill(0x20)
    let sent = 0
    const body = new ReadableStream({
      pull: (controller) => (++sent > 30 ? controller.close() : controller.enqueue(chunk))
    })
    const answer = await me.send("POST", "/v1/todos", { body, headers: { "content-type": "application/json" } })
    expect(answer).toMatchObject({ status: 413, headers: { connection: "close" } })
  })

  it("the server stops reading a chunked body over the limit, however long it is", async () => {
    const chunk = `ffff\r\n${"x".repeat(0xffff)}\r\n`
    const start = await head("Content-Type: application/json", "Transfer-Encoding: chunked")
    const ended = await new Promise((resolve) => {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(start))
      const writing = setInterval(() => socket.write(chunk), 2)
      socket.setTimeout(10_000, () => resolve("never"))
      socket
        .on("error", () => {})
        .once("close", () => {
          clearInterval(writing)
          resolve(socket.bytesWritten < 64 * 1_024 * 1_024)
        })
    })
    expect(ended).toBe(true)
  })

  it.each(badUtf8)("the server refuses a body with %s", async (_, body) => {
    const me = await server.user()
    const answer = await me.send("POST", "/v1/todos", { body, headers: { "content-type": "application/json" } })
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed-request" } })
  })

  it.each(["1e1", "%2B5"])("the server refuses the limit %s", async (limit) => {
    expect((await (await server.user()).send("GET", `/v1/todos?limit=${limit}`)).status).toBe(422)
  })

  it.each(hostileHeaders)(
    "the server refuses %s, with a problem that repeats nothing",
    async (_, hostile, [status, code]) => {
      const me = await server.user()
      const mine = await me.add()
      const line = hostile.line.replace("ID", mine.id)
      const head = [`${line} HTTP/1.1`, "Host: x", `Authorization: Bearer ${me.token}`, ...hostile.headers, "", ""]
      const answer = await exchange(head.join("\r\n") + (hostile.body ?? ""), (text) => /\r\n\r\n\{.*\}$/s.test(text))
      const [top = "", text = ""] = answer.split("\r\n\r\n")
      expect(top).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(top).toMatch(/\r\ncontent-type: application\/problem\+json(\r\n|$)/i)
      expect(JSON.parse(text)).toMatchObject({
        code,
        status,
        requestId: expect.any(String),
        type: `urn:todo:problem:${code}`
      })
      expect(answer).not.toContain(canary)
      expect((await me.send("GET", "/v1/todos")).body.items).toEqual([mine])
    }
  )

  it.each(['"1"', '"0", "1"', '"1",', ' , "0,0" ,, "1" ,', 'W/"x", "1"', '"\xe9", "1"', "*", " * "])(
    "the server takes If-Match: %s",
    async (tags) => {
      const me = await server.user()
      const { id } = await me.add()
      const head = [
        `DELETE /v1/todos/${id} HTTP/1.1`,
        "Host: x",
        "Connection: close",
        `Authorization: Bearer ${me.token}`,
        `If-Match: ${tags}`
      ]
      expect(await exchange([...head, "", ""].join("\r\n"))).toMatch(/^HTTP\/1\.1 204 /)
    }
  )

  it.each(['"0"', 'W/"1"', '"x"', '"01"', '"1,0"', '"0", W/"1"', '""'])("no row matches If-Match: %s", async (tags) => {
    const me = await server.user()
    const { id } = await me.add()
    const answer = await me.send("DELETE", `/v1/todos/${id}`, { headers: { "if-match": tags } })
    expect(answer).toMatchObject({ status: 412, headers: { etag: '"1"' } })
  })

  it.each(["text/event-stream;q=0", "text/event-stream; q=0.000, */*", "text/event-streamx", "x-text/event-stream"])(
    "the server answers Accept: %s with a page of changes",
    async (accept) => {
      const me = await server.user()
      const answer = await me.send("GET", "/v1/changes", { headers: { accept } })
      expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/json" } })
    }
  )

  it("the path /v1/todos/ is not found", async () => {
    expect((await (await server.user()).send("GET", "/v1/todos/")).status).toBe(404)
  })

  it.each(["", "/restore"])("the path /v1/todos/ID%s;x is not found", async (suffix) => {
    const me = await server.user()
    const { id } = await me.add()
    const answer = await me.send(suffix === "" ? "GET" : "POST", `/v1/todos/${id}${suffix};x`)
    expect(answer).toMatchObject({ status: 404, body: { code: "route-not-found" } })
  })

  it("the server checks the token before it reads the body", async () => {
    const answer = await exchange(
      ["POST /v1/todos HTTP/1.1", "Host: x", "Content-Length: 100", "Expect: 100-continue", "", ""].join("\r\n"),
      (received) => received.includes('"requestId"')
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })

  it.each([
    ["two lengths", "POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "a length and chunks",
      "POST /v1/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ],
    ["a space before the colon", "GET /livez HTTP/1.1\r\nHost : x\r\n\r\n"],
    ["a header over two lines", "GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n"],
    ["a method that is none", "FOO /livez HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["something else than HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"]
  ])("the server refuses %s and ends the connection", async (_, bytes) => {
    expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  it.each([
    ["two hosts", "Host: a\r\nHost: b\r\n"],
    ["the same host twice", "Host: a\r\nHost: a\r\n"],
    ["two hosts, one of them empty", "Host: a\r\nHost:\r\n"],
    ["no host", ""],
    ["an empty host", "Host:\r\n"],
    ["a host that is a list", "Host: a,b\r\n"],
    ["a host with a space", "Host: a b\r\n"],
    ["a host with a user", "Host: user@a\r\n"],
    ["a host with a path", "Host: a/b\r\n"],
    ["a host that is a URL", "Host: http://a\r\n"],
    ["a host with a strange port", "Host: a:b\r\n"],
    ["a host with two ports", "Host: a:1:2\r\n"],
    ["an address that does not end", "Host: [::1\r\n"]
  ])("the server refuses %s with a problem, whatever the route, and ends the connection", async (_, host) => {
    for (const path of ["/livez", "/v1/todos", "/nowhere"]) {
      const answer = await exchange(`GET ${path} HTTP/1.1\r\n${host}\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
      expect(answer).toContain('"code":"malformed-request"')
      expect(answer).toContain("Send exactly one Host header")
    }
  })

  it.each([
    ["a name", "Host: todo.example.com"],
    ["a name with a port", "Host: my_service-1:8080"],
    ["a name with an empty port", "Host: todo.example.com:"],
    ["an IPv4 address", "Host: 127.0.0.1:3000"],
    ["an IPv6 address", "Host: [::1]:3000"]
  ])("the server accepts a host that is %s", async (_, host) => {
    expect(await exchange(`GET /livez HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it("HTTP/1.0 needs no host, and two hosts are refused", async () => {
    expect(await exchange("GET /livez HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /)
    expect(await exchange("GET /livez HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /)
  })

  it("a header block of 17 KiB is refused, and the connection ends", async () => {
    expect(await exchange(`GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(17 * 1_024)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /
    )
  })

  it("input that is not HTTP is answered with a problem", async () => {
    expect(await exchange("GET /livez HTTP/1.1\r\nHost : x\r\n\r\n")).toContain('"code":"malformed-request"')
  })

  it("two Authorization headers are refused, also if one or both are valid", async () => {
    const { token } = await server.user()
    const get = (...given: ReadonlyArray<string>) =>
      exchange(
        [
          "GET /v1/todos HTTP/1.1",
          "Host: x",
          "Connection: close",
          ...given.map((one) => `Authorization: ${one}`),
          "",
          ""
        ].join("\r\n")
      )
    expect(await get(`Bearer ${token}`)).toMatch(/^HTTP\/1\.1 200 /)
    for (const other of ["", "Bearer", "Bearer x", "Basic x", `Bearer ${token}`, token]) {
      expect(await get(other, `Bearer ${token}`)).toMatch(/^HTTP\/1\.1 401 /)
      expect(await get(`Bearer ${token}`, other)).toMatch(/^HTTP\/1\.1 401 /)
    }
  })

  it.each(["h2c", "websocket"])("the server survives an upgrade to %s that is reset", async (protocol) => {
    for (let attempt = 0; attempt < 20; attempt++) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
          socket.write(`GET /v1/todos HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
          socket.resetAndDestroy()
        })
        socket.once("close", () => resolve()).on("error", () => {})
      })
    }
    expect((await server.send("GET", "/livez")).status).toBe(200)
  })
})
