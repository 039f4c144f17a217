/**
 * The page at `/docs`: Scalar's viewer of the OpenAPI document, which `effect` contains. The page has 3.5 MB, so the first
 * request renders and compresses it once, and browsers revalidate it by its entity tag.
 */
import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiScalar, OpenApi } from "effect/http-api"
import type { Api } from "../api/Api.ts"

/** The configuration of the viewer. No part of it may link to another origin. */
const configuration: HttpApiScalar.ScalarConfig & Record<string, unknown> = {
  authentication: { preferredSecurityScheme: "bearer" },
  withDefaultFonts: false,
  telemetry: false,
  // Both link to scalar.com.
  hideClientButton: true,
  showDeveloperTools: "never",
  // The toaster is wider than the screen of a phone.
  customCss: ".scalar-toaster { max-width: calc(100% - 64px) }"
}

/** The content security policy keeps the browser from loading anything of another origin. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'"
].join("; ")

const render = async (api: typeof Api): Promise<Uint8Array> => {
  const viewer = HttpApiScalar.layer(api, { path: "/docs", scalar: configuration })
  const { dispose, handler } = HttpRouter.toWebHandler(Layer.provide(viewer, HttpServer.layerServices), {
    disableLogger: true
  })
  const page = await (await handler(new Request("http://localhost/docs"))).bytes()
  await dispose()
  return page
}

const encoders = {
  br: (page: Uint8Array) =>
    promisify(brotliCompress)(page, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }) as Promise<Uint8Array>,
  gzip: (page: Uint8Array) => promisify(gzip)(page) as Promise<Uint8Array>,
  identity: (page: Uint8Array) => Promise.resolve(page)
}
type Encoding = keyof typeof encoders

/** The best encoding that `Accept-Encoding` allows (RFC 9110, 12.5.3). */
const encodingOf = (accepted = ""): Encoding => {
  const taken = new Set(
    accepted
      .toLowerCase()
      .split(",")
      .map((part) => part.split(";").map((piece) => piece.trim()))
      .filter(([, weight = ""]) => !/^q=0(\.0*)?$/.test(weight))
      .map(([name]) => name)
  )
  return taken.has("br") ? "br" : taken.has("gzip") ? "gzip" : "identity"
}

/** The route `GET /docs` for an API at `base`: a path, a URL, or an empty string for the origin of the page. */
export const layer = (served: typeof Api, base: string) => {
  // With the server `/` the viewer would request `//v1/todos`. Without a server it uses its own origin.
  const api = served.annotate(OpenApi.Servers, base === "" ? [] : [{ url: base }])
  let page: Promise<Uint8Array> | undefined
  const encoded = new Map<Encoding, Promise<{ readonly body: Uint8Array; readonly etag: string }>>()

  const bodyOf = (encoding: Encoding) => {
    const known = encoded.get(encoding)
    if (known !== undefined) return known
    const made = (page ??= render(api)).then(encoders[encoding]).then((body) => ({
      body,
      etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
    }))
    encoded.set(encoding, made)
    return made
  }

  return HttpRouter.add(
    "GET",
    "/docs",
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const encoding = encodingOf(request.headers["accept-encoding"])
      const { body, etag } = yield* Effect.promise(() => bodyOf(encoding))
      const headers = {
        etag,
        "cache-control": "no-cache",
        "content-security-policy": policy,
        vary: "accept-encoding",
        ...(encoding !== "identity" && { "content-encoding": encoding })
      }
      if (request.headers["if-none-match"]?.includes(etag) === true)
        return HttpServerResponse.empty({ status: 304, headers })
      return HttpServerResponse.uint8Array(body, { contentType: "text/html; charset=utf-8", headers })
    })
  )
}
