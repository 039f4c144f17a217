/** A message about content that the target format lacks, and the first line of the file with it. */
interface Note {
  readonly line: number
  readonly message: string
  /** The number of lines with this message. */
  readonly count: number
}

/** Collects messages about content that the target format lacks. Each message is kept once, with the number of its lines. */
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
