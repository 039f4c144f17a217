/** Random numbers from a seed (mulberry32), for tests. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number below the limit. */
  int(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** True with this probability, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share
  }

  pick<A>(from: ReadonlyArray<A>): A {
    if (from.length === 0) throw new RangeError("nothing to pick from")
    return from[this.int(from.length)] as A
  }

  /** A random part of the items, in order. */
  some<A>(items: ReadonlyArray<A>): ReadonlyArray<A> {
    return items.filter(() => this.chance(0.5))
  }

  list<A>(length: number, make: (index: number) => A): Array<A> {
    return Array.from({ length }, (_, index) => make(index))
  }

  /** A UUID like those of the server, with another version. */
  uuid(): string {
    const hex = this.list(32, () => this.int(16).toString(16)).join("")
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
  }
}
