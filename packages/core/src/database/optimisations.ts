/**
 * The code that exists for speed only, each part in a file of its own. Set an entry to `false` to do without it: answers
 * stay the same. `npm run test:plain` runs the suite of core with all of them off.
 */
export const optimisations = {
  /** `database/BatchedScope.ts` */
  requestBatching: true,
  /** `todos/fastRows.ts` */
  fastRows: true,
  /** `todos/fastTimestamp.ts` */
  fastTimestamps: true,
  /** `writes/randomBytes.ts` */
  bufferedRandomness: true,
  /** `todos/batchedPages.ts` */
  batchedPages: true,
  /** `todos/TotalCache.ts` */
  totalCache: true
}
