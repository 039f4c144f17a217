import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidInput } from "./Errors.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** A name that may be repeated to the client: what a property is usually called. */
const isPlainName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name)

/**
 * What a schema found wrong, as pointers and messages (RFC 6901), at most 20 of
 * them. `root` is where the value stood in what the client sent.
 */
export const toInvalidInput = (issue: SchemaIssue.Issue, root = ""): InvalidInput =>
  new InvalidInput({
    errors: format(issue)
      .issues.slice(0, 20)
      .map(({ message, path = [] }) => {
        const names = path.map((segment) => String(typeof segment === "object" ? segment.key : segment))
        const end = names.findIndex((name) => !isPlainName(name))
        return {
          pointer: [root, ...(end === -1 ? names : names.slice(0, end))].join("/"),
          message
        }
      })
  })
