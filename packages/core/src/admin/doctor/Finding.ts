/** The result of one check, with what to do about it. */
export interface Finding {
  /** The name of the check. */
  readonly check: string
  /** A failure needs a repair. A warning may be intended. */
  readonly status: "passed" | "warning" | "failed"
  /** What the check found. */
  readonly detail: string
  /** What to do about the problem. Absent if the check passed. */
  readonly hint?: string
  /**
   * SQL statements that repair the problem, in order, for a superuser or the owner of the objects. Absent if SQL cannot
   * repair it.
   */
  readonly statements?: ReadonlyArray<string>
}

/** A finding as the checks return it. */
export interface CheckFinding extends Finding {
  /** A server cannot run because of it, so the check that writes is skipped. */
  readonly isBlocking?: true
}

/** A server cannot run because of the finding. */
export const blocking = (finding: CheckFinding): CheckFinding => ({ ...finding, isBlocking: true })

export const passed = (check: string, detail: string): Finding => ({ check, status: "passed", detail })

const wrong =
  (status: "warning" | "failed") =>
  (check: string, detail: string, hint: string, statements: ReadonlyArray<string> = []): Finding => ({
    check,
    status,
    detail,
    hint,
    ...(statements.length > 0 && { statements })
  })

export const warning = wrong("warning")

export const failed = wrong("failed")
