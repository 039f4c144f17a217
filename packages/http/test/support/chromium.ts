/** Test kit: a page in Chromium, controlled by the Chrome DevTools Protocol. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { temporaryDirectory } from "./program.ts"

/** The path of the browser, if it is installed. */
export const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path)
)

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]

interface Message {
  readonly id?: number
  readonly method?: string
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON
  readonly result?: any
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON
  readonly params?: any
}

/** Opens an empty page of the given width. The browser closes with the test. */
export const openPage = async (browser: string, width: number) => {
  const profile = `--user-data-dir=${await temporaryDirectory()}`
  // Chromium has many processes, so it gets its own process group.
  const child = spawn(browser, [...flags, profile, "--remote-debugging-port=0", "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true
  })
  const ended = once(child, "close")
  onTestFinished(async () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    await ended
  })
  let address = ""
  for await (const line of createInterface(child.stderr)) {
    address = /^DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1] ?? ""
    if (address !== "") break
  }
  child.stderr.resume()
  const target = (await (await fetch(`http://${address}/json/new`, { method: "PUT" })).json()) as {
    webSocketDebuggerUrl: string
  }

  const socket = new WebSocket(target.webSocketDebuggerUrl)
  await once(socket, "open")
  const requests: Array<string> = []
  let loaded = () => {}
  const received: Array<{ readonly url: string; readonly status: number }> = []
  const answers = new Map<number, (message: Message) => void>()
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.method === "Network.responseReceived") {
      const { status, url } = message.params.response
      received.push({ url, status })
    }
    if (message.method === "Page.loadEventFired") loaded()
    if (message.method === "Network.requestWillBeSent") requests.push(message.params.request.url)
    if (message.id !== undefined) answers.get(message.id)?.(message)
  })
  let last = 0
  const send = (method: string, params: object = {}) =>
    new Promise<Message>((done) => {
      const id = ++last
      answers.set(id, done)
      socket.send(JSON.stringify({ id, method, params }))
    })

  await send("Network.enable")
  await send("Page.enable")
  const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 }
  await send("Emulation.setDeviceMetricsOverride", metrics)
  /** The value of an expression in the page; promises are awaited. */
  const evaluate = async (expression: string) => {
    const { result } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })
    if (result.exceptionDetails !== undefined) throw new Error(JSON.stringify(result.exceptionDetails))
    return result.result.value
  }
  return {
    requests,
    answers: received,
    evaluate,
    go: async (url: string) => {
      const done = new Promise<void>((resolve) => (loaded = resolve))
      await send("Page.navigate", { url })
      await done
    },
    /** Types into the focused element. */
    type: (text: string) => send("Input.insertText", { text })
  }
}
