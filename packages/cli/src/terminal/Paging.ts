/** Collects and prints the pages of the core, for each `list` command. */
import { type Page, pageLimit } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import { printResult, printInfo } from "./Output.ts"
import type { Screen } from "./Screen.ts"

interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** Reads all pages from the cursor of the query on, and joins them into one page. */
export const collectPages = Effect.fnUntraced(function* <Query extends PageQuery, Item, E, R>(
  list: (query: Query) => Effect.Effect<Page<Item>, E, R>,
  query: Query
) {
  const items: Array<Item> = []
  let page = yield* list({ limit: pageLimit.max, ...query })
  items.push(...page.items)
  while (page.nextCursor !== null) {
    page = yield* list({ limit: pageLimit.max, ...query, cursor: page.nextCursor })
    items.push(...page.items)
  }
  return { ...page, items }
})

/** Prints a page. A message says how to get the next page, or that there are no items. */
export const printPage = Effect.fnUntraced(function* <Item>(
  page: Page<Item>,
  nothing: string,
  render: (items: ReadonlyArray<Item>, screen: Screen) => string
) {
  yield* printResult(page, ({ items, total }, screen) =>
    [
      ...(items.length === 0 ? [] : [render(items, screen)]),
      ...(total === undefined ? [] : [`${total} in total`])
    ].join("\n\n")
  )
  if (page.nextCursor !== null) yield* printInfo(`There are more pages: add --all, or --cursor ${page.nextCursor}`)
  else if (page.items.length === 0) yield* printInfo(nothing)
})
