/** What one check found, and what to do about it. */
export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** A failure needs a repair. A warning may be intended. */
  readonly status: "passed" | "warning" | "failed"
  /** What was seen. */
  readonly detail: string
  /** What to do about the problem. Absent if the check passed. */
  readonly hint?: string
  /** The SQL that closes it, in order, for a superuser or the owner of what it names; absent where SQL does not. */
  readonly statements?: ReadonlyArray<string>
}

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
