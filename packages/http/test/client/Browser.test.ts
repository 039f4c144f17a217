import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import { expect, it, onTestFinished } from "vitest"
import { browserProgram } from "../support/browserProgram.ts"
import { bundle } from "../support/bundle.ts"
import { flakyProxy, type Passed } from "../support/flakyProxy.ts"
import { portOf, settings, start, temporaryDirectory, useDatabase } from "../support/program.ts"
import { claims, sign } from "../support/testServer.ts"

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path)
)

const urls = useDatabase()

/** Serves a page, and controls connections as the page requests. */
const pageServer = async (orders: Record<string, () => void>) => {
  let script = ""
  let report: (steps: unknown) => void = () => {}
  const reported = new Promise<unknown>((resolve) => (report = resolve))
  const server = createServer(async (asked, answer) => {
    const path = asked.url?.slice(1) ?? ""
    if (asked.method === "GET") {
      const found = path === "" ? `<!doctype html><script type="module" src="/script.js"></script>` : script
      answer.writeHead(200, { "content-type": path === "" ? "text/html" : "text/javascript" }).end(found)
      return
    }
    const sent = await text(asked)
    if (path === "report") report(JSON.parse(sent))
    orders[path]?.()
    answer.end()
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${portOf(server)}`, reported, serve: (code: string) => void (script = code) }
}

/** Opens a page. The browser is closed with the test. */
const open = async (browser: string, url: string) => {
  const profile = `--user-data-dir=${await temporaryDirectory()}`
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
  // Chromium has many processes, so it gets its own process group.
  const child = spawn(browser, [...quiet, profile, "--remote-debugging-port=0", url], {
    stdio: "ignore",
    detached: true
  })
  const ended = once(child, "close")
  onTestFinished(async () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    await ended
  })
}

it("The client works in Chromium, from a page of another origin, on a bad connection", async (context) => {
  if (chromium === undefined) {
    console.warn("SKIPPED: there is no Chromium here; apt-get install chromium")
    return context.skip()
  }
  const fates = { loseAnswer: false, holdStreamsBack: false }
  const page = await pageServer({
    loseAnswer: () => (fates.loseAnswer = true),
    holdStreamsBack: () => {
      fates.holdStreamsBack = true
      proxy.cut()
    },
    cut: () => proxy.cut()
  })
  const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_CORS_ORIGINS: page.url })
  const proxy = await flakyProxy({ url: await program.address() })
  proxy.otherwise = ({ headers, method }) => {
    if (fates.holdStreamsBack && headers.accept === "text/event-stream") return "held back"
    if (method !== "POST" || !fates.loseAnswer) return undefined
    fates.loseAnswer = false
    return "lost after"
  }
  const token = await sign(claims("in-a-browser"))
  page.serve((await bundle(browserProgram({ url: proxy.url, token }))).code)
  await open(chromium, page.url)

  expect(await page.reported).toEqual({
    created: ["Buy milk", 1],
    conflict: ["revision-mismatch", "Buy milk", "mine", "theirs", "string"],
    unchanged: true,
    once: ["theirs", "once"],
    missing: ["todo-not-found", "TodoNotFound"],
    revisions: [2, 3, 4, 5, 6],
    ended: "enough",
    effects: "as a page"
  })
  const passed = (condition: (passed: Passed) => boolean) => proxy.passed.filter(condition).length
  expect(passed(({ method }) => method === "OPTIONS")).toBeGreaterThan(0)
  expect(passed(({ status }) => status === 304)).toBeGreaterThan(0)
  expect(passed(({ headers }) => headers.accept === "text/event-stream")).toBeGreaterThan(2)
  expect(passed(({ path }) => path.includes("since="))).toBeGreaterThan(0)
})
