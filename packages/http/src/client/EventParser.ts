/** A server-sent event. */
export interface StreamedEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/**
 * Makes an incremental parser of server-sent events (WHATWG HTML, 9.2.6). An event is complete at its empty line, so the
 * rest of a broken connection is dropped. Own code, because the parser of Effect would add all its schemas to the bundle.
 */
export const make = (): ((text: string) => ReadonlyArray<StreamedEvent>) => {
  let rest = ""
  let id = ""
  let event = ""
  let data: Array<string> = []
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ""
    const events: Array<StreamedEvent> = []
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) events.push({ id, event, data: data.join("\n") })
        event = ""
        data = []
        continue
      }
      const colon = line.indexOf(":")
      const name = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
      if (name === "data") data.push(value)
      if (name === "event") event = value
      if (name === "id") id = value
    }
    return events
  }
}
