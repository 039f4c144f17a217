/** How long the answer of a write under an idempotency key is kept, as SQL. */
export const keyLifetime = "interval '24 hours'"
