/**
 * The script of a page that uses the client. It is text, because it is bundled for the browser. `control` sets how the
 * server of the test treats connections.
 */
export const browserProgram = (options: { readonly url: string; readonly token: string }): string => `
import { make } from "@todo/http/client"
import { createClient } from "@todo/http/client/promise"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const { token, url } = ${JSON.stringify(options)}
const client = createClient({ url, token: async () => token })
const control = (what, body) => fetch("/" + what, { method: "POST", ...(body && { body: JSON.stringify(body) }) })
const failure = (call) => call.then(() => undefined, (error) => error)
const steps = {}

const program = async () => {
  const todo = await client.todos.create({ title: "Buy milk", tags: ["home"] })
  steps.created = [todo.title, todo.revision]

  const theirs = await client.todos.update(todo.id, { title: "theirs" }, { overwrite: true })
  const late = await failure(client.todos.update(todo, { title: "mine" }))
  steps.conflict = [late.code, late.base.title, late.mine.title, late.current.title, typeof late.requestId]

  steps.unchanged = JSON.stringify(await client.todos.get(todo.id)) === JSON.stringify(theirs)

  await control("loseAnswer")
  await client.todos.create({ title: "once" })
  const titles = []
  for await (const { title } of client.todos.all({ limit: 1 })) titles.push(title)
  steps.once = titles

  const missing = await failure(client.todos.get(crypto.randomUUID()))
  steps.missing = [missing.code, missing._tag]

  const revisions = []
  const abort = new AbortController()
  const following = (async () => {
    for await (const { change } of client.subscribe({ patience: 1_000, pollEvery: 200, signal: abort.signal })) {
      revisions.push(change.revision)
    }
  })()
  const until = async (revision) => {
    while (revisions.at(-1) !== revision) await new Promise((again) => setTimeout(again, 20))
  }
  await until(3)
  await client.todos.create({ title: "live" })
  await until(4)
  await control("cut")
  await client.todos.create({ title: "after the cut" })
  await until(5)
  await control("holdStreamsBack")
  await client.todos.create({ title: "as a page" })
  await until(6)
  abort.abort(new Error("enough"))
  steps.ended = (await failure(following)).message
  steps.revisions = revisions

  const effects = make({ url, token: Effect.succeed(Redacted.make(token)) })
  steps.effects = (await Effect.runPromise(effects.todos.list({ sort: "-createdAt", limit: 1 }))).items[0].title
}

program().then(
  () => control("report", steps),
  (error) => control("report", { ...steps, failed: String(error) + error.stack })
)
`
