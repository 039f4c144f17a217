import type { Change } from "@todo/core/domain"
import { type Screen, styled } from "../terminal/Screen.ts"
import { fit, oneLine } from "../terminal/TerminalText.ts"

const minTitleWidth = 12

/** One line per change, beginning with the revision. On a narrow terminal the id gets its own line. */
export const renderChange = (change: Change, screen: Screen): string => {
  const [state, text] =
    change.kind === "list"
      ? [change.deleted ? "trash" : "", change.list.name]
      : [change.deleted ? "trash" : change.todo.completed ? "done" : "open", change.todo.title]
  const head = `${String(change.revision).padStart(5)}  ${change.kind}  ${state.padEnd(5)}  `
  const id = `${change.id}  `
  const title = oneLine(text)
  const cut = (used: number) => (screen.width === undefined ? title : fit(title, screen.width - used).trimEnd())
  return screen.width === undefined || screen.width >= head.length + id.length + minTitleWidth
    ? `${head}${styled(screen, "dim", id)}${cut(head.length + id.length)}`
    : `${head}${cut(head.length)}\n${" ".repeat("12345  ".length)}${styled(screen, "dim", id.trimEnd())}`
}
