import { once } from "node:events"
import { type ClientRequest, get, type IncomingMessage } from "node:http"
import { endOfChanges, type Send, type User } from "./scenarios.ts"

/** The number of streams opened at a time. Opening them is not measured. */
const together = 10

/** Opens an event stream for each user after the last change. Returns a function that closes them all. */
export const openStreams = async (
  url: string,
  users: ReadonlyArray<User>,
  send: Send
): Promise<() => Promise<void>> => {
  const opened: Array<ClientRequest> = []
  for (let first = 0; first < users.length; first += together) {
    const streams = users.slice(first, first + together).map(async (user) => {
      const request = get(`${url}/v1/changes?since=${await endOfChanges(user, send)}`, {
        headers: { authorization: `Bearer ${user.token}`, accept: "text/event-stream" }
      })
      opened.push(request)
      const [response]: Array<IncomingMessage> = await once(request, "response")
      if (response?.statusCode !== 200) throw new Error(`an event stream answered ${response?.statusCode}`)
      response.resume().on("error", () => {})
    })
    await Promise.all(streams)
  }
  return async () => {
    await Promise.all(
      opened.map((request) => {
        const closed = once(request, "close")
        request.destroy()
        return closed
      })
    )
  }
}
