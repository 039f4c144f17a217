/** Flags that several commands share. */
import type { Expectation } from "@todo/core"
import { expectation, IfRevision, PageLimit, pageLimit, toInvalidInput, UserId } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Flag from "effect/cli/Flag"
import * as Param from "effect/cli/Param"
import { Usage } from "../errors/CommandError.ts"

/** A flag without a value. */
export const boolean = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

export const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("TEXT"), Flag.withDescription(description))

/** Validates the text of a flag or an argument. It is refused in the words of the core: `must be …`. */
export const withSchema = <A>(schema: Schema.Codec<A, string>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return <Kind extends Param.ParamKind>(param: Param.Param<Kind, string>) =>
    Param.mapTryCatch(
      param,
      (text) => Result.getOrThrow(decode(text)),
      (error) =>
        (Schema.isSchemaError(error) ? toInvalidInput(error.issue).errors[0]?.message : undefined) ?? "must be valid"
    )
}

export const user = (description: string) =>
  Flag.String("user").pipe(
    Flag.withAlias("u"),
    Flag.withMetavar("USER"),
    withSchema(UserId),
    Flag.withDescription(description)
  )

const decodeIfRevision = Schema.decodeUnknownResult(IfRevision)

/** `7`, `7,9` or `*`. */
const parseIfRevision = (text: string) =>
  text === "*" ? text : text.split(",").map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : Number.NaN))

export const ifRevision = Flag.String("if-revision").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Apply the change only if the item is at this revision. Several: 7,9. Any: '*'"),
  Flag.filterMap(
    (value) => Result.getSuccess(decodeIfRevision(parseIfRevision(value))),
    () => "must be a revision like 7, several like 7,9, or '*'"
  ),
  Flag.optional
)

/** The expected revision, as the services take it. */
export const expecting = (revision: Option.Option<IfRevision>): Expectation => ({
  ifRevision: Option.getOrUndefined(revision)
})

/** `--before ID` and `--after ID`: the new position. */
export const position = <Id extends string>(id: Schema.Codec<Id, string>) => {
  const neighbour = (name: string, description: string) =>
    Flag.String(name).pipe(Flag.withMetavar("ID"), withSchema(id), Flag.withDescription(description), Flag.optional)
  return {
    before: neighbour("before", "Move directly before this item"),
    after: neighbour("after", "Move directly after this item")
  }
}

export const positionOf = Effect.fnUntraced(function* <Id>(flags: {
  readonly before: Option.Option<Id>
  readonly after: Option.Option<Id>
}) {
  const { after, before } = flags
  if (Option.isSome(before) === Option.isSome(after)) {
    return yield* new Usage({ message: "give the new position with either --before or --after" })
  }
  return Option.isSome(before) ? { before: before.value } : { after: Option.getOrThrow(after) }
})

export const yes = boolean("yes", "Do not ask for confirmation")

export const trash = boolean("trash", "Show only items in the trash")

/** A whole number without a sign, an exponent or a leading zero. */
export const wholeNumber = (name: string, schema: Schema.Codec<number, number>) =>
  Flag.String(name).pipe(
    Flag.withMetavar("N"),
    withSchema(
      Schema.String.check(Schema.isPattern(/^(0|[1-9]\d{0,8})$/, { expected: expectation(schema) })).pipe(
        Schema.decodeTo(schema, SchemaTransformation.transform({ decode: Number, encode: String }))
      )
    )
  )

/** Flags of paginated lists. */
export const paging = {
  limit: wholeNumber("limit", PageLimit).pipe(
    Flag.withDescription(`Page size, ${pageLimit.min} to ${pageLimit.max} (default: ${pageLimit.default})`),
    Flag.optional
  ),
  cursor: text("cursor", "Start after the previous page: the cursor it printed. Repeat the other flags").pipe(
    Flag.optional
  ),
  all: boolean("all", "Print all pages"),
  count: boolean("count", "Also print the total number")
}

const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A duration such as `90s`, `30m`, `12h` or `7d`, in seconds. */
export const duration = (name: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("TIME"),
    withSchema(
      Schema.String.check(Schema.isPattern(/^[1-9]\d{0,6}[smhd]$/, { expected: "a time like 90s, 30m, 12h or 7d" }))
    ),
    Flag.map((text) => Number.parseInt(text, 10) * seconds[text.slice(-1) as keyof typeof seconds])
  )

/** Turns options into optional properties: flags that were not given are left out. */
export const given = <Flags extends Record<string, Option.Option<unknown>>>(flags: Flags) =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, flag]) => (Option.isSome(flag) ? [[name, flag.value]] : []))
  ) as { -readonly [Name in keyof Flags]?: Option.Option.Value<Flags[Name]> }
