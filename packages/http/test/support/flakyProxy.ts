/**
 * Test kit: a way to a server on which requests and answers get lost, as they do in
 * tunnels, behind balancers and on trains; it keeps a record of what passed.
 */
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, request as send, type ServerResponse } from "node:http"
import { onTestFinished } from "vitest"
import { portOf } from "./program.ts"

/** What becomes of a request. */
export type Fate =
  /** It never gets there. */
  | "lost before"
  /** It is executed, and the answer never comes. */
  | "lost after"
  /** It is executed, and half of the answer comes. */
  | "cut"
  /** It never gets there, and the connection stays open. */
  | "hangs"
  /** The headers of the answer come, and nothing of its body. */
  | "held back"
  /** Something in between answers. */
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | undefined

export interface Passed {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The status that came from behind, where anything did. */
  status?: number
  /** Settles once the connection of the answer is closed. */
  readonly closed: Promise<unknown>
}

export const flakyProxy = async (server: { readonly url: string }) => {
  const passed: Array<Passed> = []
  const fates: Array<Fate> = []
  const answers = new Set<ServerResponse>()
  const proxy = {
    url: "",
    /** What passed, in order. */
    passed,
    /** What becomes of the requests to come, one each. */
    next: (...coming: ReadonlyArray<Fate>) => void fates.push(...coming),
    /** What becomes of those that nothing else is said of. */
    otherwise: ((): Fate => undefined) as (passed: Passed) => Fate,
    /** Breaks all connections. */
    cut: () => {
      for (const answer of answers) answer.destroy()
    }
  }
  const front = createServer((asked, answer) => {
    answers.add(answer)
    const closed = once(answer, "close").then(() => answers.delete(answer))
    const record: Passed = { method: asked.method ?? "", path: asked.url ?? "", headers: asked.headers, closed }
    passed.push(record)
    const fate = fates.length > 0 ? fates.shift() : proxy.otherwise(record)
    if (fate === "lost before") return void answer.destroy()
    if (fate === "hangs") return void asked.resume()
    if (typeof fate === "object") {
      asked.resume()
      return void answer.writeHead(fate.status, fate.headers).end(fate.body)
    }
    const { connection: _, host: _host, ...headers } = asked.headers
    const onward = send(server.url + asked.url, { agent: false, headers, method: asked.method })
    onward.on("error", () => answer.destroy())
    onward.on("response", (given) => {
      if (given.statusCode !== undefined) record.status = given.statusCode
      const { connection: _, "transfer-encoding": _encoding, ...headers } = given.headers
      if (fate === "lost after") return given.resume().on("end", () => answer.destroy())
      answer.writeHead(given.statusCode ?? 502, headers)
      answer.flushHeaders()
      if (fate === "held back") return given.resume()
      if (fate !== "cut") return given.on("error", () => answer.destroy()).pipe(answer)
      return given.once("data", (piece: Buffer) =>
        answer.write(piece.subarray(0, piece.length / 2), () => answer.destroy())
      )
    })
    answer.on("close", () => onward.destroy())
    asked.pipe(onward)
  }).listen(0, "127.0.0.1")
  await once(front, "listening")
  proxy.url = `http://127.0.0.1:${portOf(front)}`
  onTestFinished(() => {
    front.close()
    front.closeAllConnections()
  })
  return proxy
}
