import type { ProblemCode } from "../api/Problem.ts"
import type { CodeOf, Endpoints, ProblemBody, RequestBody, ResponseBody } from "./ContractTypes.ts"

/** A code as a tag: `TodoNotFound` for `todo-not-found`, as the core calls the same error. */
export type Tag<Code extends string> = Code extends `${infer Word}-${infer Rest}`
  ? `${Capitalize<Word>}${Tag<Rest>}`
  : Capitalize<Code>

const tag = <Code extends string>(code: Code) =>
  code
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("") as Tag<Code>

/**
 * The server refused, and said why (RFC 9457). `code` tells which refusal it is, and with
 * it what `problem` has: `errors` of an `invalid-input`, `reason` of a `conflict`.
 *
 * @example
 * ```ts
 * if (error.code === "invalid-input") for (const { pointer, message } of error.problem.errors) show(pointer, message)
 * ```
 */
export class ProblemError<Code extends ProblemCode> extends Error {
  readonly _tag: Tag<Code>
  readonly code: Code
  /** Of HTTP. */
  readonly status: number
  /** Names the request in the server's log. */
  readonly requestId: string | undefined
  /** The problem as it came. */
  readonly problem: ProblemBody<Code>
  /** When the server may be asked again, in seconds, where it said so. */
  readonly retryAfter: number | undefined

  constructor(problem: ProblemBody<Code>, retryAfter?: number) {
    super(problem.detail)
    this.code = problem.code as Code
    this.name = this._tag = tag(this.code)
    this.status = problem.status
    this.requestId = problem.requestId
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/**
 * Somebody else has written in between (412): with the version that the write was based on,
 * where it was given, what was to be written, and what is there now.
 *
 * @example
 * ```ts
 * if (error.code === "revision-mismatch" && error.current) await client.todos.update(error.current, error.mine)
 * ```
 */
export class RevisionMismatchError<Row, Mine> extends ProblemError<"revision-mismatch"> {
  /** The row as it was read, where the call was given one. */
  readonly base: Row | undefined
  /** What was to be written; nothing where the row was to be deleted. */
  readonly mine: Mine
  /** The row as the server has it; `null` where there is none, `undefined` where it could not be fetched. */
  readonly current: Row | null | undefined

  constructor(
    { problem, retryAfter }: ProblemError<"revision-mismatch">,
    versions: { readonly base: Row | undefined; readonly mine: Mine; readonly current: Row | null | undefined }
  ) {
    super(problem, retryAfter)
    this.base = versions.base
    this.mine = versions.mine
    this.current = versions.current
  }
}

/** No answer: no connection, one that broke, or none in time. A write may have happened all the same. */
export class NetworkError extends Error {
  readonly _tag = "NetworkError"
  readonly code = "network-error"
  override readonly name = "NetworkError"

  constructor(cause: unknown) {
    super("The server did not answer", { cause })
  }
}

/** An answer that is none of the contract's: of a proxy, a captive portal, or another server. */
export class UnreadableAnswer extends Error {
  readonly _tag = "UnreadableAnswer"
  readonly code = "unreadable-answer"
  override readonly name = "UnreadableAnswer"
  /** Of HTTP. */
  readonly status: number
  /** Names the request in the server's log, where it was the server that answered. */
  readonly requestId: string | undefined
  /** When the server may be asked again, in seconds, where it said so. */
  readonly retryAfter: number | undefined

  constructor(status: number, requestId?: string, retryAfter?: number) {
    super(`The answer is none of the contract's (status ${status})`)
    this.status = status
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

/** What gives the token failed; its error is the `cause`. */
export class TokenUnavailable extends Error {
  readonly _tag = "TokenUnavailable"
  readonly code = "token-unavailable"
  override readonly name = "TokenUnavailable"

  constructor(cause: unknown) {
    super("There is no token to send", { cause })
  }
}

/** How any call can fail besides what the contract says of it. */
export type Failure = NetworkError | UnreadableAnswer | TokenUnavailable

type ProblemErrorOf<Code extends ProblemCode, Row, Mine> = Code extends "revision-mismatch"
  ? RevisionMismatchError<Row, Mine>
  : ProblemError<Code>

/** How a call of an endpoint can fail. */
export type CallError<Endpoint, Row = never, Mine = never> = ProblemErrorOf<CodeOf<Endpoint>, Row, Mine> | Failure

type Written<Group extends "todos" | "lists"> = RevisionMismatchError<
  ResponseBody<Endpoints[Group]["get"]>,
  RequestBody<Endpoints[Group]["put" | "update" | "move"]> | undefined
>

/** How calls can fail, told apart by `code`: what a `catch` of the Promise flavour gets, `signal.reason` aside. */
export type ClientError =
  | ProblemErrorOf<Exclude<ProblemCode, "revision-mismatch">, never, never>
  | Written<"todos">
  | Written<"lists">
  | Failure

/**
 * Whether something that was thrown is an error of the client.
 *
 * @example
 * ```ts
 * try {
 *   await client.todos.update(todo, { completed: true })
 * } catch (error) {
 *   if (!isClientError(error)) throw error
 *   if (error.code === "todo-not-found") forget(todo)
 * }
 * ```
 */
export const isClientError = (error: unknown): error is ClientError =>
  error instanceof ProblemError ||
  error instanceof NetworkError ||
  error instanceof UnreadableAnswer ||
  error instanceof TokenUnavailable
