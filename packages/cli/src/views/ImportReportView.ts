/** Renders the result of an import. */
import type { ImportReport, RowCounts } from "@todo/core/admin"
import type { Screen } from "../terminal/Screen.ts"
import { oneLine, pluralize } from "../terminal/TerminalText.ts"
import { table } from "./Table.ts"

export const renderImport = ({ differing, lists, takenOut, todos, user }: ImportReport, screen: Screen): string => {
  const number = (name: string, of: keyof RowCounts) => ({
    name,
    cell: (row: { readonly outcome: RowCounts }) => String(row.outcome[of])
  })
  const rows = [
    { kind: "lists", outcome: lists },
    { kind: "todos", outcome: todos }
  ]
  const columns = [
    { name: oneLine(user), cell: (row: (typeof rows)[number]) => row.kind, minWidth: 5 },
    number("ADDED", "added"),
    number("REPLACED", "replaced"),
    number("KEPT", "kept"),
    number("UNCHANGED", "same")
  ]
  const differ = lists.replaced + lists.kept + todos.replaced + todos.kept
  return [
    table(columns, rows, screen),
    ...differing.map(({ id, kind, line, verdict }) =>
      verdict === "kept"
        ? `line ${line}: ${kind} ${id} differs; the row in the database is kept`
        : `line ${line}: ${kind} ${id} differs; the older row in the database is replaced`
    ),
    ...(differ > differing.length ? [`and ${differ - differing.length} more that differ`] : []),
    ...(takenOut > 0 ? [`${pluralize(takenOut, "todo")} moved out of lists that are in the trash`] : [])
  ].join("\n")
}

/** Why an import changed nothing; `undefined` if it changed something. */
export const whyUnchanged = ({ lists, takenOut, todos }: ImportReport): string | undefined => {
  const rows = (outcome: keyof RowCounts) => lists[outcome] + todos[outcome]
  if (rows("added") + rows("replaced") + takenOut > 0) return undefined
  if (rows("kept") > 0) return "rows that differ are later in the database than in the file, or as late"
  return rows("same") > 0 ? "the user has all rows of the file already" : "the file has no todos"
}
