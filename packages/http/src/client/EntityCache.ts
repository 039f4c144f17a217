/** A row as the server gave it, as JSON, under the entity tag that it gave it under. */
interface Representation {
  readonly etag: string
  readonly json: string
}

/** The representations that were used last, up to a limit; none without a key. */
export interface Representations {
  readonly get: (key: string | undefined) => Representation | undefined
  readonly set: (key: string | undefined, representation: Representation) => void
  readonly delete: (key: string | undefined) => void
}

export const make = (limit: number): Representations => {
  // A map keeps the order of insertion: the first is the one that was not used for longest.
  const kept = new Map<string, Representation>()
  const set: Representations["set"] = (key, representation) => {
    if (key === undefined) return
    kept.delete(key)
    kept.set(key, representation)
    if (kept.size > limit) for (const oldest of kept.keys()) return void kept.delete(oldest)
  }
  return {
    get: (key = "") => {
      const found = kept.get(key)
      if (found !== undefined) set(key, found)
      return found
    },
    set,
    delete: (key = "") => void kept.delete(key)
  }
}
