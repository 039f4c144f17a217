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
}

export const passed = (check: string, detail: string): Finding => ({ check, status: "passed", detail })

export const warning = (check: string, detail: string, mend: string): Finding => ({
  check,
  status: "warning",
  detail,
  mend
})

export const failed = (check: string, detail: string, mend: string): Finding => ({
  check,
  status: "failed",
  detail,
  mend
})
