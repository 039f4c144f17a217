/** Test kit: an OTLP collector that keeps every request unchanged. */
import { once } from "node:events"
import { createServer } from "node:http"
import { onTestFinished } from "vitest"
import { portOf } from "./program.ts"

export interface Collector {
  readonly url: string
  /** The bodies posted to paths that end with `traces`, `metrics` or `logs`. */
  readonly received: (signal: string) => string
}

/** Listens until the end of the test. */
export const collector = async (): Promise<Collector> => {
  const posts: Array<readonly [path: string, text: string]> = []
  const server = createServer(async (request, response) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk)
    posts.push([request.url ?? "", `${JSON.stringify(request.rawHeaders)}\n${Buffer.concat(chunks)}`])
    response.writeHead(200, { "content-type": "application/json" }).end("{}")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    received: (signal) =>
      posts
        .filter(([path]) => path.endsWith(signal))
        .map(([, text]) => text)
        .join("\n")
  }
}
