/** Checks that a server answers the requests of a scenario like this one: same status, fields and values. */
import { isDeepStrictEqual, inspect } from "node:util"
import type { Body, Request, Scenario, Send, User } from "./scenarios.ts"

/** The parts of responses that are not compared here. `promises.ts` compares them for contestants that have them. */
export const notCompared = ["nextCursor of a page of todos", "ETag", "problem details of errors"]

/** Sends requests of a user to one server. */
export const sender =
  (url: string): Send =>
  async (user, { body, ifMatch, method, path }) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${user.token}`,
        ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
        ...(body !== undefined && { "content-type": "application/json" })
      },
      ...(body !== undefined && { body: body.replaceAll("@n", "00000000") })
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${url}${path} answered ${response.status}: ${text.slice(0, 500)}`)
    return JSON.parse(text)
  }

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Normalises a body: instants in one spelling, and types instead of the values that each server generates. */
export const comparable = (body: Body, own: ReadonlyArray<string>): unknown => {
  if (typeof body === "string") return instant.test(body) ? new Date(body).toISOString() : body
  if (Array.isArray(body)) return body.map((item) => comparable(item, own))
  if (typeof body !== "object" || body === null) return body
  return Object.fromEntries(
    Object.entries(body)
      .filter(([name]) => name !== "nextCursor" || !("items" in body))
      .map(([name, value]) => [name, own.includes(name) ? typeof value : comparable(value, own)])
  )
}

/** The first request of each kind in a scenario. */
const kinds = (requests: ReadonlyArray<Request>): ReadonlyArray<Request> => [
  ...new Map(
    requests.map((request) => [
      [
        request.method,
        request.path.replace(/[0-9a-f-]{36}/, ":id").replace(/=[^&]*/g, ""),
        request.body?.slice(0, 12)
      ].join(" "),
      request
    ])
  ).values()
]

interface Answer {
  readonly request: string
  readonly body: Body
}

/** The responses of one server, one for each kind of request. */
export const answers = async (scenario: Scenario, user: User, url: string): Promise<ReadonlyArray<Answer>> => {
  const send = sender(url)
  const bodies = []
  for (const request of kinds(await scenario.requests(user, send))) {
    bodies.push({
      request: `${request.method} ${request.path.split("since=")[0]}`,
      body: comparable(await send(user, request), scenario.own)
    })
  }
  return bodies
}

const isEmptyPage = ({ body }: { readonly body: Body }): boolean =>
  Array.isArray(body?.items) && body.items.length === 0

/** Fails if two servers answer differently, or if all responses are empty. */
export const assertEqual = (
  scenario: Scenario,
  name: string,
  ours: ReadonlyArray<Answer>,
  theirs: ReadonlyArray<Answer>
) => {
  for (const [index, expected] of ours.entries()) {
    if (isEmptyPage(expected)) throw new Error(`${scenario.name}: nothing to compare in ${inspect(expected)}`)
    if (isDeepStrictEqual(expected, theirs[index])) continue
    throw new Error(
      `${scenario.name}: ${name} answers ${inspect(theirs[index], { depth: 5 })}\nand todo ${inspect(expected, { depth: 5 })}`
    )
  }
}
