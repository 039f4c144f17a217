import type { NewList } from "../domain/TodoList.ts"
import { columnsOf, type FieldsColumns } from "../writes/FieldColumns.ts"

/** The fields of a list that clients set, with their columns. */
export const listColumns: FieldsColumns<NewList> = {
  name: { columns: ["name"], write: (name) => ({ name }), json: () => ({ name: "t.name" }) }
}

/** Turns fields of a list into columns. An absent field has none. */
export const columnsOfList = columnsOf(listColumns)
