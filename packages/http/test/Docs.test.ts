import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import { startTestServer } from "@todo/http/testing"
import { afterAll, beforeAll, describe, onTestFinished } from "vitest"
import { problemTypes, unparsedRequests } from "../src/api/ProblemTypes.ts"
import { temporaryDirectory } from "./support/program.ts"
import { routes } from "./support/routes.ts"

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8")

/** The first cells of a page's tables. */
const rows = (name: string) => [...page(name).matchAll(/^\| *([^|]+?) *\| *([^|]+?) *\|/gm)]

it("docs/errors.md lists every code with its status", () => {
  const listed = rows("errors").filter(([, status = ""]) => /^\d{3}$/.test(status))
  const unparsed = Object.values(unparsedRequests).map(({ status }) => ["malformed-request", { status }] as const)
  const known = [...Object.entries(problemTypes), ...unparsed].map(([code, { status }]) => `${status} \`${code}\``)
  expect(listed.map(([, status, code]) => `${status} ${code}`).toSorted()).toEqual([...new Set(known)].toSorted())
})

it("docs/http-api.md lists every route of the contract", () => {
  const text = page("http-api")
  // Lists have the routes that todos have.
  const written = routes
    .filter(({ path }) => !path.startsWith("/v1/lists"))
    .map(({ method, path }) => (path.startsWith("/v1") ? `\`${method} ${path.replace(":id", "{id}")}` : `\`${path}`))
  expect(written.length).toBeGreaterThan(10)
  expect(written.filter((route) => !text.includes(route))).toEqual([])
})

/** The first part that a text does not have behind the parts before it. */
const lacks = (text: string, parts: ReadonlyArray<string>) => {
  let from = 0
  return parts.find((part) => {
    const at = text.indexOf(part, from)
    from = at + part.length
    return at < 0
  })
}

/** What a script prints until it ends or `isEnough`. An event stream does not end. */
const outputOf = async (script: string, token: string, isEnough: (output: string) => boolean) => {
  const child = spawn("bash", ["-c", script], {
    detached: true,
    env: { ...process.env, TOKEN: token },
    stdio: ["ignore", "pipe", "inherit"]
  })
  let output = ""
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    output += String(chunk)
    if (!isEnough(output)) continue
    // The group has the script and its `curl`.
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid)
    break
  }
  return output
}

describe("with a server", () => {
  let server: Awaited<ReturnType<typeof startTestServer>>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.stop())

  const run = async (name: string) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url))], {
      cwd: await temporaryDirectory(),
      env: { ...process.env, TODO_URL: server.url, TOKEN: await server.token(name) },
      stdio: ["ignore", "pipe", "inherit"]
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    return child.stdout
  }

  it("the examples of docs/http-api.md give the responses that the page shows", async () => {
    const token = await server.token("docs")
    const local = page("http-api").replaceAll("http://127.0.0.1:3000", server.url)
    const examples = [...local.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code)
    const variables = examples[0]?.match(/^[A-Z]+=.*\n/gm)?.join("") ?? ""
    expect(examples.length).toBeGreaterThan(6)
    for (const example of examples) {
      const shown = [...example.matchAll(/^# (.*)$/gm)].flatMap(([, line = ""]) => line.split("..."))
      const parts = shown.map((part) => part.trim()).filter((part) => part !== "")
      const output = await outputOf(variables + example, token, (output) => lacks(output, parts) === undefined)
      expect({ output, missing: lacks(output, parts) }).toEqual({ output, missing: undefined })
    }
  })

  it("the subscription delivers the todo as it is now", async () => {
    const output = (await run("client")).setEncoding("utf8")
    for await (const chunk of output) {
      expect(chunk).toBe("todo 2\n")
      break
    }
    expect.assertions(1)
  })

  it("the second of two updates of one version fails, and its error has both versions", async () => {
    expect(await text(await run("conflict"))).toBe("1 { title: 'Buy oat milk' } 2\nBuy oat milk\n")
  })
})
