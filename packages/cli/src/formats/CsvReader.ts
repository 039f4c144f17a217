/** Splits the text of a CSV file (RFC 4180) into records of cells. */

/** A record of a CSV file, and the line on which it begins. */
export interface CsvRecord {
  readonly line: number
  readonly cells: ReadonlyArray<string>
  /** Whether there is text after a closing quote. */
  readonly isBroken: boolean
}

/**
 * Splits a stream of text into CSV records (RFC 4180). Lines end in CRLF, LF or CR. The separator is the first comma,
 * semicolon or tab of the file. A quote within an unquoted cell is text. An unclosed quote would make the rest of the file
 * one cell, so `tooLong` stops the reader. Not `effect/encoding/Csv`, because that does not tell the line of a record, and
 * refuses `5" nails`.
 */
export class CsvReader {
  readonly #longest: number
  #separator: string | undefined
  #cells: Array<string> = []
  #cell = ""
  #length = 0
  #state: "begin" | "plain" | "quoted" | "closed" = "begin"
  #isBroken = false
  #isBehindCR = false
  #line = 1
  #began = 1

  constructor(longest: number) {
    this.#longest = longest
  }

  /** Whether the present record is longer than `longest`. */
  get tooLong(): boolean {
    return this.#length > this.#longest
  }

  /** Whether a quote is still open. */
  get isOpen(): boolean {
    return this.#state === "quoted"
  }

  get line(): number {
    return this.#began
  }

  /** Reads text and yields the records that end in it. */
  *read(text: string): Generator<CsvRecord> {
    for (const char of text) {
      const isRest = char === "\n" && this.#isBehindCR
      const isBreak = (char === "\n" && !isRest) || char === "\r"
      this.#isBehindCR = char === "\r"
      if (isBreak) this.#line++
      this.#length++
      if (this.#state === "quoted") {
        if (char === '"') this.#state = "closed"
        else this.#cell += char
      } else if (isRest) this.#length = 0
      else if (char === '"' && this.#state !== "plain") {
        if (this.#state === "closed") this.#cell += char
        this.#state = "quoted"
      } else if (isBreak) yield* this.end()
      else if (this.#separates(char)) this.#endCell()
      else if (this.#state === "closed") this.#isBroken ||= char !== " "
      else {
        this.#cell += char
        this.#state = "plain"
      }
      if (this.tooLong) return
    }
  }

  /** Ends the present record. A blank line is not a record. */
  *end(): Generator<CsvRecord> {
    const isBlank = this.#cells.length === 0 && this.#state === "begin"
    this.#endCell()
    const record = { line: this.#began, cells: this.#cells, isBroken: this.#isBroken }
    this.#cells = []
    this.#length = 0
    this.#isBroken = false
    this.#began = this.#line
    if (isBlank) return
    this.#separator ??= ","
    yield record
  }

  #separates(char: string): boolean {
    if (this.#separator === undefined && /[,;\t]/.test(char)) this.#separator = char
    return char === this.#separator
  }

  #endCell(): void {
    this.#cells.push(this.#cell)
    this.#cell = ""
    this.#state = "begin"
  }
}
