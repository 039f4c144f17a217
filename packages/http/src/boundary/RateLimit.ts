/**
 * A rate limit by token buckets. A key can spend `requests` tokens at once, and the bucket refills evenly within `window`.
 * A bucket is stored as one number: the time at which it is full again (generic cell rate algorithm). Processes do not
 * share buckets.
 *
 * `RateLimiter` of `effect` does not fit: it cannot read a bucket without spending a token, and its store in memory grows
 * with every key.
 */
import * as Duration from "effect/Duration"

export interface RateLimitSettings {
  /** The capacity of a bucket: the number of requests allowed at once. */
  readonly requests: number
  /** The time in which an empty bucket becomes full. */
  readonly window: Duration.Input
}

/** The state of a bucket. Times are in whole seconds, rounded up. */
interface Allowance {
  readonly allowed: boolean
  readonly remaining: number
  /** The time until the bucket is full. */
  readonly reset: number
  /** The time until the next token; 0 if there is one now. */
  readonly retryAfter: number
}

/** The most buckets in memory. Above it, the least recently used one is dropped and counts as full again. */
const maxBuckets = 100_000

export interface RateLimit {
  /** The value of the `RateLimit-Policy` header: the quota `q` and the window `w` in seconds. */
  readonly policy: string
  /** Spends a token of the key, if there is one. `now` is in milliseconds. */
  readonly take: (key: string, now: number) => Allowance
  /** Reads the bucket of the key without spending a token. */
  readonly look: (key: string, now: number) => Allowance
}

export const make = ({ requests, window }: RateLimitSettings): RateLimit => {
  const whole = Duration.toMillis(window)
  const one = whole / requests
  const fullAt = new Map<string, number>()

  const allowance = (allowed: boolean, full: number, now: number): Allowance => ({
    allowed,
    remaining: Math.max(0, Math.floor((whole - (full - now)) / one)),
    reset: Math.ceil((full - now) / 1_000),
    retryAfter: Math.max(0, Math.ceil((full + one - now - whole) / 1_000))
  })

  const look = (key: string, now: number): Allowance => {
    const full = Math.max(now, fullAt.get(key) ?? 0)
    return allowance(full + one - now <= whole, full, now)
  }

  return {
    policy: `q=${requests};w=${Math.ceil(whole / 1_000)}`,
    look,
    take: (key, now) => {
      const before = look(key, now)
      if (!before.allowed) return before
      const full = Math.max(now, fullAt.get(key) ?? 0) + one
      fullAt.delete(key)
      fullAt.set(key, full)
      if (fullAt.size > maxBuckets) {
        const [oldest = key] = fullAt.keys()
        fullAt.delete(oldest)
      }
      return allowance(true, full, now)
    }
  }
}

/** The network of an address: the IPv4 address itself, or the /64 prefix of an IPv6 address, which one site owns. */
export const networkOf = (address: string): string => {
  const ip = address.replace(/^::ffff:(?=\d+\.)/, "")
  if (!ip.includes(":")) return ip
  const [head = [], tail = []] = ip.split("::").map((part) => part.split(":").filter((group) => group !== ""))
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0")
  return [...head, ...zeros, ...tail].slice(0, 4).join(":")
}
