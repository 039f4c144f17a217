/**
 * Test kit: checks responses against the OpenAPI document.
 */
import { Api } from "@todo/http/api"
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { OpenApi } from "effect/http-api"

/** A request and its response. `text` is the body; leave it out if the body is a stream. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string
}

/** Makes a function that compares a response with `document`. It returns the difference, or `undefined`. */
export const make = (document: OpenApi.OpenAPISpec) => {
  const root = "openapi.json"
  const ajv = new Ajv2020({ strictTypes: false, allowUnionTypes: true })
  formats.default(ajv)
  ajv.addVocabulary(Object.keys(document))
  ajv.addSchema(JSON.parse(JSON.stringify(document)), root)

  const pointer = (...names: ReadonlyArray<string | number>): string =>
    names.map((name) => `/${encodeURIComponent(String(name).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")

  /** The value at a place of the document, with its reference resolved. */
  const resolve = <A>(place: string, value: A | undefined): { place: string; value: A | undefined } => {
    const reference = (value as { $ref?: string } | undefined)?.$ref?.slice(1)
    if (reference === undefined) return { place, value }
    // The names have no characters that JSON pointers escape.
    const names = reference.split("/").slice(1)
    // oxlint-disable-next-line typescript/no-explicit-any -- JSON
    return { place: reference, value: names.reduce<any>((within, name) => within?.[name], document) }
  }

  const validators = new Map<string, ValidateFunction>()
  /** Validates a value by the schema at a place of the document. Each schema is compiled once. */
  const misfit = (at: string, value: unknown): string | undefined => {
    const validate = validators.get(at) ?? ajv.getSchema(`${root}#${at}`)
    if (validate === undefined) return `there is no schema at ${at}`
    validators.set(at, validate as ValidateFunction)
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: "body" })
  }

  // The router matches a parameter if it is not empty, not too long, and has valid escapes.
  const templates = Object.keys(document.paths)
    .toSorted((a, b) => Number(a.includes("{")) - Number(b.includes("{")))
    .map((path) => ({ path, fits: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/;]{1,100}")}$`, "u") }))
  const route = (pathname: string): string | undefined => {
    try {
      decodeURIComponent(pathname)
    } catch {
      return undefined
    }
    return templates.find(({ fits }) => fits.test(pathname))?.path
  }

  const json = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }

  /** Checks a response without a route: of the router, the middleware before it, or Node. */
  const unrouted = ({ headers, method, status, text = "", url }: Exchange): string | undefined => {
    if (status < 400) {
      const isPage = templates.every(({ path }) => path.split("/")[1] !== new URL(url).pathname.split("/")[1])
      return method === "OPTIONS" || isPage ? undefined : "is not in the document"
    }
    if (headers["content-type"] !== "application/problem+json") return "is an error without problem details"
    if (status === 405 && headers["allow"] === undefined) return "does not tell what is allowed"
    if (text === "") return undefined
    const { code, requestId, status: told } = (json(text) ?? {}) as Record<string, unknown>
    if (told !== status || typeof code !== "string" || typeof requestId !== "string") return "is an odd problem"
    return undefined
  }

  const routed = (
    exchange: Exchange,
    at: string,
    { content, headers = {} }: OpenApi.OpenApiSpecResponse
  ): string | undefined => {
    for (const [name, given] of Object.entries(headers)) {
      const { place, value: header } = resolve(`${at}${pointer("headers", name)}`, given)
      const value = exchange.headers[name.toLowerCase()]
      if (value === undefined && header?.required) return `lacks the header ${name}`
      const wrong = value === undefined ? undefined : misfit(`${place}/schema`, value)
      if (wrong !== undefined) return `has the header ${name}: ${value}, which does not fit: ${wrong}`
    }
    const type = exchange.headers["content-type"]?.split(";", 1)[0]
    if (content === undefined) {
      return type === undefined && !exchange.text ? undefined : "has a body, which is not in the document"
    }
    if (type === undefined || !(type in content)) return `has the content type ${type}, which is not in the document`
    if (exchange.method === "HEAD") return exchange.text ? "has a body" : undefined
    if (!type.endsWith("json") || exchange.text === undefined) return undefined
    const body = json(exchange.text)
    if (body === undefined) return "is not JSON"
    const wrong = misfit(`${at}${pointer("content", type)}/schema`, body)
    if (wrong !== undefined) return `has a body that does not fit: ${wrong}`
    return undefined
  }

  const violation = (exchange: Exchange): string | undefined => {
    const { headers, method, status, url } = exchange
    const path = route(new URL(url).pathname) ?? ""
    const operations = document.paths[path]
    const verb = (method === "HEAD" ? "get" : method.toLowerCase()) as "get"
    const promised = operations?.[verb]?.responses
    // Every response of the middleware has a request id. Those without one come from Node.
    if (promised === undefined || (headers["x-request-id"] === undefined && headers["connection"] === "close")) {
      return unrouted(exchange)
    }
    const at = pointer("paths", path, verb, "responses", status)
    const { place, value } = resolve(at, promised[status])
    return value === undefined ? "is not in the document" : routed(exchange, place, value)
  }

  return (exchange: Exchange): string | undefined => {
    const wrong = violation(exchange)
    if (wrong === undefined) return undefined
    const { headers, method, status, text = "", url } = exchange
    return `The answer ${status} to ${method} ${new URL(url).pathname} ${wrong}\n${JSON.stringify(headers)}\n${text.slice(0, 1_000)}`
  }
}

const violation = make(OpenApi.fromApi(Api))

/** Throws if a response does not fit the document. */
export const assertPromised = (exchange: Exchange): void => {
  const wrong = violation(exchange)
  if (wrong !== undefined) throw new Error(wrong)
}
