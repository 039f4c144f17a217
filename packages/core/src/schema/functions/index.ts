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
import { words } from "./words.ts"
import { write } from "./write.ts"
import { writeList } from "./writeList.ts"
import { writeTodo } from "./writeTodo.ts"

/** The definitions of all functions. `schema` is the quoted name. A function comes after those that it calls. */
export const functions = (schema: string): ReadonlyArray<string> =>
  [checks, json, positions, outcome, words, writeTodo, writeList, write, formerNames].flatMap((part) => part(schema))

/** The parts of a definition as PostgreSQL stores them in `pg_proc`. Parameters are not among them. */
export const parse = (definition: string) => {
  const [, name, header = "", body] =
    /^create or replace function [^(]*\.(\w+)\(([\s\S]*?)\$\$([\s\S]*)\$\$$/.exec(definition) ?? []
  if (name === undefined || body === undefined) throw new Error(`not a function: ${definition.slice(0, 80)}`)
  const setting = / set (\w+) = (\S+)/.exec(header)
  return {
    name,
    volatility: /\b(immutable|stable)\b/.exec(header)?.[0].at(0) ?? "v",
    isSecurityDefiner: header.includes(" security definer"),
    settings: setting === null ? "" : `${setting[1]}=${setting[2]?.replace("''", '""')}`,
    body
  }
}
