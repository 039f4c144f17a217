import { assert, layer } from "@effect/vitest"
import { CurrentUser, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect } from "effect"
import { Random } from "../../../../.config/random.ts"
import { Model, type Outcome } from "../support/model.ts"
import { live, rounds, seeded, services } from "../support/suite.ts"
import { anyStep, type Step } from "../support/steps.ts"

const steps = 30
const sequences = rounds(40, 1_000, 2_000)

/** Performs a step with the services. */
const perform = Effect.fnUntraced(function* ({ args, method, on }: Step) {
  const service = on === "todos" ? yield* Todos : yield* Lists
  const call = (service as never)[method] as (
    ...args: ReadonlyArray<unknown>
  ) => Effect.Effect<object, { _tag: string }>
  return yield* call(...args).pipe(
    Effect.match({
      onFailure: (error): Outcome => ({ error: { ...error, _tag: error._tag } }),
      onSuccess: (value): Outcome => ({ value })
    })
  )
})

/** Removes the parts of an outcome that the model does not have, such as times and order keys. */
const comparable = (outcome: Outcome): unknown =>
  JSON.parse(JSON.stringify(outcome), (key, value) => {
    if (key === "position" || key === "createdAt" || key === "updatedAt" || key === "nextCursor") return undefined
    // The model knows that an input is invalid, but not why.
    if (key === "message" || key === "errors") return undefined
    return (key === "completedAt" || key === "deletedAt") && value !== null ? "a time" : value
  })

/** Performs thirty steps of three users. Compares each outcome, and finally all todos and lists, with the model. */
const sequence = Effect.fnUntraced(function* (seed: number) {
  const random = new Random(seed)
  const users = [newUser(), newUser(), newUser()].map((user) => ({ user, model: new Model() }))
  const history: Array<string> = []
  const check = Effect.fnUntraced(function* ({ model, user }: (typeof users)[number], step: Step) {
    const actual = yield* Effect.provideService(perform(step), CurrentUser, user)
    const expected = model.perform(step, actual)
    history.push(
      `${users.findIndex((one) => one.user === user)} ${step.on}.${step.method} ${JSON.stringify(step.args)}`
    )
    assert.deepStrictEqual(comparable(actual), comparable(expected), `seed ${seed}\n${history.join("\n")}`)
  })
  for (let n = 0; n < steps; n++) {
    const one = random.pick(users)
    // The step may use ids of another user.
    yield* check(one, anyStep(random, one.model, random.pick(users).model))
  }
  for (const one of users) {
    for (const deleted of [false, true]) {
      yield* check(one, { on: "todos", method: "list", args: [{ deleted, limit: 200, count: true }] })
      yield* check(one, { on: "lists", method: "list", args: [{ deleted, limit: 200, count: true }] })
      yield* check(one, { on: "todos", method: "list", args: [{ deleted, limit: 200, sort: "-updatedAt" }] })
    }
  }
})

layer(services, live)("todos and lists", (it) => {
  it.effect(
    `todos and lists behave like a model in memory, in ${sequences} random sequences of ${steps} steps of 3 users`,
    () =>
      seeded((random) =>
        Effect.forEach(
          Array.from({ length: sequences }, () => random.int(2 ** 31)),
          sequence,
          { concurrency: 8, discard: true }
        )
      ),
    300_000
  )
})
