const [LF, CR] = [0x0a, 0x0d]

/** A line and its number. `text` is `undefined` if the line is too long or not UTF-8. */
export interface Line {
  readonly number: number
  readonly text: string | undefined
}

/**
 * Splits chunks of bytes into lines that end in LF, CRLF or CR. It keeps at most one line of `longest` bytes in memory.
 */
export class LineReader {
  readonly #longest: number
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  #parts: Array<Uint8Array> = []
  #length = 0
  #number = 0
  #endedInCR = false

  constructor(longest: number) {
    this.#longest = longest
  }

  /** The lines that end in this chunk. */
  *read(bytes: Uint8Array): Generator<Line> {
    if (bytes.length === 0) return
    let start = this.#endedInCR && bytes[0] === LF ? 1 : 0
    let [lf, cr] = [bytes.indexOf(LF, start), bytes.indexOf(CR, start)]
    while (lf !== -1 || cr !== -1) {
      const isLF = cr === -1 || (lf !== -1 && lf < cr)
      const end = isLF ? lf : cr
      this.#add(bytes.subarray(start, end))
      yield this.#take()
      start = !isLF && bytes[end + 1] === LF ? end + 2 : end + 1
      if (lf !== -1 && lf < start) lf = bytes.indexOf(LF, start)
      if (!isLF) cr = bytes.indexOf(CR, start)
    }
    this.#endedInCR = bytes[bytes.length - 1] === CR
    this.#add(bytes.subarray(start))
  }

  /** The text behind the last line break, if any. */
  *end(): Generator<Line> {
    if (this.#length > 0) yield this.#take()
  }

  #add(part: Uint8Array): void {
    this.#length += part.length
    // Bytes beyond the limit are counted and not kept.
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
