/** A response body and its entity tag. */
interface CachedEntity {
  readonly etag: string
  readonly json: string
}

/** A least-recently-used cache of responses. Without a key nothing is stored or found. */
export interface EntityCache {
  readonly get: (key: string | undefined) => CachedEntity | undefined
  readonly set: (key: string | undefined, entity: CachedEntity) => void
  readonly delete: (key: string | undefined) => void
}

export const make = (limit: number): EntityCache => {
  // A map keeps the order of insertion, and each use inserts again: the first entry is the least recently used.
  const kept = new Map<string, CachedEntity>()
  const set: EntityCache["set"] = (key, entity) => {
    if (key === undefined) return
    kept.delete(key)
    kept.set(key, entity)
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
