import { execFile } from "node:child_process"
import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { start, temporaryDirectory } from "../support/program.ts"
import { request } from "../support/testServer.ts"

const sh = (command: string) => promisify(execFile)("/bin/sh", ["-c", command])

describe("Development mode", () => {
  it("a server with no setting starts, prints a curl line that works, and keeps todos and tokens", async () => {
    const directory = join(await temporaryDirectory(), "data")
    const environment = { TODO_DATA_DIR: directory, PORT: "0" }

    const first = start(environment)
    const address = await first.address()
    expect(new URL(address).hostname).toBe("127.0.0.1")
    const line = /^ +(curl .*)$/m.exec(first.stdout())?.[1] ?? ""
    const created = JSON.parse((await sh(line)).stdout)
    expect(created).toMatchObject({ title: "Buy milk", revision: 1 })
    expect((await request(`${address}/docs`, "GET")).status).toBe(200)
    const home = await fetch(`${address}/`, { redirect: "manual" })
    expect([home.status, home.headers.get("location")]).toEqual([302, "/docs"])

    const token = /Bearer ([\w.-]+)/.exec(line)?.[1] ?? ""
    expect(
      first
        .stdout()
        .split("\n")
        .map((line) => line.trim())
    ).toContain(token)
    const secret = join(directory, "jwt-secret")
    expect((await stat(secret)).mode & 0o777).toBe(0o600)
    const said = first.stdout() + first.stderr()
    expect(said).not.toContain(await readFile(secret, "utf8"))

    const get = async (address: string) =>
      (await request(`${address}/v1/todos/${created.id}`, "GET", { headers: { authorization: `Bearer ${token}` } }))
        .body

    first.kill("SIGTERM")
    expect(await first.ended).toBe(0)
    const second = start(environment)
    expect(await get(await second.address())).toEqual(created)

    second.kill("SIGKILL")
    await second.ended
    const third = start(environment)
    expect(await get(await third.address())).toEqual(created)
    third.kill("SIGTERM")
    expect(await third.ended).toBe(0)
  })
})
