import type { NewList } from "../domain/TodoList.ts"
import { columnsOf, type FieldsColumns } from "../writes/FieldColumns.ts"

/** The fields of a list that clients set, and how each is stored. */
export const listColumns: FieldsColumns<NewList> = {
  name: { columns: ["name"], write: (name) => ({ name }), json: () => ({ name: "t.name" }) }
}

/** The columns of a list's fields. An absent field has none. */
export const columnsOfList = columnsOf(listColumns)
