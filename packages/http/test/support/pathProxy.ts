/**
 * Test kit: a proxy that serves the server below a path. It removes the path, as nginx does with
 * `proxy_pass http://server/`, or keeps it, as with `proxy_pass http://server`. Other paths are answered by the proxy.
 */
import { once } from "node:events"
import { createServer, request as send } from "node:http"
import { portOf } from "./program.ts"

export type ProxyKind = "stripping" | "keeping"

/** Listens until it is closed. The server starts later, because it needs the address of the proxy. */
export const pathProxy = async (kind: ProxyKind, path: string) => {
  const target = { url: "" }
  const front = createServer((asked, answer) => {
    const url = asked.url ?? ""
    if (path !== "" && !url.startsWith(`${path}/`)) return answer.writeHead(404).end("not the server's")
    const onward = send(`${target.url}${kind === "stripping" ? url.slice(path.length) : url}`, {
      agent: false,
      method: asked.method,
      headers: asked.headers
    })
    onward.on("response", (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers)
      given.on("error", () => answer.destroy()).pipe(answer)
    })
    onward.on("error", () => answer.destroy())
    answer.on("close", () => onward.destroy())
    return asked.pipe(onward)
  }).listen(0, "127.0.0.1")
  await once(front, "listening")
  return {
    /** The public URL of the server. */
    url: `http://127.0.0.1:${portOf(front)}${path}`,
    passTo: (url: string) => void (target.url = url),
    close: () => {
      front.close()
      front.closeAllConnections()
    }
  }
}
