import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidInput } from "./Errors.ts"
import { missing, unknownField } from "./InputIssue.ts"

/** A property name that the pointer may repeat to the client: letters, digits, `_`, `.` and `-`. */
const isPlainName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name)

/** How many members are missing or unknown: how far a value is from this form. */
const misfits = (issue: SchemaIssue.Issue): number => {
  switch (issue._tag) {
    case "MissingKey":
    case "UnexpectedKey":
      return 1
    case "Pointer":
    case "Filter":
    case "Encoding":
      return misfits(issue.issue)
    case "Composite":
      return issue.issues.reduce((sum, issue) => sum + misfits(issue), 0)
    case "AnyOf":
      return Math.min(...nearest(issue).map(misfits))
    default:
      return 0
  }
}

/** The forms of a union that the value comes closest to. */
const nearest = ({ issues }: SchemaIssue.AnyOf): ReadonlyArray<SchemaIssue.Issue> => {
  const least = Math.min(...issues.map(misfits))
  return issues.filter((form) => misfits(form) === least)
}

/** `a, b or c`. */
const either = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const membersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  ast._tag === "Union" && expectedBy(ast) === undefined
    ? ast.types.flatMap(membersOf).filter(({ _tag }) => _tag !== "Undefined")
    : [ast]

/** The `expected` annotation of a schema or of one of its checks; those with a `message` speak for themselves alone. */
const expectedBy = (ast: SchemaAST.AST): string | undefined => {
  const check = ast.checks?.findLast(
    ({ annotations }) => annotations?.expected !== undefined && !annotations["message"]
  )
  const expected = check?.annotations?.expected ?? ast.annotations?.["expected"]
  return typeof expected === "string" ? expected : undefined
}

/** The property that tells the forms of a union apart, with its values: `op create, update or delete`. */
const discriminator = (forms: ReadonlyArray<SchemaAST.AST>): string | undefined => {
  const tags = forms.flatMap((form) =>
    form._tag === "Objects" ? form.propertySignatures.filter(({ type }) => type._tag === "Literal").slice(0, 1) : []
  )
  const [name] = tags.map(({ name }) => String(name))
  if (name === undefined || tags.length < forms.length || tags.some((tag) => tag.name !== name)) return undefined
  return `${name} ${either(tags.map(({ type }) => expectationOf(type)))}`
}

const memberOf = (ast: SchemaAST.AST): string =>
  ast._tag === "Objects"
    ? `{${ast.propertySignatures.flatMap(({ name, type }) => (type.context?.isOptional ? [] : [String(name)])).join(", ")}}`
    : expectationOf(ast)

/** What a value must be, in the words of the client: the `expected` of our schemas, else what JSON calls it. */
const expectationOf = (ast: SchemaAST.AST): string => {
  const expected = expectedBy(ast)
  if (expected !== undefined) return expected
  switch (ast._tag) {
    case "Null":
      return "null"
    case "String":
      return "a string"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Literal":
      return String(ast.literal)
    case "Arrays":
      return "an array"
    case "Objects":
      return "an object"
    case "Union": {
      const members = membersOf(ast).toSorted((a, b) => Number(b._tag === "Null") - Number(a._tag === "Null"))
      if (members.length > 2 && members.every(({ _tag }) => _tag === "Literal")) {
        return `one of ${members.map(expectationOf).join(", ")}`
      }
      const tag = discriminator(members)
      if (tag !== undefined) return `an object with ${tag}`
      return either(members.map(members.length === 1 ? expectationOf : memberOf))
    }
    default:
      return "a valid value"
  }
}

/** The `expected` of a schema, for checks on the way to it. */
export const expectation = (schema: Schema.Constraint): string => expectationOf(schema.ast)

interface Told {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const mustBe = "must be "

const annotated = (annotations: Schema.Annotations.Annotations | undefined): string | undefined => {
  const { expected, message } = annotations ?? {}
  if (typeof message === "string") return message
  return typeof expected === "string" ? mustBe + expected : undefined
}

/** Every way in which a schema can be broken, as a place and what to do there. */
const tell = (issue: SchemaIssue.Issue): ReadonlyArray<Told> => {
  const here = (message: string): ReadonlyArray<Told> => [{ path: [], message }]
  switch (issue._tag) {
    case "Pointer":
      return tell(issue.issue).map(({ message, path }) => ({ message, path: [...issue.path, ...path] }))
    case "Encoding":
      return tell(issue.issue)
    case "Composite":
      return issue.issues.flatMap(tell)
    case "Filter": {
      if (issue.issue._tag !== "InvalidValue") return tell(issue.issue)
      return here(annotated(issue.issue.annotations) ?? annotated(issue.filter.annotations) ?? "must be a valid value")
    }
    case "AnyOf": {
      const told = issue.issues.length === 0 ? [] : nearest(issue)
      const [only, ...more] = told.flatMap(tell)
      // What is wrong inside of one form. Where several are as close, or none, the client has to choose one.
      const isInside = only !== undefined && (only.path.length > 0 || !only.message.startsWith(mustBe))
      return told.length === 1 && isInside ? [only, ...more] : here(mustBe + expectationOf(issue.ast))
    }
    case "MissingKey":
      return here(missing)
    case "UnexpectedKey":
      return here(unknownField)
    case "InvalidType":
      return here(issue.ast._tag === "Never" ? unknownField : mustBe + expectationOf(issue.ast))
    case "InvalidValue":
    case "Forbidden":
      return here(annotated(issue.annotations) ?? "must be a valid value")
    case "OneOf":
      return here(mustBe + expectationOf(issue.ast))
  }
}

/**
 * Every error of a schema as a pointer (RFC 6901) and a message that says what to do: at most 20, one for each place.
 * `root` is where the value is in the request. No message repeats what was sent.
 */
export const toInvalidInput = (issue: SchemaIssue.Issue, root = ""): InvalidInput => {
  const errors = new Map<string, { readonly pointer: string; readonly message: string }>()
  for (const { message, path } of tell(issue)) {
    const names = path.map(String)
    const end = names.findIndex((name) => !isPlainName(name))
    const pointer = [root, ...(end === -1 ? names : names.slice(0, end))].join("/")
    if (errors.size < 20 && !errors.has(pointer)) errors.set(pointer, { pointer, message })
  }
  return new InvalidInput({ errors: [...errors.values()] })
}
