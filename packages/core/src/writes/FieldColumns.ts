/** The columns of one field that clients set. */
interface FieldColumns<Value> {
  /** The columns that hold the value. */
  readonly columns: ReadonlyArray<string>
  /** Columns computed from the value for search, order and filters. Another release may compute them differently. */
  readonly derived?: ReadonlyArray<string>
  /** Turns the value into the columns, derived ones included. */
  readonly write: (value: Value) => Readonly<Record<string, unknown>>
  /** The members of the JSON that clients see: names, and SQL expressions over a row `t`. `schema` is the quoted name. */
  readonly json: (schema: string) => Readonly<Record<string, string>>
}

/** One entry for each field that clients set. `More` is what the entries of one kind of rows have in addition. */
export type FieldsColumns<Fields, More = unknown> = {
  readonly [Name in keyof Fields]-?: FieldColumns<Exclude<Fields[Name], undefined>> & More
}

/** Turns fields into columns. An absent field has none. */
export const columnsOf =
  <Fields extends object>(record: FieldsColumns<Fields>) =>
  (fields: Partial<Fields>): Record<string, unknown> => {
    const columns = {}
    for (const name in record) {
      const value = fields[name]
      if (value !== undefined)
        Object.assign(columns, record[name].write(value as Exclude<Fields[typeof name], undefined>))
    }
    return columns
  }

/** How the writer stores the fields of requests. */
export interface FieldWrites<Request> {
  /** The columns that a request sets, derived ones included. */
  readonly columnsOf: (request: Request) => Readonly<Record<string, unknown>> | undefined
  /**
   * The columns by which an idempotency key recognises a repeated request: all but the derived ones. A stored fingerprint
   * must still match after an upgrade, so their order must not change. A new column goes to the end.
   */
  readonly fingerprinted: ReadonlyArray<string>
}

type ColumnNames = Readonly<Record<string, Pick<FieldColumns<never>, "columns" | "derived">>>

/** The names of the columns that are not derived. */
export const storedColumns = (record: ColumnNames): ReadonlyArray<string> =>
  Object.values(record).flatMap(({ columns }) => columns)

/** The members of the JSON of a row, as arguments of `json_build_object`. */
export const jsonMembers = (
  schema: string,
  record: Readonly<Record<string, Pick<FieldColumns<never>, "json">>>
): string =>
  Object.values(record)
    .flatMap(({ json }) => Object.entries(json(schema)))
    .map(([name, expression]) => `'${name}', ${expression},`)
    .join("\n    ")

/** The names of the derived columns. */
export const derivedColumns = (record: ColumnNames): ReadonlyArray<string> =>
  Object.values(record).flatMap(({ derived = [] }) => derived)
