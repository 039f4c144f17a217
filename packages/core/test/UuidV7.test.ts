import { expect, it } from "@effect/vitest"
import { uuidV7 } from "../src/internal/UuidV7.ts"

it("is of version 7 and variant 10, begins with its time, and is not met twice", () => {
  const made = Array.from({ length: 10_000 }, () => uuidV7())
  for (const id of made) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(new Set(made).size).toBe(made.length)
  // The example of RFC 9562, A.6, and the end of the clock.
  expect(uuidV7(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7/)
  expect(uuidV7(0)).toMatch(/^00000000-0000-7/)
  const before = Date.now()
  const time = Number.parseInt(uuidV7().replace("-", "").slice(0, 12), 16)
  expect(time).toBeGreaterThanOrEqual(before)
  expect(time).toBeLessThanOrEqual(Date.now())
})
