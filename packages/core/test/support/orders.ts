/** Checks linearizability: whether one order of the writes on a row explains all results. */
import type { Todo } from "@todo/core"

export interface Observed {
  readonly kind: "delete" | "update" | "get" | "restore"
  /** The highest revision in any result before this call began. */
  readonly since: number
  readonly todo?: Todo
  readonly failure?: string
}

/** The states of the row by revision, each with the write that caused it. */
const history = (created: Todo, observed: ReadonlyArray<Observed>) => {
  const states = new Map<number, { readonly by: Observed["kind"] | "create"; readonly todo: Todo }>()
  states.set(created.revision, { by: "create", todo: created })
  const writes = observed.filter(({ kind }) => kind !== "get")
  // A restore of a todo outside the trash changes nothing, and returns a state that another write caused.
  for (const { kind, todo } of writes.toSorted((a, b) => Number(a.kind === "restore") - Number(b.kind === "restore"))) {
    if (todo === undefined || (kind === "restore" && states.has(todo.revision))) continue
    if (states.has(todo.revision)) return `two writes have revision ${todo.revision}`
    states.set(todo.revision, { by: kind, todo })
  }
  return states
}

const isThere = ({ deletedAt }: Todo): boolean => deletedAt === null

/**
 * Returns the contradictions as texts. Every change has its own revision, so the order is that of the revisions. Each write
 * must follow from the state before it. A read must return a state that was current during the read.
 */
export const explained = (created: Todo, observed: ReadonlyArray<Observed>, final: Todo): ReadonlyArray<string> => {
  const states = history(created, observed)
  if (typeof states === "string") return [states]
  const wrong: Array<string> = []
  const revisions = [...states.keys()].toSorted((a, b) => a - b)

  let was = created
  for (const [n, revision] of revisions.entries()) {
    const { by, todo } = states.get(revision) ?? { by: "create", todo: created }
    if (revision !== created.revision + n) wrong.push(`revision ${revision} is the ${n}th`)
    if (by !== "create") {
      if (isThere(was) === (by === "restore")) wrong.push(`${by} at ${revision} does not fit the state before it`)
      if (isThere(todo) === (by === "delete")) wrong.push(`${by} at ${revision} has the wrong result`)
      if (by !== "update" && todo.title !== was.title) wrong.push(`${by} at ${revision} lost a title`)
    }
    was = todo
  }
  if (JSON.stringify(was) !== JSON.stringify(final)) wrong.push("the final state differs")

  for (const { failure, kind, since, todo } of observed) {
    const possible = revisions.filter((revision) => revision >= since).map((at) => states.get(at)?.todo ?? created)
    if (todo !== undefined) {
      const isKnown = possible.some((state) => JSON.stringify(state) === JSON.stringify(todo))
      if (!isKnown) wrong.push(`${kind} was answered ${todo.revision}, when ${since} was known`)
    } else if (failure !== "TodoNotFound" || kind === "restore") {
      // A restore finds the row in the trash and outside of it.
      wrong.push(`${kind} failed with ${failure}`)
    } else if (possible.every(isThere)) {
      wrong.push(`${kind} missed a todo that was there`)
    }
  }
  return wrong
}
