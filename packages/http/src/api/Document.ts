/**
 * Completes the generated OpenAPI document with what the schemas of the contract do not say: the headers of every
 * response, the problems of every endpoint, the style of query parameters, an example of every body, and descriptions.
 */
import type { OpenApi } from "effect/http-api"
import { exampleId, examples } from "./Examples.ts"
import * as FlatSchema from "./FlatSchema.ts"
import { commonProblems } from "./Problem.ts"
import { mediaType, problemTypes } from "./ProblemTypes.ts"

/** The description and the default of each query parameter. A parameter means the same at every endpoint. */
const query: Record<string, { readonly description: string; readonly default?: string | boolean }> = {
  completed: { description: "Only completed todos (`true`), or only open ones (`false`)" },
  priority: { description: "Only todos of this priority" },
  tag: {
    description: "Only todos with this tag; repeat the parameter to ask for several tags, all of which a todo must have"
  },
  listId: { description: "Only todos in this list; `none` for todos without a list" },
  due: {
    description:
      "`overdue`: open and past; `today`: due on the current day; `upcoming`: due on later days; `none`: without a due date"
  },
  timeZone: { description: "The IANA time zone that `due`, `dueFrom` and `dueTo` count days in", default: "UTC" },
  dueFrom: {
    description:
      "Only todos that are due at this time or later, or on this day (`2026-12-01`, in `timeZone`) or later. A todo that is due on a date counts as the end of that day"
  },
  dueTo: { description: "Only todos that are due at this time or earlier, or on this day (in `timeZone`) or earlier" },
  q: {
    description:
      "Only todos whose title or description has all of these words; the last one may be the beginning of a word"
  },
  deleted: { description: "`true`: only what is in the trash; otherwise only what is not", default: false },
  sort: { description: "The order; a `-` in front makes it descending", default: "position" },
  limit: { description: "How many items a page may have" },
  cursor: { description: "`nextCursor` of the previous page; the conditions and the order must be the same" },
  count: { description: "Whether to count the `total` over all pages", default: false },
  lastEventId: {
    description: "The same as `Last-Event-ID`, for clients that cannot set headers; it overrides `since`"
  },
  since: { description: "Only changes after this cursor" },
  todos: { description: "What happens to the todos in the list; required if there are any" }
}

/** The headers of every response. */
const headers = {
  "x-request-id": {
    description:
      "The id of the request in logs and problems. It is the id that the client sent, if that is well-formed",
    required: true,
    schema: { type: "string", pattern: "^[\\w.:-]{1,128}$" }
  },
  "cache-control": {
    description: "Responses must not be stored",
    required: true,
    schema: { type: "string", enum: ["no-store"] }
  }
}
const headerRefs = Object.fromEntries(
  Object.keys(headers).map((name) => [name, { $ref: `#/components/headers/${name}` }])
)

interface Schema {
  readonly $ref?: string
  readonly anyOf?: ReadonlyArray<Schema>
  readonly description?: string
}

/** The names of the components that a schema refers to, directly or by `anyOf`. */
const namesOf = ({ $ref, anyOf = [] }: Schema): ReadonlyArray<string> =>
  $ref === undefined ? anyOf.flatMap(namesOf) : [$ref.slice("#/components/schemas/".length)]

/** References to the examples of the components that a body may be. */
const examplesOf = (schema: Schema) => {
  const known = namesOf(schema).filter((name) => name in examples)
  return known.length === 0
    ? {}
    : { examples: Object.fromEntries(known.map((name) => [name, { $ref: `#/components/examples/${name}` }])) }
}

/** The description of a response whose body is a problem. */
const codesOf = (schema: Schema): string => {
  const codes = namesOf(schema).map((name) => `\`${name.slice("Problem-".length)}\``)
  return codes.length === 1 ? `The problem ${codes[0]}` : `One of the problems ${codes.join(", ")}`
}

/** The responses that every operation shares. No operation declares one of these statuses itself. */
const responses = Object.fromEntries(
  commonProblems.map((code) => {
    const schema = { $ref: `#/components/schemas/Problem-${code}` }
    const content = { [mediaType]: { schema, ...examplesOf(schema) } }
    return [code, { description: codesOf(schema), content, headers: headerRefs }]
  })
)
const responseRefs = Object.fromEntries(
  commonProblems.map((code) => [problemTypes[code].status, { $ref: `#/components/responses/${code}` }])
)

type Parameter = OpenApi.OpenAPISpecParameter

const isBoolean = ({ enum: values }: { readonly enum?: ReadonlyArray<string> }) => values?.join() === "true,false"

/** The schema of a number or boolean parameter. The contract decodes it from text, so the generator calls it a string. */
const plain = (schema: object): object => {
  if ("contentSchema" in schema) return schema.contentSchema as object
  return isBoolean(schema) ? { type: "boolean" } : schema
}

/** Moves the description of a schema to its parameter or header, where renderers look for it. */
const described = <A extends { readonly schema: object }>({ schema, ...rest }: A) => {
  const { description, ...plainly } = schema as Schema
  return { ...rest, ...(description !== undefined && { description }), schema: plainly }
}

const queryParameter = ({ schema, ...parameter }: Parameter): Parameter => {
  const { default: initial, ...meaning } = query[parameter.name] ?? {}
  return {
    ...parameter,
    ...meaning,
    ...("items" in schema && { style: "form", explode: true }),
    schema: { ...plain(schema), ...(initial !== undefined && { default: initial }) }
  }
}

/**
 * Headers that are not documented as parameters. OpenAPI ignores `accept`: the content types of the response stand for
 * it. Clients of event streams set `last-event-id` themselves, and generators would give it and `lastEventId` one name.
 */
const isIgnored = ({ in: place, name }: Parameter) => place === "header" && /^(accept|last-event-id)$/.test(name)

/** The viewer at `/docs` reads the example of an id from the schema of the parameter. */
const otherParameter = (parameter: Parameter): Parameter => {
  const { schema, ...rest } = described(parameter) as Parameter
  return { ...rest, schema: parameter.in === "path" ? { ...schema, examples: [exampleId] } : schema }
}

type Response = OpenApi.OpenApiSpecResponse

/** The description of a response, from its status or its body. */
const meaningOf = (status: string, { content = {} }: Response, components: Record<string, Schema>): string => {
  if (status === "204") return "The todo or list is in the trash"
  if (status === "304") return "The todo or list has not changed"
  const problems = content[mediaType]?.schema
  if (problems !== undefined) return codesOf(problems)
  const [name = ""] = namesOf(content["application/json"]?.schema ?? {})
  const description = components[name]?.description ?? name
  return status === "201" ? `${description}, which is new` : description
}

const complete = (operation: OpenApi.OpenAPISpecOperation, components: Record<string, Schema>): void => {
  operation.parameters = operation.parameters
    .filter((parameter) => !isIgnored(parameter))
    .map((parameter) => (parameter.in === "query" ? queryParameter(parameter) : otherParameter(parameter)))

  for (const [status, response] of Object.entries(operation.responses)) {
    response.description = meaningOf(status, response, components)
    for (const content of Object.values(response.content ?? {})) Object.assign(content, examplesOf(content.schema))
    for (const [name, header] of Object.entries(response.headers ?? {})) {
      Object.assign((response.headers ??= {}), { [name]: described(header as never) })
    }
    Object.assign((response.headers ??= {}), headerRefs)
  }
  Object.assign(operation.responses, responseRefs)

  // Both content types of a patch refer to one schema. The generator would copy it.
  const sent = operation.requestBody?.content
  for (const content of Object.values(sent ?? {})) {
    content.schema = sent?.["application/json"]?.schema ?? content.schema
    Object.assign(content, examplesOf(content.schema))
  }
}

/** Transforms the generated document. It changes its argument in place, which only the generator holds. */
export const transform = (generated: Record<string, unknown>): Record<string, unknown> => {
  const document = FlatSchema.flatten(generated) as OpenApi.OpenAPISpec
  const { schemas, securitySchemes } = document.components
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) complete(operation as OpenApi.OpenAPISpecOperation, schemas)
  }
  for (const [name, schema] of Object.entries(schemas)) {
    // The copies that the second content type of a patch referred to, until `complete`.
    if (name.endsWith("_1")) delete schemas[name]
    // The middleware adds the id of the request to every problem.
    if (name.startsWith("Problem-")) (schema["required"] as Array<string>).push("requestId")
  }
  // Tools compare the scheme with the lower-case names of the IANA registry. They send Basic for `Bearer`.
  Object.assign(securitySchemes["bearer"] ?? {}, { scheme: "bearer", description: "A JSON Web Token (RFC 6750)" })
  return { ...document, components: { ...document.components, headers, responses, examples } }
}
