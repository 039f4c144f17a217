import { describe, expect, it } from "vitest"
import { collector } from "../support/otlpCollector.ts"
import { freePort } from "../../../../.config/freePort.ts"
import { settings, start, useDatabase } from "../support/program.ts"
import { claims, request, sign } from "../support/testServer.ts"

const authorization = `Bearer ${await sign(claims("somebody"))}`

describe("The OTLP export", () => {
  const urls = useDatabase()
  const id = "019ab000-0000-7000-8000-000000000000"

  /** Starts a server, reads one todo, and stops it, which exports everything. */
  const serve = async (environment: Record<string, string>) => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, ...environment })
    const address = await program.address()
    await request(`${address}/v1/todos/${id}`, "GET", { headers: { authorization } })
    program.kill("SIGTERM")
    await program.ended
    return program
  }

  it("the export has the name of the service, the headers, the routes and the database", async () => {
    const otlp = await collector()
    const program = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b%3D, x-other=2",
      OTEL_SERVICE_NAME: "todo-canary",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=blue%20one",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:1"
    })
    const traces = otlp.received("traces")
    expect(traces).toContain('"api-key","a b="')
    expect(traces).toContain('"x-other","2"')
    expect(traces).toContain('"todo-canary"')
    expect(traces).toContain('"blue one"')
    expect(traces).toContain('"name":"GET /v1/todos/{id}"')
    expect(traces).toContain('{"key":"http.route","value":{"stringValue":"/v1/todos/{id}"}}')
    expect(traces).not.toContain(id)
    const { hostname, pathname, port } = new URL(urls.DATABASE_URL)
    for (const [key, value] of [
      ["db.namespace", { stringValue: pathname.slice(1) }],
      ["server.address", { stringValue: hostname }],
      ["server.port", { intValue: Number(port) }]
    ]) {
      expect(traces).toContain(JSON.stringify({ key, value }).slice(0, -1))
    }
    for (const name of ["process_cpu_seconds_total", "db_client_connection_count", "todo_build_info"]) {
      expect(otlp.received("metrics")).toContain(`"name":"${name}"`)
    }
    expect(program.stdout()).toContain("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has no effect; remove it")
  })

  it.each([
    ["always_off", {}, 0],
    ["traceidratio", { OTEL_TRACES_SAMPLER_ARG: "0" }, 0],
    ["parentbased_traceidratio", { OTEL_TRACES_SAMPLER_ARG: "1" }, 1]
  ] as const)("%s samples the export", async (OTEL_TRACES_SAMPLER, more, times) => {
    const otlp = await collector()
    await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_TRACES_SAMPLER, ...more })
    expect(otlp.received("traces").split('"GET /v1/todos/{id}"')).toHaveLength(times + 1)
    expect(otlp.received("logs")).not.toBe("")
  })

  it("the exporter logs one warning for each signal that cannot be exported", async () => {
    const { stdout } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` })
    expect(stdout().split("traces cannot be exported: no response")).toHaveLength(2)
  })
})
