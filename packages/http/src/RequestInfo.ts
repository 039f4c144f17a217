import * as Context from "effect/Context"
import type { UserId } from "@todo/core"

/** What is known of the request that runs, for its log line and its report. */
export class RequestInfo extends Context.Reference<{
  readonly id: string
  /** Set once the caller is known. */
  user: UserId | undefined
}>("@todo/http/RequestInfo", { defaultValue: () => ({ id: "none", user: undefined }) }) {}
