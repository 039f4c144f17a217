/**
 * Test kit: a proxy that loses requests and responses like an unreliable network, and records them.
 */
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, request as send, type ServerResponse } from "node:http"
import { onTestFinished } from "vitest"
import { portOf } from "./program.ts"

/** The fate of a request. */
export type Fate =
  /** The request is lost, and the connection closes. */
  | "lost before"
  /** The request is executed, and the response is lost. */
  | "lost after"
  /** The request is executed, and half of the response arrives. */
  | "cut"
  /** The request is lost, and the connection stays open. */
  | "hangs"
  /** The headers of the response arrive, and its body does not. */
  | "held back"
  /** The proxy answers in place of the server. */
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | undefined

export interface Passed {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The status of the server, if it answered. */
  status?: number
  /** Resolves when the connection of the response is closed. */
  readonly closed: Promise<unknown>
}

export const flakyProxy = async (server: { readonly url: string }) => {
  const passed: Array<Passed> = []
  const fates: Array<Fate> = []
  const answers = new Set<ServerResponse>()
  const proxy = {
    url: "",
    /** The requests, in order. */
    passed,
    /** The fates of the next requests, one for each. */
    next: (...coming: ReadonlyArray<Fate>) => void fates.push(...coming),
    /** The fate of all other requests. */
    otherwise: ((): Fate => undefined) as (passed: Passed) => Fate,
    /** Closes all connections. */
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
