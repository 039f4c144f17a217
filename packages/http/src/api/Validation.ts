import { HttpApiMiddleware } from "effect/http-api"
import { InvalidInputProblem, MalformedRequestProblem } from "./Problem.ts"

/** What a request that does not fit the contract is answered: 400 where it cannot be read, else 422. */
export class Validation extends HttpApiMiddleware.Service<Validation>()("@todo/http/Validation", {
  error: [MalformedRequestProblem, InvalidInputProblem]
}) {}
