import type { CurrentUser, UserId } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import type * as Session from "./Session.ts"

type Use<A, E, R> = (services: Parameters<Parameters<typeof Session.asUser>[1]>[0]) => Effect.Effect<A, E, R>

/** Runs on behalf of a user. */
export const asUser = <A, E, R>(user: UserId, use: Use<A, E, R | CurrentUser>) =>
  Effect.flatMap(
    Effect.promise(() => import("./Session.ts")),
    (session) => session.asUser(user, use)
  )
