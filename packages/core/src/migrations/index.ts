import { todos } from "./0001/index.ts"
import { operators } from "./0002.ts"
import { erasures } from "./0003.ts"
import { lighterWrites } from "./0004.ts"
import { keysForADay } from "./0005.ts"

/** One step of the schema. `up` gives its statements for a schema name that is quoted already. */
export interface Migration {
  readonly id: number
  readonly name: string
  readonly up: (schema: string) => ReadonlyArray<string>
}

/** All of them, in order; ids are 1, 2, 3 and so on. */
export const migrations: ReadonlyArray<Migration> = [
  { id: 1, name: "todos", up: todos },
  { id: 2, name: "operators", up: operators },
  { id: 3, name: "erasures", up: erasures },
  { id: 4, name: "lighter writes", up: lighterWrites },
  { id: 5, name: "keys for a day", up: keysForADay }
]
