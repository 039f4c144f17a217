import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeProtectedHeader, jwtVerify } from "jose"
import { assertFailed, run, atMostThree, temporaryDirectory } from "../support/program.ts"

const secret = "a secret of at least thirty-two bytes"

const verify = (token: string, claims: { issuer: string; audience: string }, key = secret) =>
  Effect.promise(() => jwtVerify(token.trimEnd(), new TextEncoder().encode(key), { algorithms: ["HS256"], ...claims }))

describe.concurrent("todo-admin token", () => {
  it.live("`token` prints a bare token that the configured server accepts", () =>
    Effect.gen(function* () {
      const environment = {
        TODO_JWT_SECRET: secret,
        TODO_JWT_ISSUER: "https://id.example",
        TODO_JWT_AUDIENCE: "todo-app",
        TODO_JWT_TYP: "at+jwt",
        TODO_JWT_MAX_AGE: "2 hours"
      }
      const [made, given, long] = yield* atMostThree(
        run(["token", "--user", "alice", "--expires", "90m"], environment),
        run(["token", "--user", "alice", "--issuer", "me", "--audience", "you", "--json"], environment),
        run(["token", "--user", "alice", "--expires", "3h"], environment)
      )
      assert.deepStrictEqual({ code: made.code, stderr: made.stderr }, { code: 0, stderr: "" })
      assert.match(made.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
      const { payload } = yield* verify(made.stdout, { issuer: "https://id.example", audience: "todo-app" })
      assert.deepStrictEqual(decodeProtectedHeader(made.stdout), { alg: "HS256", typ: "at+jwt" })
      assert.strictEqual(payload.sub, "alice")
      assert.strictEqual((payload.exp ?? 0) - (payload.iat ?? 0), 5_400)
      assert.closeTo(payload.iat ?? 0, Date.now() / 1_000, 30)

      const document: { token: string; expiresAt: string } = JSON.parse(given.stdout)
      const other = yield* verify(document.token, { issuer: "me", audience: "you" })
      assert.strictEqual(new Date((other.payload.exp ?? 0) * 1_000).toISOString(), document.expiresAt)
      assertFailed(long, 2, /--expires.*2h.*TODO_JWT_MAX_AGE/)
    })
  )

  it.live("`token` signs with the stored secret of development mode if no secret is set", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory()
      const environment = { TODO_DATA_DIR: join(directory, "data") }
      const [one, two] = yield* atMostThree(
        run(["token", "--user", "dev"], environment),
        run(["token", "--user", "dev", "--expires", "24h"], environment)
      )
      const key = yield* Effect.promise(() => readFile(join(directory, "data", "jwt-secret"), "utf8"))
      for (const { stderr, stdout } of [one, two]) {
        assert.strictEqual(stderr, "")
        assert.strictEqual((yield* verify(stdout, { issuer: "todo", audience: "todo" }, key)).payload.sub, "dev")
      }
      assertFailed(yield* run(["token", "--user", "dev", "--expires", "25h"], environment), 2, /--expires/)
    }).pipe(Effect.scoped)
  )
})
