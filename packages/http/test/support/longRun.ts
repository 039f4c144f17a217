/** Test kit: long runs, which take more time and print what they measure. */

/** Whether this is a long run. */
export const long = process.env["TODO_TEST_LONG"] === "1"

/** Prints measured values in a long run. */
export const logInLongRuns = (...values: ReadonlyArray<unknown>): void => {
  if (long) console.log(...values)
}
