import { Database } from "@todo/core"
import * as Effect from "effect/Effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { Lifecycle } from "../boundary/Lifecycle.ts"
import { ending } from "../boundary/ProblemResponse.ts"

const ok = { status: "ok" } as const

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const ping = yield* Database.makePing
    const lifecycle = yield* Lifecycle
    return handlers.handleAll({
      live: () => Effect.succeed(ok),
      ready: () => (lifecycle.draining() ? Effect.succeed(ending) : Effect.as(ping, ok))
    })
  })
)
