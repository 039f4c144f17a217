/**
 * The types of the contract. The client imports only these types, so its bundle has no schemas, and the compiler still
 * checks it against the contract.
 */
import type * as Brand from "effect/Brand"
import type { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSchema } from "effect/http-api"
import type { Api } from "../api/Api.ts"
import type { commonProblemBodies } from "../api/Problem.ts"
import type { ProblemCode } from "../api/ProblemTypes.ts"

type Groups = typeof Api extends HttpApi.HttpApi<string, infer Group> ? Group : never

/** The endpoints that clients call, such as `Endpoints["todos"]["create"]`. Those of `system` are for orchestrators. */
export type Endpoints = {
  readonly [Group in Groups as Exclude<HttpApiGroup.Identifier<Group>, "system">]: {
    readonly [Endpoint in HttpApiGroup.Endpoints<Group> as HttpApiEndpoint.Identifier<Endpoint>]: Endpoint
  }
}

type Plain<Value> = Value extends Brand.Brand<string> ? Brand.Brand.Unbranded<Value> : Value

/** The query parameters of an endpoint. */
export type Query<Endpoint> = {
  readonly [Key in keyof HttpApiEndpoint.Query<Endpoint>["Type"]]: Plain<HttpApiEndpoint.Query<Endpoint>["Type"][Key]>
}

/** The JSON of a codec. The contract wraps a schema in its codec for JSON. */
type Encoded<Codec> = Codec extends { readonly schema: { readonly Encoded: infer Json } }
  ? Json
  : Codec extends { readonly Encoded: infer Json }
    ? Json
    : never

/** The request body of an endpoint as JSON. */
export type RequestBody<Endpoint> = Encoded<HttpApiEndpoint.Payload<Endpoint>>

type BodyOf<Success> =
  Success extends HttpApiSchema.WithHeaders<infer Body, infer _Headers> ? Encoded<Body> : Encoded<Success>

/** The body of a successful response as JSON. */
export type ResponseBody<Endpoint> = Exclude<BodyOf<HttpApiEndpoint.Success<Endpoint>>, void>

type IsKeyed<Headers> = [Headers] extends [never] ? false : "idempotency-key" extends keyof Headers ? true : false

/** The method and path of an endpoint, and whether it accepts an `Idempotency-Key`. */
type RouteOf<Endpoint> = Endpoint extends { readonly method: infer Method; readonly path: infer Path }
  ? readonly [method: Method, path: Path, keyed: IsKeyed<HttpApiEndpoint.Headers<Endpoint>["Type"]>]
  : never

/** The routes of all endpoints. */
export type Routes = {
  readonly [Group in keyof Endpoints]: {
    readonly [Name in keyof Endpoints[Group]]: RouteOf<Endpoints[Group][Name]>
  }
}

/** A problem with headers of its own is encoded as a pair of body and headers. */
type ProblemOf<Codec> =
  Encoded<Codec> extends infer Json ? (Json extends { readonly body: infer Body } ? Body : Json) : never

/** The problems that an endpoint or its middleware may answer with. */
type Problems<Endpoint> = Extract<
  | ProblemOf<HttpApiEndpoint.Error<Endpoint>>
  | ProblemOf<HttpApiMiddleware.ErrorSchema<HttpApiEndpoint.Middleware<Endpoint>>>
  | ProblemOf<(typeof commonProblemBodies)[number]>,
  { readonly code: ProblemCode }
>

type AnyProblem = Problems<HttpApiGroup.Endpoints<Groups>>

interface PlainProblem<Code extends ProblemCode> {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: Code
  readonly requestId?: string
}

/** The problem details of a code as JSON. */
export type ProblemBody<Code extends ProblemCode> = Code extends AnyProblem["code"]
  ? Extract<AnyProblem, { readonly code: Code }>
  : PlainProblem<Code>

/** The codes that an endpoint may answer with. The last two occur if the base address is wrong. */
export type CodeOf<Endpoint> = Problems<Endpoint>["code"] | "route-not-found" | "method-not-allowed"
