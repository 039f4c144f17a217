import type { ProblemCode } from "../api/ProblemTypes.ts"
import type { CodeOf, Endpoints, ProblemBody, RequestBody, ResponseBody } from "./ContractTypes.ts"

/** The tag of a problem code: `TodoNotFound` for `todo-not-found`. It is the tag of the same error in `@todo/core`. */
export type Tag<Code extends string> = Code extends `${infer Word}-${infer Rest}`
  ? `${Capitalize<Word>}${Tag<Rest>}`
  : Capitalize<Code>

const tag = <Code extends string>(code: Code) =>
  code
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("") as Tag<Code>

/**
 * The server answered with a problem (RFC 9457). `code` identifies the problem and its members: `invalid-input` has
 * `errors`, `conflict` has `reason`.
 *
 * @example
 * ```ts
 * if (error.code === "invalid-input") for (const { pointer, message } of error.problem.errors) show(pointer, message)
 * ```
 */
export class ProblemError<Code extends ProblemCode> extends Error {
  readonly _tag: Tag<Code>
  readonly code: Code
  /** The HTTP status. */
  readonly status: number
  /** The id of the request in the server's log. */
  readonly requestId: string | undefined
  /** The problem details of the response. */
  readonly problem: ProblemBody<Code>
  /** The seconds to wait before the next request, if the response has `Retry-After`. */
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
 * The todo or list has changed since it was read (412). The error has the version that the write was based on, the
 * rejected write, and the current version.
 *
 * @example
 * ```ts
 * if (error.code === "revision-mismatch" && error.current) await client.todos.update(error.current, error.mine)
 * ```
 */
export class RevisionMismatchError<Row, Mine> extends ProblemError<"revision-mismatch"> {
  /** The todo or list that the call was given. `undefined` if the call was given an id. */
  readonly base: Row | undefined
  /** The rejected write. `undefined` for a deletion. */
  readonly mine: Mine
  /** The todo or list on the server. `null` if it does not exist, `undefined` if it could not be fetched. */
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

/** There was no response: the connection failed or broke, or the timeout passed. A write may have been applied. */
export class NetworkError extends Error {
  readonly _tag = "NetworkError"
  readonly code = "network-error"
  override readonly name = "NetworkError"

  constructor(cause: unknown) {
    super("The server did not answer", { cause })
  }
}

/** The response does not fit the contract. It may come from a proxy, a captive portal or another server. */
export class UnreadableResponse extends Error {
  readonly _tag = "UnreadableResponse"
  readonly code = "unreadable-answer"
  override readonly name = "UnreadableResponse"
  /** The HTTP status. */
  readonly status: number
  /** The id of the request in the server's log, if the response has one. */
  readonly requestId: string | undefined
  /** The seconds to wait before the next request, if the response has `Retry-After`. */
  readonly retryAfter: number | undefined

  constructor(status: number, requestId?: string, retryAfter?: number) {
    super(`The response does not fit the contract (status ${status}); check the url, and any proxy before the server`)
    this.status = status
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

/** The function that gives the token failed. `cause` has its error. */
export class TokenUnavailable extends Error {
  readonly _tag = "TokenUnavailable"
  readonly code = "token-unavailable"
  override readonly name = "TokenUnavailable"

  constructor(cause: unknown) {
    super("The token could not be obtained; see the cause", { cause })
  }
}

/** The errors of every call that are not problems of the contract. */
export type Failure = NetworkError | UnreadableResponse | TokenUnavailable

type ProblemErrorOf<Code extends ProblemCode, Row, Mine> = Code extends "revision-mismatch"
  ? RevisionMismatchError<Row, Mine>
  : ProblemError<Code>

/** The errors of a call: the problems that the endpoint declares, and `Failure`. */
export type CallError<Endpoint, Row = never, Mine = never> = ProblemErrorOf<CodeOf<Endpoint>, Row, Mine> | Failure

type Written<Group extends "todos" | "lists"> = RevisionMismatchError<
  ResponseBody<Endpoints[Group]["get"]>,
  RequestBody<Endpoints[Group]["put" | "update" | "move"]> | undefined
>

/** All errors of calls, discriminated by `code`. A promise rejects with one of them, or with the reason of its `signal`. */
export type ClientError =
  | ProblemErrorOf<Exclude<ProblemCode, "revision-mismatch">, never, never>
  | Written<"todos">
  | Written<"lists">
  | Failure

/**
 * Whether a thrown value is an error of the client.
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
  error instanceof UnreadableResponse ||
  error instanceof TokenUnavailable
