/**
 * Setup of every test file of `npm test`: fails a file that changes its process and does not change it back, because the
 * files of a package share processes.
 */
import { afterAll, assert } from "vitest"

const globals = ["console", "Date", "document", "fetch", "setTimeout", "window"]
const signals = ["SIGHUP", "SIGINT", "SIGTERM", "uncaughtException", "unhandledRejection"]

const state = () =>
  new Map<string, unknown>([
    ["process.cwd()", process.cwd()],
    ...Object.entries(process.env).map(([name, value]) => [`process.env.${name}`, value] as const),
    ...globals.map((name) => [`globalThis.${name}`, Reflect.get(globalThis, name)] as const),
    ...signals.map((name) => [`the listeners of ${name}`, process.listenerCount(name)] as const)
  ])

const before = state()
// The first hook of a file runs last.
afterAll(() => {
  const after = state()
  const changed = [...new Map([...before, ...after]).keys()].filter((name) => before.get(name) !== after.get(name))
  assert.deepStrictEqual(changed, [], "This file must undo what it changes in the process (onTestFinished)")
})
