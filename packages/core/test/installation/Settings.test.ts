import { assert, it } from "@effect/vitest"
import { settingMessage, settings } from "@todo/core/installation"
import { type Config, ConfigProvider, Duration, Effect } from "effect"

/** Valid settings with their values. */
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
  ["TODO_RATE_LIMIT", "7/second", { requests: 7, window: Duration.seconds(1) }],
  ["TODO_PUBLIC_URL", "https://todo.example.com", "https://todo.example.com"],
  ["TODO_PUBLIC_URL", "https://todo.example.com/", "https://todo.example.com"],
  ["TODO_PUBLIC_URL", "https://example.com/api", "https://example.com/api"],
  ["TODO_PUBLIC_URL", "https://example.com/api/", "https://example.com/api"],
  ["TODO_PUBLIC_URL", "HTTPS://Example.com:443/Api/to-do_2.~", "https://example.com/Api/to-do_2.~"],
  ["TODO_PUBLIC_URL", "http://[::1]:8080/a/b", "http://[::1]:8080/a/b"]
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

/** Invalid public URLs with the message of their error. */
const wrongUrls: ReadonlyArray<readonly [text: string, why: string]> = [
  ...["example.com/api", "/api", "//example.com", "ftp://example.com", "https:example.com", "wss://example.com"].map(
    (text) => [text, "must begin with https:// or http://, like https://example.com/api"] as const
  ),
  ...[
    "https://",
    "https:///api",
    "https://:80",
    "https://a:b",
    "https://[::1",
    "https://a^b/",
    "https://example.com\\api"
  ].map((text) => [text, "must have a host, like https://example.com/api"] as const),
  ["https://example.com/a b", "has a space in it: remove it"],
  [" https://example.com", "has a space in it: remove it"],
  ["https://example.com/api?", "has a query: remove ? and what follows"],
  ["https://example.com?a=b", "has a query: remove ? and what follows"],
  ["https://example.com/api#", "has a fragment: remove # and what follows"],
  ["https://example.com/#/api?a", "has a fragment: remove # and what follows"],
  ["https://user@example.com", "has a user name: remove the @ and what is before it"],
  ["https://user:secret@example.com/api", "has a user name: remove the @ and what is before it"],
  ["https://@example.com", "has a user name: remove the @ and what is before it"],
  ["https://example.com//api", "has two slashes in a row in its path: write one"],
  ["https://example.com/api//", "has two slashes in a row in its path: write one"],
  ["https://example.com/a/../b", "has . or .. in its path: write the resolved path"],
  ["https://example.com/./b", "has . or .. in its path: write the resolved path"],
  ["https://example.com/%61pi", "has a percent-encoded character in its path: choose a path without one"],
  ["https://example.com/%2e%2e/b", "has a percent-encoded character in its path: choose a path without one"],
  ...[
    "https://example.com/a;b",
    "https://example.com/\u00e9",
    "https://example.com/a\\b",
    "https://example.com/a@b"
  ].map((text) => [text, "may have only letters, digits and - . _ ~ in the segments of its path"] as const)
]

const read = (name: keyof typeof settings, text: string) => {
  const setting: Config.Config<unknown> = settings[name]
  return setting.parse(ConfigProvider.fromEnv({ env: { [name]: text } }))
}

for (const [name, text, value] of cases) {
  it.effect(`${name}=${text} is accepted`, () =>
    Effect.map(read(name, text), (read) => assert.deepStrictEqual(read, value))
  )
}

for (const [name, text, expected] of wrong) {
  it.effect(`${name}=${text} is refused with an example of a valid value`, () =>
    Effect.map(Effect.flip(read(name, text)), (error) =>
      assert.strictEqual(settingMessage(error), `${name}: must be ${expected}`)
    )
  )
}

for (const [text, why] of wrongUrls) {
  it.effect(`TODO_PUBLIC_URL=${text} is refused: ${why}`, () =>
    Effect.map(Effect.flip(read("TODO_PUBLIC_URL", text)), (error) =>
      assert.strictEqual(settingMessage(error), `TODO_PUBLIC_URL: ${why}`)
    )
  )
}
