/** A row as the server gave it, as JSON, under the entity tag that it gave it under. */
interface CachedEntity {
  readonly etag: string
  readonly json: string
}

/** The entities that were used last, up to a limit; none without a key. */
export interface EntityCache {
  readonly get: (key: string | undefined) => CachedEntity | undefined
  readonly set: (key: string | undefined, entity: CachedEntity) => void
  readonly delete: (key: string | undefined) => void
}

export const make = (limit: number): EntityCache => {
  // A map keeps the order of insertion: the first is the one that was not used for longest.
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
