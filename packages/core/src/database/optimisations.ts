/**
 * What exists for speed only, each in a file of its own. Set one to `false` and delete its file to do without it: answers
 * stay the same. `npm run test:plain` runs the suite of core with all of them off.
 */
export const optimisations = {
  /** `database/BatchedScope.ts` */
  requestBatching: true,
  /** `database/ConnectionQueue.ts` */
  connectionQueue: true,
  /** `todos/FastTimestamp.ts` */
  fastTimestamps: true,
  /** `writes/RandomBuffer.ts` */
  bufferedRandomness: true,
  /** `todos/BatchedPages.ts` */
  batchedPages: true,
  /** `todos/KeptTotals.ts` */
  keptTotals: true
}
