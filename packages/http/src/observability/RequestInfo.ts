import * as Context from "effect/Context"
import type { UserId } from "@todo/core"

/** Facts about the current request, for its response, its log line and its error report. */
export class RequestInfo extends Context.Reference<{
  readonly id: string
  /** The user, once authenticated. */
  user: UserId | undefined
  /** When the user's token or session expires, in seconds since 1970, if it does. */
  expires: number | undefined
  /** The headers with the state of the user's rate limit, if there is a limit. */
  rateLimit: Readonly<Record<"ratelimit" | "ratelimit-policy", string>> | undefined
}>("@todo/http/RequestInfo", {
  defaultValue: () => ({ id: "none", user: undefined, expires: undefined, rateLimit: undefined })
}) {}
