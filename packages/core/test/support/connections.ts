/** Runs effects as another database role or as another user. */
import { CurrentUser } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { connect } from "./host.ts"

/** Runs statements as the superuser, who bypasses both guards of isolation. */
export const asSuperuser = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(TestDatabase, ({ adminUrl }) =>
    Effect.provide(self, connect({ url: adminUrl, poolSize: 1, unlimited: true }))
  )

/** Runs statements as the owner of the schema, who can change it, as migrations and operators do. */
export const asOwner = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(TestDatabase, ({ ownerUrl }) =>
    Effect.provide(self, connect({ url: ownerUrl, poolSize: 2, unlimited: true }))
  )

/** Runs as this user. */
export const runAs = (user: typeof CurrentUser.Service) => Effect.provideService(CurrentUser, user)

/** An option of `Effect.all` and `Effect.forEach`. */
export const unbounded = { concurrency: "unbounded" } as const
