/** What is left out, and the line of the file it is first on. */
interface Note {
  readonly line: number
  readonly message: string
  /** On how many lines it is. */
  readonly count: number
}

/** Collects what one side has and the other has no place for: each kind once, however many lines have it. */
export class ConversionNotes {
  readonly #notes = new Map<string, Note>()

  add(line: number, message: string): void {
    const { count, line: first } = this.#notes.get(message) ?? { count: 0, line }
    this.#notes.set(message, { line: first, message, count: count + 1 })
  }

  static format({ count, line, message }: Note): string {
    return `line ${line}: ${message}${count === 1 ? "" : ` (and on ${count - 1} more)`}`
  }

  get all(): ReadonlyArray<Note> {
    return [...this.#notes.values()]
  }
}
