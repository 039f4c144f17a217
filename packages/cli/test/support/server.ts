/** Test kit: a running server next to the program, and users who send requests to it. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { SignJWT } from "jose"
import { environment } from "./program.ts"

const main = fileURLToPath(new URL("../../../http/src/main.ts", import.meta.url))
const secret = "the-secret-of-the-server-beside-0123456789"
const issuer = "https://issuer.test"
const audience = "https://todo.test"

/** Starts a server on the test database until the scope ends, and returns its address. */
export const server = Effect.gen(function* () {
  const { DATABASE_URL } = yield* environment
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [main], {
        cwd: tmpdir(),
        env: {
          PATH: process.env["PATH"],
          NODE_COMPILE_CACHE: join(tmpdir(), "todo-admin-compiled"),
          DATABASE_URL,
          ...(process.env["TEST_POOLER"] !== undefined && { TODO_DATABASE_PREPARE: "false" }),
          PORT: "0",
          TODO_JWT_SECRET: secret,
          TODO_JWT_ISSUER: issuer,
          TODO_JWT_AUDIENCE: audience,
          TODO_LOG_LEVEL: "Info",
          TODO_LOG_FORMAT: "pretty"
        },
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) =>
      Effect.promise(async () => {
        const closed = once(child, "close")
        child.kill("SIGKILL")
        await closed
      })
  )
  let said = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
  return yield* Effect.promise(async () => {
    for (;;) {
      const found = /listen(?:s|ing) on (http:[\w.:/]+\d)/.exec(said)?.[1]
      if (found !== undefined) return found
      await once(child.stdout, "data")
    }
  })
})

// oxlint-disable-next-line typescript/no-explicit-any -- tests read any JSON
type Json = any

export interface Answer {
  readonly status: number
  readonly body: Json
}

/** Sends as a user, with a token of that user. */
export const sender = async (address: string, user: string) => {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(secret))
  const authorization = `Bearer ${token}`
  return {
    send: async (method: string, path: string, json?: unknown): Promise<Answer> => {
      const response = await fetch(address + path, {
        method,
        headers: { authorization, ...(json !== undefined && { "content-type": "application/json" }) },
        ...(json !== undefined && { body: JSON.stringify(json) })
      })
      const text = await response.text()
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
    },
    /** Follows the changes. Resolves with all received text when the server ends the stream. */
    follow: async () => {
      const response = await fetch(`${address}/v1/changes`, { headers: { authorization, accept: "text/event-stream" } })
      return { status: response.status, ended: response.text() }
    }
  }
}
