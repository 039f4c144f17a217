/**
 * The server as a program. It loads the settings, connects to the database, checks or migrates the schema, and listens.
 */
import { Migrations, Services } from "@todo/core"
import { Installation, ServerRequirements, unknownSettings } from "@todo/core/installation"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as HttpServer from "effect/http/HttpServer"
import * as Development from "./settings/Development.ts"
import * as Server from "./serve/Server.ts"
import * as Prefix from "./boundary/Prefix.ts"
import { describe } from "./observability/ErrorReports.ts"
import * as Tracing from "./observability/Tracing.ts"
import { loadSettings, type ProgramSettings } from "./settings/ProgramSettings.ts"
import { TokenVerifier } from "./auth/TokenVerifier.ts"

/**
 * Checks that the role of the database cannot bypass row-level security. An unsafe role is a warning with
 * `TODO_ALLOW_UNSAFE_ROLE=true` (the default outside of production), and otherwise ends the server.
 */
const checkRole = ({ allowUnsafeRole }: ProgramSettings) =>
  Migrations.checkRole.pipe(
    Effect.catchTag("UnsafeRole", ({ message }) =>
      allowUnsafeRole
        ? Effect.logWarning(`${message}; run "todo-admin doctor"`)
        : Effect.fail(
            new ServerRequirements.UnsafeSetting({
              name: "DATABASE_URL",
              why: `${message}, or set TODO_ALLOW_UNSAFE_ROLE=true`
            })
          )
    )
  )

/** Waits for a check that could not run before the start. Fails if the server must end, and never succeeds. */
class LateRefusal extends Context.Service<LateRefusal, Effect.Effect<never, ServerRequirements.UnsafeSetting>>()(
  "@todo/http/LateRefusal"
) {}

/** Logs "ended" as the last finalizer, if the server had started. */
class Ended extends Context.Service<Ended, { readonly started: Effect.Effect<void> }>()("@todo/http/Ended") {
  static readonly layer = Layer.effect(
    Ended,
    Effect.gen(function* () {
      let started = false
      yield* Effect.addFinalizer(() => (started ? Effect.logInfo("ended") : Effect.void))
      return { started: Effect.sync(() => void (started = true)) }
    })
  )
}

const layerUnknownSettings = Layer.effectDiscard(
  Effect.flatMap(
    unknownSettings,
    Effect.forEach((line) => Effect.logWarning(line), { discard: true })
  )
)

/** Migrates the schema (`TODO_MIGRATE=auto`), or checks that it is the schema of this release. */
const layerSchema = (settings: ProgramSettings) =>
  Layer.effect(
    LateRefusal,
    Effect.gen(function* () {
      const context = yield* Effect.context<Installation>()
      const { runtimeRole } = yield* Installation
      if (settings.migrate === "auto") {
        yield* Effect.provide(Migrations.up({ runtimeRole }), Installation.layerMigrations)
      }
      // The check uses the runtime role, like requests. If the database is unreachable, the server still starts: it is
      // live, and becomes ready when the database returns. The role is checked then.
      return yield* Migrations.check.pipe(
        Effect.andThen(checkRole(settings)),
        Effect.provide(Installation.layerDatabase),
        Effect.as(Effect.never),
        Effect.catchTag("Unavailable", ({ cause, message }) =>
          Effect.annotateLogs(Effect.logWarning(message), { cause: describe(cause) }).pipe(
            Effect.as(Effect.provideContext(lateCheck(settings), context))
          )
        )
      )
    })
  )

/** Checks the role as soon as the database answers. */
const lateCheck = (settings: ProgramSettings) =>
  checkRole(settings).pipe(
    Effect.retry({ while: ({ _tag }) => _tag === "Unavailable", schedule: Schedule.spaced("1 second") }),
    Effect.provide(Installation.layerDatabase),
    Effect.catchIf(
      (error) => error._tag !== "UnsafeSetting",
      () => Effect.void
    ),
    Effect.andThen(Effect.never)
  )

const layerAnnouncement = (settings: ProgramSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      const { embedded } = yield* Installation
      const address = HttpServer.formatAddress(server.address)
      const { tokens } = settings
      const [secret] = "secrets" in tokens ? tokens.secrets : []
      yield* (yield* Ended).started
      yield* Effect.logInfo(`started, listening on ${address}`)
      if (!settings.development || embedded === undefined || secret === undefined) return
      yield* Console.log(yield* Development.banner({ address, database: embedded, secret, tokens }))
    })
  )

/** The environment variables of the settings that `CannotListen` is about. */
export const listenSettings = { host: "HOST", port: "PORT", metricsPort: "TODO_METRICS_PORT" }

/** The server. Fails with one of the documented errors if it cannot start. */
const layer = Layer.unwrap(
  Effect.map(loadSettings, (settings) => {
    const publicPath = Prefix.pathOf(settings.server.publicUrl)
    return layerAnnouncement(settings).pipe(
      Layer.provide(Server.layer(settings.server)),
      Layer.provide(Tracing.layerSpanNames((url) => Prefix.ownUrl(publicPath, url))),
      Layer.provide([Services.layer, TokenVerifier.layer(settings.tokens)]),
      Layer.provideMerge(layerSchema(settings)),
      Layer.provide(Installation.layerDatabase),
      Layer.provide(Installation.layer((line) => Console.error(line))),
      Layer.provide(Installation.layerSchema)
    )
  })
).pipe(Layer.provide([Ended.layer, layerUnknownSettings]))

/** Serves until it is interrupted, or until the late check of the role fails. */
export const launch = Effect.scoped(Effect.flatMap(Layer.build(layer), (context) => Context.get(context, LateRefusal)))
