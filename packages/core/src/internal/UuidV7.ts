import { randomUUID } from "node:crypto"

/**
 * A UUID of version 7 (RFC 9562): the time in milliseconds, and what is random of one of
 * version 4. Node has the random bytes of 128 of those ready, so one takes 0.6 µs; to ask the
 * system for its own takes ten times as long.
 */
export const uuidV7 = (now = Date.now()): string => {
  const time = now.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
