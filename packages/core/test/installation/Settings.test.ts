import { assert, it } from "@effect/vitest"
import { settingMessage, settings } from "@todo/core/installation"
import { type Config, ConfigProvider, Duration, Effect } from "effect"

/** Where a value is not given, it is wrong, and this is what is said of it. */
const cases: ReadonlyArray<readonly [name: keyof typeof settings, text: string, value: unknown]> = [
  ["TODO_REQUEST_TIMEOUT", "10 seconds", Duration.seconds(10)],
  ["TODO_REQUEST_TIMEOUT", "10s", Duration.seconds(10)],
  ["TODO_REQUEST_TIMEOUT", "500ms", Duration.millis(500)],
  ["TODO_JWT_MAX_AGE", "1d", Duration.days(1)],
  ["TODO_JWT_MAX_AGE", "1.5 hours", Duration.minutes(90)],
  ["TODO_JWT_MAX_AGE", "1.5h", Duration.minutes(90)],
  ["TODO_DRAIN_DELAY", "0s", Duration.zero],
  ["TODO_BODY_LIMIT", "65536", 65_536],
  ["TODO_BODY_LIMIT", "64 KiB", 65_536],
  ["TODO_BODY_LIMIT", "1GiB", 2 ** 30],
  ["PORT", "0", 0],
  ["TODO_DATABASE_POOL", "1000", 1_000],
  ["TODO_RATE_LIMIT", "off", "off"],
  ["TODO_RATE_LIMIT", "7", { requests: 7, window: Duration.minutes(1) }],
  ["TODO_RATE_LIMIT", "7/second", { requests: 7, window: Duration.seconds(1) }]
]

const time = "a time from 1ms to 24d, such as 10s or 10 seconds"
const size = "a size of 1 byte to 1 GiB, such as 262144 or 256 KiB"

const wrong: ReadonlyArray<readonly [name: keyof typeof settings, text: string, expected: string]> = [
  ...["10", "s", "10 s", "10sec", "-1s", "0s", "infinity", "24.9d", "25d", "1e3s"].map(
    (text) => ["TODO_REQUEST_TIMEOUT", text, time] as const
  ),
  ["TODO_DRAIN_DELAY", "none", "a time from 0ms to 24d, such as 10s or 10 seconds"],
  ...["0", "-1", "1.5", "64 kilos", "2 GiB", "big"].map((text) => ["TODO_BODY_LIMIT", text, size] as const),
  ...["http", "65536", "80.5", "-1", "0x50", "1e3"].map(
    (text) => ["PORT", text, "a whole number from 0 to 65535"] as const
  ),
  ...["600/day", "0", "600/", "off/minute", "-1"].map(
    (text) => ["TODO_RATE_LIMIT", text, "a number of requests, such as 600/minute, or off"] as const
  )
]

const read = (name: keyof typeof settings, text: string) => {
  const setting: Config.Config<unknown> = settings[name]
  return setting.parse(ConfigProvider.fromEnv({ env: { [name]: text } }))
}

for (const [name, text, value] of cases) {
  it.effect(`${name}=${text} is taken`, () =>
    Effect.map(read(name, text), (read) => assert.deepStrictEqual(read, value))
  )
}

for (const [name, text, expected] of wrong) {
  it.effect(`${name}=${text} is refused with an example of what is taken`, () =>
    Effect.map(Effect.flip(read(name, text)), (error) =>
      assert.strictEqual(settingMessage(error), `${name}: Expected ${expected}`)
    )
  )
}
