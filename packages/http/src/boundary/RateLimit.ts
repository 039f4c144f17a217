/**
 * Token buckets: each key may spend `requests` at once, and as many in each `window` from
 * then on. A bucket is one number, the time at which it is full again (what telephone
 * networks know as the generic cell rate algorithm). Every process has its own.
 */
import * as Duration from "effect/Duration"

export interface RateLimitSettings {
  /** How many a full bucket holds. */
  readonly requests: number
  /** How long an empty one takes to fill. */
  readonly window: Duration.Input
}

/** What a bucket answers. Times are in whole seconds, rounded up. */
interface Allowance {
  readonly allowed: boolean
  readonly remaining: number
  /** Until it is full. */
  readonly reset: number
  /** Until there is one to spend; 0 where there is. */
  readonly retryAfter: number
}

/** Keys that are forgotten have full buckets again: those that were used least recently. */
const maxBuckets = 100_000

export interface RateLimit {
  /** For the `RateLimit-Policy` header: so many in so many seconds. */
  readonly policy: string
  /** Spends one, where there is one; `now` in milliseconds. */
  readonly take: (key: string, now: number) => Allowance
  /** Whether there is one to spend. */
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

/** The network that an address belongs to: one IPv4 address, or the 64 bits that a site on IPv6 has to itself. */
export const networkOf = (address: string): string => {
  const ip = address.replace(/^::ffff:(?=\d+\.)/, "")
  if (!ip.includes(":")) return ip
  const [head = [], tail = []] = ip.split("::").map((part) => part.split(":").filter((group) => group !== ""))
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0")
  return [...head, ...zeros, ...tail].slice(0, 4).join(":")
}
