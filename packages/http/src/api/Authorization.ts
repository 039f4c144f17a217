import type { CurrentUser } from "@todo/core/domain"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { RateLimitedProblem, UnauthorizedProblem, UnavailableProblem, UserDisabledProblem } from "./Problem.ts"

/** The middleware that authenticates a request. It provides the `CurrentUser`: the subject of the bearer token (RFC 6750). */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "@todo/http/Authorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer.pipe(HttpApiSecurity.annotate(OpenApi.Format, "JWT")) },
    error: [UnauthorizedProblem, UserDisabledProblem, RateLimitedProblem, UnavailableProblem]
  }
) {}
