import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidInput } from "./Errors.ts"
import { missing, unknownField } from "./InputIssue.ts"

/** A property name that the pointer may repeat to the client: letters, digits, `_`, `.` and `-`. */
const isPlainName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name)

/** The number of missing and unknown properties. The union member with the fewest is the closest to the value. */
const mismatches = (issue: SchemaIssue.Issue): number => {
  switch (issue._tag) {
    case "MissingKey":
    case "UnexpectedKey":
      return 1
    case "Pointer":
    case "Filter":
    case "Encoding":
      return mismatches(issue.issue)
    case "Composite":
      return issue.issues.reduce((sum, issue) => sum + mismatches(issue), 0)
    case "AnyOf":
      return Math.min(...closestMembers(issue).map(mismatches))
    default:
      return 0
  }
}

/** The issues of the union members that are closest to the value. */
const closestMembers = ({ issues }: SchemaIssue.AnyOf): ReadonlyArray<SchemaIssue.Issue> => {
  const fewest = Math.min(...issues.map(mismatches))
  return issues.filter((member) => mismatches(member) === fewest)
}

/** Joins words: `a, b or c`. */
const joinWithOr = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const membersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  ast._tag === "Union" && expectedBy(ast) === undefined
    ? ast.types.flatMap(membersOf).filter(({ _tag }) => _tag !== "Undefined")
    : [ast]

/** The `expected` annotation of a schema or of its last check. A check with a `message` reports only its own failure. */
const expectedBy = (ast: SchemaAST.AST): string | undefined => {
  const check = ast.checks?.findLast(
    ({ annotations }) => annotations?.expected !== undefined && !annotations["message"]
  )
  const expected = check?.annotations?.expected ?? ast.annotations?.["expected"]
  return typeof expected === "string" ? expected : undefined
}

/** The property that distinguishes the members of a union, with its values: `op create, update or delete`. */
const discriminator = (members: ReadonlyArray<SchemaAST.AST>): string | undefined => {
  const tags = members.flatMap((member) =>
    member._tag === "Objects" ? member.propertySignatures.filter(({ type }) => type._tag === "Literal").slice(0, 1) : []
  )
  const [name] = tags.map(({ name }) => String(name))
  if (name === undefined || tags.length < members.length || tags.some((tag) => tag.name !== name)) return undefined
  return `${name} ${joinWithOr(tags.map(({ type }) => expectationOf(type)))}`
}

const memberOf = (ast: SchemaAST.AST): string =>
  ast._tag === "Objects"
    ? `{${ast.propertySignatures.flatMap(({ name, type }) => (type.context?.isOptional ? [] : [String(name)])).join(", ")}}`
    : expectationOf(ast)

/** What a value must be, in words for the client: the `expected` annotation, or else the name of the JSON type. */
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
      return joinWithOr(members.map(members.length === 1 ? expectationOf : memberOf))
    }
    default:
      return "a valid value"
  }
}

/** What a value of the schema must be, in words for error messages. */
export const expectation = (schema: Schema.Constraint): string => expectationOf(schema.ast)

interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const mustBe = "must be "

/** The message of an annotated check. */
const annotatedMessage = (annotations: Schema.Annotations.Annotations | undefined): string | undefined => {
  const { expected, message } = annotations ?? {}
  if (typeof message === "string") return message
  return typeof expected === "string" ? mustBe + expected : undefined
}

/** All problems of an issue, each with its path and a message that says what to do. */
const problemsOf = (issue: SchemaIssue.Issue): ReadonlyArray<Problem> => {
  const here = (message: string): ReadonlyArray<Problem> => [{ path: [], message }]
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue).map(({ message, path }) => ({ message, path: [...issue.path, ...path] }))
    case "Encoding":
      return problemsOf(issue.issue)
    case "Composite":
      return issue.issues.flatMap(problemsOf)
    case "Filter": {
      if (issue.issue._tag !== "InvalidValue") return problemsOf(issue.issue)
      return here(
        annotatedMessage(issue.issue.annotations) ??
          annotatedMessage(issue.filter.annotations) ??
          "must be a valid value"
      )
    }
    case "AnyOf": {
      const closest = issue.issues.length === 0 ? [] : closestMembers(issue)
      const problems = closest.flatMap(problemsOf)
      // If one member is closest, report the problems inside it. Otherwise say which members the client can choose from.
      const isInside =
        problems[0] !== undefined && (problems[0].path.length > 0 || !problems[0].message.startsWith(mustBe))
      return closest.length === 1 && isInside ? problems : here(mustBe + expectationOf(issue.ast))
    }
    case "MissingKey":
      return here(missing)
    case "UnexpectedKey":
      return here(unknownField)
    case "InvalidType":
      return here(issue.ast._tag === "Never" ? unknownField : mustBe + expectationOf(issue.ast))
    case "InvalidValue":
    case "Forbidden":
      return here(annotatedMessage(issue.annotations) ?? "must be a valid value")
    case "OneOf":
      return here(mustBe + expectationOf(issue.ast))
  }
}

/**
 * Converts the issue of a schema to `InvalidInput`: at most 20 errors, one for each JSON Pointer (RFC 6901). `root` is the
 * pointer of the value in the request. No message repeats a value of the client.
 */
export const toInvalidInput = (issue: SchemaIssue.Issue, root = ""): InvalidInput => {
  const errors = new Map<string, { readonly pointer: string; readonly message: string }>()
  for (const { message, path } of problemsOf(issue)) {
    const names = path.map(String)
    const end = names.findIndex((name) => !isPlainName(name))
    const pointer = [root, ...(end === -1 ? names : names.slice(0, end))].join("/")
    if (errors.size < 20 && !errors.has(pointer)) errors.set(pointer, { pointer, message })
  }
  return new InvalidInput({ errors: [...errors.values()] })
}
