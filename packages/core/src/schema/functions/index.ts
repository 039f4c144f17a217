/**
 * The current functions of the database, each in one place. `migrate up` creates or replaces all of them after the last
 * migration.
 *
 * A changed function needs a migration with the next number (its statements may be empty), so that servers and older
 * releases know which functions are newer. A new signature is a new function: the old one stays for servers that still
 * run, until a later migration drops it.
 */
import { checks } from "./checks.ts"
import { formerNames } from "./formerNames.ts"
import { json } from "./json.ts"
import { outcome } from "./outcome.ts"
import { positions } from "./positions.ts"
import { write } from "./write.ts"
import { writeList } from "./writeList.ts"
import { writeTodo } from "./writeTodo.ts"

/** The definitions of all functions. `schema` is the quoted name. A function comes after those that it calls. */
export const functions = (schema: string): ReadonlyArray<string> =>
  [checks, json, positions, outcome, writeTodo, writeList, write, formerNames].flatMap((part) => part(schema))

/** The name of a function, and its body as PostgreSQL stores it. */
export const nameAndBody = (definition: string): readonly [name: string, body: string] => {
  const [, name, body] = /^create or replace function [^(]*\.(\w+)\([\s\S]*?\$\$([\s\S]*)\$\$$/.exec(definition) ?? []
  if (name === undefined || body === undefined) throw new Error(`not a function: ${definition.slice(0, 80)}`)
  return [name, body]
}
