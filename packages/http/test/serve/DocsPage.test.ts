import { get as request } from "node:http"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { describe, expect, it, type TestContext, vi } from "vitest"
import { chromium, openPage } from "../support/chromium.ts"
import { settings, start, useDatabase } from "../support/program.ts"
import { claims, sign, useServer } from "../support/testServer.ts"

describe("The page at /docs", () => {
  const server = useServer()
  const ask = (headers: Record<string, string>) => server.send("GET", "/docs", { headers })

  it("the page is compressed in an encoding that the browser accepts", async () => {
    const get = async (encoding: string) => {
      return new Promise<{ encoding: string | undefined; body: Buffer }>((done, fail) =>
        request(`${server.url}/docs`, { headers: { "accept-encoding": encoding } }, async (answer) => {
          const parts: Array<Buffer> = []
          for await (const part of answer) parts.push(part)
          done({ encoding: answer.headers["content-encoding"], body: Buffer.concat(parts) })
        }).on("error", fail)
      )
    }
    const plain = await get("identity")
    expect(plain.encoding).toBeUndefined()
    const [br, gzip, none] = await Promise.all([get("gzip, br"), get("gzip;q=0.5, br;q=0"), get("br;q=0")])
    expect([br.encoding, gzip.encoding, none.encoding]).toEqual(["br", "gzip", undefined])
    expect(brotliDecompressSync(br.body).equals(plain.body)).toBe(true)
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true)
    expect(br.body.length).toBeLessThan(plain.body.length / 3)
  })

  it("the page is answered 304 if the browser has the current one", async () => {
    const first = await ask({})
    const etag = first.headers["etag"] ?? ""
    expect(first.headers).toMatchObject({ "cache-control": "no-cache", vary: expect.stringContaining("ccept-") })
    const again = await ask({ "if-none-match": etag })
    expect([again.status, again.text]).toEqual([304, ""])
  })
})

describe("In Chromium, the page at /docs", () => {
  const urls = useDatabase()

  const open = async (context: TestContext, width: number) => {
    if (chromium === undefined) {
      console.warn("SKIPPED: there is no Chromium here; apt-get install chromium")
      return context.skip()
    }
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL })
    const origin = await program.address()
    const page = await openPage(chromium, width)
    await page.go(`${origin}/docs`)
    const eventually = (expression: string) =>
      vi.waitFor(async () => expect(await page.evaluate(`Boolean(${expression})`)).toBe(true), {
        timeout: 60_000,
        interval: 100
      })
    await eventually(`document.querySelector("h1") && document.querySelector("input[placeholder=Token]")`)
    return { origin, page, eventually }
  }

  it("the page lets a user paste a token, create, list and delete, and requests no other origin", async (context) => {
    const { eventually, origin, page } = await open(context, 1_280)
    const token = await sign(claims("reads-the-docs"))
    await page.evaluate(`document.querySelector("input[placeholder=Token]").focus()`)
    await page.type(token)

    /** Opens an operation, sends its prefilled request, and returns the status of the response. */
    const tryOut = async (operation: string) => {
      const opener = `[...document.querySelectorAll("button")].find((b) => b.innerText.includes("(${operation})"))`
      await eventually(opener)
      await page.evaluate(`${opener}.click()`)
      const send = `[...document.querySelectorAll("[role=dialog] button")].find((b) => /^Send (get|post|put|patch|delete)/im.test(b.innerText))`
      await eventually(send)
      const before = page.answers.length
      await page.evaluate(`${send}.click()`)
      await vi.waitFor(() => expect(page.answers.length).toBeGreaterThan(before), { timeout: 60_000, interval: 50 })
      const answer = page.answers.at(-1)
      await page.evaluate(
        `[...document.querySelectorAll("[role=dialog] button")].find((b) => /Close Client/.test(b.innerText)).click()`
      )
      return answer
    }

    const todos = `${origin}/v1/todos`
    expect(await tryOut("post /v1/todos")).toEqual({ url: todos, status: 201 })
    expect(await tryOut("get /v1/todos")).toMatchObject({ url: expect.stringContaining(todos), status: 200 })
    // The example of an id is one that does not exist yet.
    expect(await tryOut("put /v1/todos/{id}")).toEqual({
      url: `${todos}/0199ab00-0000-7000-8000-000000000001`,
      status: 201
    })
    expect(await tryOut("get /v1/todos/{id}")).toMatchObject({ status: 200 })
    expect(await tryOut("delete /v1/todos/{id}")).toMatchObject({ status: 204 })

    const foreign = page.requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin)
    expect(foreign).toEqual([])
  })

  it("the page does not scroll sideways on a phone", async (context) => {
    const { origin, page } = await open(context, 390)
    const widths = `[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]`
    await vi.waitFor(async () => expect(await page.evaluate(widths)).toEqual([390, 390, 390]), { timeout: 20_000 })
    expect(page.requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin)).toEqual([])
  })
})
