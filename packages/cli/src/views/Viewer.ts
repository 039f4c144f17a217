import { TimeZone } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** When and where somebody looks: what "tomorrow" depends on. */
export interface Viewer {
  readonly now: DateTime.Utc
  readonly timeZone: string
}

/** Now, in the zone that was given, or else this machine's. */
export const viewerIn = (timeZone: string | undefined): Effect.Effect<Viewer> =>
  Effect.map(DateTime.now, (now) => ({ now, timeZone: timeZone ?? machineTimeZone() }))

const isTimeZone = Schema.is(TimeZone)

/** UTC where TZ is set to what is no name of a zone. */
export const machineTimeZone = (): string => {
  const name: unknown = new Intl.DateTimeFormat().resolvedOptions().timeZone
  return isTimeZone(name) ? name : "UTC"
}
