/** The API reference of a package: its docstrings, one page of Markdown for each entry point. */
import type { EntryPoint, Exported } from "./publicApi.ts"

/** The pages, by the names of their files. */
export const referencePages = (entries: ReadonlyArray<EntryPoint>): ReadonlyMap<string, string> =>
  new Map(entries.map((entry) => [fileOf(entry), page(entry, homes(entries))]))

/** `@todo/http/client/promise` is on `client-promise.md`, `@todo/http` on `index.md`. */
const fileOf = ({ specifier }: EntryPoint): string => `${specifier.split("/").slice(2).join("-") || "index"}.md`

/** Where each export is described: what several entry points export, at the one with the fewest exports. */
const homes = (entries: ReadonlyArray<EntryPoint>): ReadonlyMap<Exported["symbol"], EntryPoint> =>
  new Map(
    entries
      .toSorted((a, b) => b.exports.length - a.exports.length)
      .flatMap((entry) => entry.exports.map(({ symbol }) => [symbol, entry] as const))
  )

const page = (entry: EntryPoint, homes: ReadonlyMap<Exported["symbol"], EntryPoint>): string => {
  const elsewhere = Map.groupBy(entry.exports, ({ symbol }) => homes.get(symbol) ?? entry)
  const own = elsewhere.get(entry) ?? []
  elsewhere.delete(entry)
  return [
    `# ${entry.specifier}`,
    entry.docs,
    ...entry.examples.map(example),
    ...[...elsewhere].map(([other, exports]) => {
      const names = exports.map(({ name }) => `\`${name}\``).join(", ")
      return `Also exports, from [${other.specifier}](${fileOf(other)}): ${names}.`
    }),
    ...own.flatMap(({ code, docs, examples, name, symbol }) => {
      const same = own.find((exported) => exported.symbol === symbol)
      if (same?.name !== name) return [`## ${name}`, `The same as \`${same?.name}\`.`]
      return [`## ${name}`, docs, ...examples.map(example), ...(code === "" ? [] : [fenced(code)])]
    })
  ]
    .join("\n\n")
    .concat("\n")
}

const example = (text: string): string => (text.includes("```") ? text : fenced(text))

/** With four, for docstrings of members have fences of their own. */
const fenced = (code: string): string => `\`\`\`\`ts\n${code}\n\`\`\`\``
