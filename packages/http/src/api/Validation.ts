import type { InvalidInput } from "@todo/core/domain"
import type * as Schema from "effect/Schema"
import { HttpApiMiddleware } from "effect/http-api"
import { InvalidInputProblem, MalformedRequestProblem } from "./Problem.ts"

/**
 * Naming the type here lets the compiler emit its import from `@todo/core/domain`. Otherwise it emits all of `@todo/core`,
 * which browsers cannot load.
 */
const invalidInput = InvalidInputProblem satisfies Schema.Schema<InvalidInput>

/** The middleware that answers a request that breaks the contract: 400 if it cannot be parsed, 422 if it is invalid. */
export class Validation extends HttpApiMiddleware.Service<Validation>()("@todo/http/Validation", {
  error: [MalformedRequestProblem, invalidInput]
}) {}
