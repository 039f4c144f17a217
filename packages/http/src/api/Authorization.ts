import type { CurrentUser } from "@todo/core/domain"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { RateLimitedProblem, UnauthorizedProblem, UnavailableProblem, UserDisabledProblem } from "./Problem.ts"

/** Who calls: a bearer token (RFC 6750), whose subject is the `CurrentUser`. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "@todo/http/Authorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer.pipe(HttpApiSecurity.annotate(OpenApi.Format, "JWT")) },
    error: [UnauthorizedProblem, UserDisabledProblem, RateLimitedProblem, UnavailableProblem]
  }
) {}
