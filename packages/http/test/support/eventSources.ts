/**
 * Test kit: the clients of event streams that apps use. Each gets an address and a function that it calls with every
 * event.
 */
import { fetchEventSource } from "@microsoft/fetch-event-source"
import { EventSource as EventSource5 } from "eventsource"
// @ts-expect-error -- it has no types
import EventSource2 from "eventsource-2"
import { EventSource as EventSource3 } from "eventsource-3"
import { EventSource as EventSource4 } from "eventsource-4"
import { createEventSource } from "eventsource-client"
// @ts-expect-error -- it has no types
import { EventSourcePolyfill } from "event-source-polyfill"
// @ts-expect-error -- it has no types
import { EventSource as LaunchDarkly } from "launchdarkly-eventsource"
import Reconnecting from "reconnecting-eventsource"
import { vi } from "vitest"

/** TypeScript treats the module as its default export. */
const ReconnectingEventSource = Reconnecting as unknown as typeof Reconnecting.default

export interface SeenEvent {
  readonly type: string
  readonly id: string
  readonly data: string
}

type See = (event: SeenEvent) => void
type Headers = Record<string, string>

/** Listens until it is closed. */
export type Client = (url: string, headers: Headers, see: See) => () => void

/** The interface of `EventSource` in browsers. */
interface Listening {
  // oxlint-disable-next-line typescript/no-explicit-any -- each client has a type of its own for its events
  readonly addEventListener: (type: string, listener: (event: any) => void) => void
  readonly close: () => void
}

const listen = (source: Listening, see: See) => {
  for (const type of ["change", "message"]) {
    source.addEventListener(type, ({ data, lastEventId }: MessageEvent) => see({ type, id: lastEventId, data }))
  }
  return () => source.close()
}

const withHeaders = (headers: Headers) => ({
  fetch: (url: string | URL, init: object) =>
    fetch(url, { ...init, headers: { ...("headers" in init && (init.headers as Headers)), ...headers } })
})

export const clients: Record<string, Client> = {
  "eventsource 2": (url, headers, see) => listen(new EventSource2(url, { headers }), see),
  "eventsource 3": (url, headers, see) => listen(new EventSource3(url, withHeaders(headers)), see),
  "eventsource 4": (url, headers, see) => listen(new EventSource4(url, withHeaders(headers)), see),
  "eventsource 5": (url, headers, see) => listen(new EventSource5(url, withHeaders(headers)), see),
  "event-source-polyfill": (url, headers, see) => listen(new EventSourcePolyfill(url, { headers }), see),
  "launchdarkly-eventsource": (url, headers, see) => listen(new LaunchDarkly(url, { headers }), see),
  "reconnecting-eventsource": (url, headers, see) => {
    // This client gives up when a connection breaks, like some browsers. The wrapper opens another.
    class Fragile extends EventSource5 {
      constructor(address: string | URL) {
        super(address, withHeaders(headers))
        this.addEventListener("error", () => this.close())
      }
    }
    const source = new ReconnectingEventSource(url, {
      max_retry_time: 100,
      eventSourceClass: Fragile as unknown as typeof globalThis.EventSource
    })
    return listen(source as Listening, see)
  },
  "eventsource-client": (url, headers, see) => {
    const source = createEventSource({
      url,
      headers,
      onMessage: ({ data, event = "message", id = "" }) => see({ type: event, id, data })
    })
    return () => source.close()
  },
  "@microsoft/fetch-event-source": (url, headers, see) => {
    const ending = new AbortController()
    vi.stubGlobal("window", globalThis)
    vi.stubGlobal("document", new EventTarget())
    void fetchEventSource(url, {
      headers,
      fetch,
      openWhenHidden: true,
      signal: ending.signal,
      onmessage: ({ data, event, id }) => see({ type: event, id, data })
    })
    return () => {
      ending.abort()
      vi.unstubAllGlobals()
    }
  }
}
