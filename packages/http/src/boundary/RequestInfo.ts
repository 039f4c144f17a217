import * as Context from "effect/Context"
import type { UserId } from "@todo/core"

/** What is known of the request that runs, for its answer, its log line and its report. */
export class RequestInfo extends Context.Reference<{
  readonly id: string
  /** Set once the caller is known. */
  user: UserId | undefined
  /** When the caller's token or session ends, in seconds since 1970, where it does. */
  expires: number | undefined
  /** What the answer says of the caller's rate limit, where there is one. */
  rateLimit: Readonly<Record<"ratelimit" | "ratelimit-policy", string>> | undefined
}>("@todo/http/RequestInfo", {
  defaultValue: () => ({ id: "none", user: undefined, expires: undefined, rateLimit: undefined })
}) {}
