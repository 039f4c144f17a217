/** A line and its number. There is no text where it was too long, or is not UTF-8. */
export interface Line {
  readonly number: number
  readonly text: string | undefined
}

/** Cuts bytes into lines as they come, and holds no more than one line of the greatest length. */
export class LineReader {
  readonly #longest: number
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  #parts: Array<Uint8Array> = []
  #length = 0
  #number = 0

  constructor(longest: number) {
    this.#longest = longest
  }

  /** The lines that end in these bytes. */
  *read(bytes: Uint8Array): Generator<Line> {
    let start = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      this.#add(bytes.subarray(start, end))
      yield this.#take()
      start = end + 1
    }
    this.#add(bytes.subarray(start))
  }

  /** What is behind the last line break. */
  *end(): Generator<Line> {
    if (this.#length > 0) yield this.#take()
  }

  #add(part: Uint8Array): void {
    this.#length += part.length
    // What is behind the limit is only counted.
    if (this.#length > this.#longest) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #take(): Line {
    const text = this.#length > this.#longest ? undefined : this.#decode()
    this.#parts = []
    this.#length = 0
    return { number: ++this.#number, text }
  }

  #decode(): string | undefined {
    const [first] = this.#parts
    try {
      return this.#decoder.decode(this.#parts.length === 1 ? first : Buffer.concat(this.#parts))
    } catch {
      return undefined
    }
  }
}
