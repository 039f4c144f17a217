/**
 * What the OpenAPI document says beyond the schemas of the contract: what every answer
 * has, what every request may be answered, and how clients write query parameters.
 */
import type { OpenApi } from "effect/http-api"
import { everywhere, mediaType, problemTypes } from "./Problem.ts"

/** What a query parameter means, and is where nothing is said; the same wherever it is taken. */
const query: Record<string, { readonly description: string; readonly default?: string | boolean }> = {
  completed: { description: "Only done ones, or only open ones" },
  priority: { description: "Only those of this priority" },
  tag: { description: "Only those with all of these tags" },
  listId: { description: "Only those in this list, or in none" },
  due: { description: "Open and past; of the current day; of later days; without a due date" },
  timeZone: { description: "The zone that says when a day ends", default: "UTC" },
  dueFrom: { description: "Due then or later; a date counts as the end of its day, in `timeZone`" },
  dueTo: { description: "Due then or earlier" },
  q: { description: "Words that title or description have; the last may be the beginning of one" },
  deleted: { description: "Only what is in the trash, in place of what is not", default: false },
  sort: { description: "The order; `-` in front turns it round", default: "position" },
  limit: { description: "How many at most" },
  cursor: { description: "`nextCursor` of the page before, with the same conditions and order" },
  count: { description: "Also give the `total` over all pages", default: false },
  lastEventId: { description: "`Last-Event-ID` of clients that cannot set headers; wins over `since`" },
  since: { description: "Only what came after this cursor" },
  todos: { description: "What becomes of the todos in the list; needed where there are any" }
}

/** On every answer. */
const headers = {
  "x-request-id": {
    description: "Names the request in logs and problems: as it was sent, where it was well-formed",
    required: true,
    schema: { type: "string", pattern: "^[\\w.:-]{1,128}$" }
  },
  "cache-control": { required: true, schema: { type: "string", enum: ["no-store"] } }
}
const headerRefs = Object.fromEntries(
  Object.keys(headers).map((name) => [name, { $ref: `#/components/headers/${name}` }])
)

/** To every request. No operation declares one of these statuses itself. */
const responses = Object.fromEntries(
  everywhere.map((code) => {
    const schema = { $ref: `#/components/schemas/Problem-${code}` }
    return [code, { description: problemTypes[code].title, content: { [mediaType]: { schema } }, headers: headerRefs }]
  })
)
const responseRefs = Object.fromEntries(
  everywhere.map((code) => [problemTypes[code].status, { $ref: `#/components/responses/${code}` }])
)

type Parameter = OpenApi.OpenAPISpecParameter

const isBoolean = ({ enum: values }: { readonly enum?: ReadonlyArray<string> }) => values?.join() === "true,false"

/** A number or a boolean is documented as such, not as the text that it travels in. */
const plain = (schema: object): object => {
  if ("contentSchema" in schema) return schema.contentSchema as object
  return isBoolean(schema) ? { type: "boolean" } : schema
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

/** OpenAPI ignores parameters of this name: the content types of the answer say it. */
const isIgnored = ({ in: place, name }: Parameter) => place === "header" && name === "accept"

const complete = (operation: OpenApi.OpenAPISpecOperation): void => {
  operation.parameters = operation.parameters
    .filter((parameter) => !isIgnored(parameter))
    .map((parameter) => (parameter.in === "query" ? queryParameter(parameter) : parameter))

  for (const response of Object.values(operation.responses)) Object.assign((response.headers ??= {}), headerRefs)
  Object.assign(operation.responses, responseRefs)

  // One schema under two content types: the generator copies what it is told twice.
  const sent = operation.requestBody?.content
  for (const content of Object.values(sent ?? {})) content.schema = sent?.["application/json"]?.schema ?? content.schema
}

/** The transformation of the generated document, which is new and nobody else's yet. */
export const transform = (generated: Record<string, unknown>): Record<string, unknown> => {
  const document = generated as unknown as OpenApi.OpenAPISpec
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) complete(operation as OpenApi.OpenAPISpecOperation)
  }
  const { schemas } = document.components
  for (const [name, schema] of Object.entries(schemas)) {
    if (name.endsWith("_1")) delete schemas[name]
    // Every problem leaves with the id of its request.
    if (name.startsWith("Problem-")) (schema["required"] as Array<string>).push("requestId")
  }
  return { ...document, components: { ...document.components, headers, responses } }
}
