import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { etag } from "../api/Etag.ts"

interface Row {
  readonly id: string
  readonly revision: number
}

/** A row as it came from the database, which needs no second look, with its entity tag. */
export const tagged = (row: Row) => HttpServerResponse.jsonUnsafe(row, { headers: { etag: etag(row.revision) } })

/** A new row, and where it is: below `path`. */
export const created = (path: string) => (row: Row) =>
  HttpServerResponse.jsonUnsafe(row, {
    status: 201,
    headers: { etag: etag(row.revision), location: `${path}/${row.id}` }
  })
