import type { NewList } from "../domain/TodoList.ts"
import { columnsOf, type FieldsColumns, type FieldWrites } from "../writes/FieldColumns.ts"
import type { ListRequest } from "../writes/WriteRequest.ts"

/** The fields of a list that clients set, with their columns. */
export const listColumns: FieldsColumns<NewList> = {
  name: { columns: ["name"], write: (name) => ({ name }), json: () => ({ name: "t.name" }) }
}

/** Turns fields of a list into columns. An absent field has none. */
export const columnsOfList = columnsOf(listColumns)

/** How the writer stores the fields of a list. */
export const listWrites: FieldWrites<ListRequest> = {
  columnsOf: (request) =>
    "list" in request ? columnsOfList(request.list) : "patch" in request ? columnsOfList(request.patch) : undefined,
  fingerprinted: ["name"]
}
