import { Api } from "@todo/http/api"
import { HttpApi } from "effect/http-api"

/** Every route of the contract, `{ method: "GET", path: "/v1/todos/:id" }`: tests that walk them miss none. */
export const routes: ReadonlyArray<{ readonly method: string; readonly path: string }> = (() => {
  const found: Array<{ method: string; path: string }> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { method, path } }) => found.push({ method, path })
  })
  return found
})()
