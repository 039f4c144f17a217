import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import { todoAdmin } from "../src/TodoAdmin.ts"

const page = readFileSync(new URL("../../../docs/todo-admin.md", import.meta.url), "utf8")

/** Each row of the table has a noun and its verbs. */
const rows = [...page.matchAll(/^\| (`.+?) \|(?! -)/gm)].map(([, cell = ""]) => cell)

const nouns = todoAdmin.subcommands.flatMap(({ commands }) => commands)

it.each(nouns.map(({ name }) => name))("docs/todo-admin.md shows every verb of %s", (name) => {
  const noun = nouns.find((command) => command.name === name)
  const verbs = noun?.subcommands.flatMap(({ commands }) => commands.map((verb) => verb.name)) ?? []
  const shown = rows.filter((cell) => cell.startsWith(`\`${name}`)).join(" ")
  expect(shown).not.toBe("")
  expect(verbs.filter((verb) => !new RegExp(`(\`|\`${name} )${verb}\\b`).test(shown))).toEqual([])
})
