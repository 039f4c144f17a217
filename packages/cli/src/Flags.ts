/** Flags that several commands have. */
import { UserId } from "@todo/core/domain"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Flag from "effect/cli/Flag"

/** A flag that is there or not. */
export const mark = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

export const user = (description: string) =>
  Flag.String("user").pipe(
    Flag.withAlias("u"),
    Flag.withMetavar("USER"),
    Flag.withSchema(UserId),
    Flag.withDescription(description)
  )

const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A length of time, `90s` `30m` `12h` `7d`, in seconds. */
export const duration = (name: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("TIME"),
    Flag.withSchema(
      Schema.String.check(Schema.isPattern(/^[1-9]\d{0,6}[smhd]$/, { expected: "a time like 90s, 30m, 12h or 7d" }))
    ),
    Flag.map((text) => Number.parseInt(text, 10) * seconds[text.slice(-1) as keyof typeof seconds])
  )

/** The flags that were given, as optional properties. */
export const given = <Flags extends Record<string, Option.Option<unknown>>>(flags: Flags) =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, flag]) => (Option.isSome(flag) ? [[name, flag.value]] : []))
  ) as { -readonly [Name in keyof Flags]?: Option.Option.Value<Flags[Name]> }
