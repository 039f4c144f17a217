/** A record of a CSV file, and the line it begins on. */
export interface CsvRecord {
  readonly line: number
  readonly cells: ReadonlyArray<string>
}

/**
 * Cuts text into records as it comes (RFC 4180; lines may also end in LF alone). A quote that is not closed makes the
 * rest of the file one cell, so `tooLong` says from where on nothing is kept.
 */
export class CsvReader {
  readonly #longest: number
  #cells: Array<string> = []
  #cell = ""
  #length = 0
  #state: "begin" | "plain" | "quoted" | "closed" = "begin"
  #line = 1
  #began = 1

  constructor(longest: number) {
    this.#longest = longest
  }

  /** Whether the record that is being read is longer than any that makes sense. */
  get tooLong(): boolean {
    return this.#length > this.#longest
  }

  /** Whether the text has ended within a quote. */
  get isOpen(): boolean {
    return this.#state === "quoted"
  }

  get line(): number {
    return this.#began
  }

  /** The records that end in this text. */
  *read(text: string): Generator<CsvRecord> {
    for (const char of text) {
      if (char === "\n") this.#line++
      this.#length++
      if (this.#state === "quoted") {
        if (char === '"') this.#state = "closed"
        else this.#cell += char
      } else if (char === '"' && this.#state !== "plain") {
        if (this.#state === "closed") this.#cell += char
        this.#state = "quoted"
      } else if (char === ",") this.#endCell()
      else if (char === "\n") yield* this.end()
      else if (char !== "\r" || this.#state === "plain") {
        this.#cell += char
        this.#state = "plain"
      }
      if (this.tooLong) return
    }
  }

  /** The record that is not ended by a line break; blank lines are none. */
  *end(): Generator<CsvRecord> {
    const isBlank = this.#cells.length === 0 && this.#state === "begin"
    this.#endCell()
    const record = { line: this.#began, cells: this.#cells }
    this.#cells = []
    this.#length = 0
    this.#began = this.#line
    if (!isBlank) yield record
  }

  #endCell(): void {
    this.#cells.push(this.#state === "plain" ? this.#cell.replace(/\r$/, "") : this.#cell)
    this.#cell = ""
    this.#state = "begin"
  }
}
