import { Database } from "@todo/core"
import * as Effect from "effect/Effect"
import { HttpApiBuilder } from "effect/http-api"
import * as SqlClient from "effect/sql/SqlClient"
import { Api } from "../api/Api.ts"
import { Lifecycle } from "../boundary/Lifecycle.ts"
import { ending } from "../boundary/ProblemResponse.ts"

const ok = { status: "ok" } as const

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const sql = yield* SqlClient.SqlClient
    const ping = Effect.provideService(Database.ping, SqlClient.SqlClient, sql)
    const lifecycle = yield* Lifecycle
    return handlers.handleAll({
      live: () => Effect.succeed(ok),
      ready: () => (lifecycle.draining() ? Effect.succeed(ending) : Effect.as(ping, ok))
    })
  })
)
