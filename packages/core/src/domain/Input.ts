import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidInput } from "./Errors.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** A name that may be repeated to the client: what a property is usually called. */
const isPlainName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name)

/** How many members are missing or too many: how far a value is from this form. */
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

/** Of the forms that a value may have, what is wrong with those that it is closest to. */
const nearest = ({ issues }: SchemaIssue.AnyOf): ReadonlyArray<SchemaIssue.Issue> => {
  const least = Math.min(...issues.map(misfits))
  return issues.filter((form) => misfits(form) === least)
}

type Told = ReturnType<typeof format>["issues"]

const tell = (issue: SchemaIssue.Issue): Told => {
  switch (issue._tag) {
    case "Pointer":
      return tell(issue.issue).map(({ message, path = [] }) => ({ message, path: [...issue.path, ...path] }))
    case "Encoding":
      return tell(issue.issue)
    case "Composite":
      return issue.issues.flatMap(tell)
    case "AnyOf":
      return issue.issues.length === 0 ? format(issue).issues : nearest(issue).flatMap(tell)
    default:
      return format(issue).issues
  }
}

/**
 * What a schema found wrong, as pointers and messages (RFC 6901), at most 20 of
 * them. `root` is where the value stood in what the client sent.
 */
export const toInvalidInput = (issue: SchemaIssue.Issue, root = ""): InvalidInput =>
  new InvalidInput({
    errors: tell(issue)
      .slice(0, 20)
      .map(({ message, path = [] }) => {
        const names = path.map((segment) => String(typeof segment === "object" ? segment.key : segment))
        const end = names.findIndex((name) => !isPlainName(name))
        return {
          pointer: [root, ...(end === -1 ? names : names.slice(0, end))].join("/"),
          message
        }
      })
  })
