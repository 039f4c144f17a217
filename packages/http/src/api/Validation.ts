import type { InvalidInput } from "@todo/core/domain"
import type * as Schema from "effect/Schema"
import { HttpApiMiddleware } from "effect/http-api"
import { InvalidInputProblem, MalformedRequestProblem } from "./Problem.ts"

/** Named here, or the declarations of this file would import all of `@todo/core`, which browsers cannot use. */
const invalidInput = InvalidInputProblem satisfies Schema.Schema<InvalidInput>

/** What a request that does not fit the contract is answered: 400 where it cannot be read, else 422. */
export class Validation extends HttpApiMiddleware.Service<Validation>()("@todo/http/Validation", {
  error: [MalformedRequestProblem, invalidInput]
}) {}
