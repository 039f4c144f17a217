/** What one check found, and what to do about it. */
export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** A warning is something to know; only a failure is something to mend now. */
  readonly status: "passed" | "warning" | "failed"
  /** What was seen. */
  readonly detail: string
  /** What to do about it; nothing where the check passed. */
  readonly mend?: string
  /** The SQL that closes it, in order, for a superuser or the owner of what it names; absent where SQL does not. */
  readonly statements?: ReadonlyArray<string>
}

export const passed = (check: string, detail: string): Finding => ({ check, status: "passed", detail })

const wrong =
  (status: "warning" | "failed") =>
  (check: string, detail: string, mend: string, statements: ReadonlyArray<string> = []): Finding => ({
    check,
    status,
    detail,
    mend,
    ...(statements.length > 0 && { statements })
  })

export const warning = wrong("warning")

export const failed = wrong("failed")
