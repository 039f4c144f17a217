import { Services } from "@todo/core"
import { layerDatabase } from "@todo/core/testing"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as References from "effect/References"
import * as Server from "../serve/Server.ts"
import { TokenVerifier } from "../auth/TokenVerifier.ts"
import * as TestTokens from "./TestTokens.ts"

/**
 * The real server on a free port of this machine, for tests of programs that call it.
 *
 * @example
 * const { token, url } = yield* TestServer
 * const authorization = `Bearer ${yield* Effect.promise(() => token("alice"))}`
 * const response = yield* Effect.promise(() => fetch(`${url}/v1/me`, { headers: { authorization } }))
 */
export class TestServer extends Context.Service<
  TestServer,
  {
    /** The base address of the server: `http://127.0.0.1:port`. */
    readonly url: string
    /** Signs a token of a user that the server accepts. */
    readonly token: TestTokens.TestTokens["sign"]
  }
>()("@todo/http/TestServer") {
  /** Serves with the given services of `@todo/core`. The shutdown takes at most a second. */
  static readonly layer = (settings: Partial<Server.ServerSettings> = {}) =>
    Layer.unwrap(
      Effect.sync(() => {
        const tokens = TestTokens.make()
        return Layer.effect(
          TestServer,
          Effect.map(HttpServer.HttpServer, ({ address }) =>
            TestServer.of({ url: HttpServer.formatAddress(address), token: tokens.sign })
          )
        ).pipe(
          Layer.provide(
            Server.layer({
              host: "127.0.0.1",
              port: 0,
              bodyLimit: 256 * 1_024,
              requestTimeout: Duration.seconds(10),
              drainTimeout: Duration.seconds(1),
              ...settings
            })
          ),
          Layer.provide(TokenVerifier.layer(tokens.settings))
        )
      })
    )
}

/**
 * Starts a test server with its own database, for tests that are not written with Effect. It logs errors only. `stop`
 * shuts it down and drops the database.
 *
 * @example
 * const server = await startTestServer()
 * afterAll(server.stop)
 * const headers = { authorization: `Bearer ${await server.token("alice")}` }
 * const response = await fetch(`${server.url}/v1/todos`, { headers })
 */
export const startTestServer = async (
  settings: Partial<Server.ServerSettings> = {}
): Promise<typeof TestServer.Service & { readonly stop: () => Promise<void> }> => {
  const runtime = ManagedRuntime.make(
    TestServer.layer(settings).pipe(
      Layer.provide(Services.layer),
      Layer.provide(layerDatabase),
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
    )
  )
  const server = await runtime.runPromise(TestServer)
  return { ...server, stop: () => runtime.dispose() }
}
