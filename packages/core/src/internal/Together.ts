import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** How many runs may be under way before calls wait for one to end. */
const maxRuns = 4

/** How long a run counts as one of them, in milliseconds: those whose network has gone silent do not hold all others up. */
const longestRun = 1_000

/** How many calls one run takes. */
const maxCalls = 64

interface Call<In, Out, E> {
  readonly given: In
  readonly context: Context.Context<never>
  readonly answer: (exit: Exit.Exit<Out, E>) => void
  /** Nobody waits for the answer any more. */
  leave: () => void
}

/**
 * Makes one run of many calls: of those that come in one turn of the event loop, and of
 * those that come while as many runs as may be are under way. `run` is given what each
 * call was given, and answers in that order; if it fails, all of its calls fail. A run whose
 * callers are all gone is interrupted.
 */
export const together = <In, Out, E>(
  run: (given: ReadonlyArray<In>) => Effect.Effect<ReadonlyArray<Out>, E>
): ((given: In) => Effect.Effect<Out, E>) => {
  const waiting = new Set<Call<In, Out, E>>()
  let runs = 0

  const begin = (calls: ReadonlyArray<Call<In, Out, E>>, context: Context.Context<never>): void => {
    const callers = new Set(calls)
    let counts = true
    runs++
    const makeRoom = () => {
      if (counts) runs--
      counts = false
      beginAll()
    }
    const late = setTimeout(makeRoom, longestRun)
    const fiber = Effect.runForkWith(context)(run(calls.map(({ given }) => given)))
    for (const call of calls) {
      waiting.delete(call)
      call.leave = () => {
        callers.delete(call)
        if (callers.size === 0) fiber.interruptUnsafe()
      }
    }
    fiber.addObserver((exit) => {
      clearTimeout(late)
      calls.forEach(({ answer }, index) => answer(Exit.map(exit, (answers) => answers[index] as Out)))
      makeRoom()
    })
  }

  const beginAll = (): void => {
    const calls = runs < maxRuns ? [...waiting].slice(0, maxCalls) : []
    const [first] = calls
    if (first === undefined) return
    // Spans and settings are those of the one who came first.
    begin(calls, first.context)
    beginAll()
  }

  return (given) =>
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback((answer) => {
        const call = { given, context, answer, leave: () => void waiting.delete(call) }
        waiting.add(call)
        if (waiting.size === 1) setImmediate(beginAll)
        return Effect.sync(() => call.leave())
      })
    )
}
