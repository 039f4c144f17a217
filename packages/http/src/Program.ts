/**
 * The server as a program: settings, database, schema, routes, in this order.
 */
import { Migrations, Services } from "@todo/core"
import { Installation } from "@todo/core/installation"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpServer from "effect/http/HttpServer"
import * as Development from "./Development.ts"
import * as Server from "./Server.ts"
import { describe } from "./Reports.ts"
import * as Settings from "./Settings.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

const onlyOneWall =
  'row-level security does not hold the role in DATABASE_URL: one of the two walls between users is missing; run "todo-admin doctor"'

/** Brings the schema up (development), or makes sure that it is the one that this release works with. */
const schema = (migrate: Settings.Settings["migrate"]) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { runtimeRole } = yield* Installation
      if (migrate === "auto") yield* Effect.provide(Migrations.up({ runtimeRole }), Installation.layerMigrations)
      // What is served is checked, as it is served. A database that is down is no reason not to start: the server
      // is live, and ready when it returns.
      yield* Migrations.check.pipe(
        Effect.andThen(Migrations.isRowSecurityActive),
        Effect.andThen((isActive) => (isActive ? Effect.void : Effect.logWarning(onlyOneWall))),
        Effect.provide(Installation.layerDatabase),
        Effect.catchTag("Unavailable", ({ cause, message }) =>
          Effect.annotateLogs(Effect.logWarning(message), { cause: describe(cause) })
        )
      )
    })
  )

const announced = (settings: Settings.Settings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      const { embedded } = yield* Installation
      const address = HttpServer.formatAddress(server.address)
      const { tokens } = settings
      const [secret] = "secrets" in tokens ? tokens.secrets : []
      if (!settings.development || embedded === undefined || secret === undefined) {
        return yield* Effect.logInfo(`listening on ${address}`)
      }
      yield* Console.log(yield* Development.banner({ address, database: embedded, secret, tokens }))
    })
  )

/** The whole server. Fails with one of the documented errors where it cannot start. */
export const layer = Layer.unwrap(
  Effect.map(Settings.load, (settings) =>
    announced(settings).pipe(
      Layer.provide(Server.layer(settings.server)),
      Layer.provide([Services.layer, TokenVerifier.layer(settings.tokens)]),
      Layer.provide(schema(settings.migrate)),
      Layer.provide(Installation.layerDatabase),
      Layer.provide(Installation.layer((line) => Console.error(line))),
      Layer.provide(Installation.layerSchema)
    )
  )
)
