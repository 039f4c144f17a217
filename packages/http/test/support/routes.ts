import { Api } from "@todo/http/api"
import { HttpApi } from "effect/http-api"

/** Test kit: every route of the contract, such as `{ method: "GET", path: "/v1/todos/:id" }`. */
export const routes: ReadonlyArray<{ readonly method: string; readonly path: string }> = (() => {
  const found: Array<{ method: string; path: string }> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { method, path } }) => found.push({ method, path })
  })
  return found
})()
