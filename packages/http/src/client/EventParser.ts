/** One event of a stream. */
export interface StreamedEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/**
 * Reads server-sent events (WHATWG HTML, 9.2.6) from text that comes in pieces. An event
 * counts once its empty line is there: what a broken connection leaves of one does not.
 * The parser of Effect would bring all its schemas into the page.
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
