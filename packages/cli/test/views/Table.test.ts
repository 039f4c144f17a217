import { assert, describe, it } from "@effect/vitest"
import { displayWidth } from "effect/cli/CliOutput"
import { record, table } from "../../src/views/Table.ts"

const rows = [
  { id: "0123456789", title: "Buy milk", note: "" },
  { id: "9876543210", title: "日本語の長いタイトル 👩‍👩‍👧 and more", note: "" }
]
const columns = [
  { name: "ID", cell: (row: (typeof rows)[number]) => row.id },
  { name: "TITLE", cell: (row: (typeof rows)[number]) => row.title, minWidth: 8 },
  { name: "NOTE", cell: (row: (typeof rows)[number]) => row.note }
]
const draw = (width: number | undefined) => table(columns, rows, { width, colour: false }).split("\n")

describe("A table", () => {
  it("a table is as wide as its content if there is room, and leaves out empty columns", () => {
    assert.deepStrictEqual(draw(undefined), [
      "ID          TITLE",
      "0123456789  Buy milk",
      "9876543210  日本語の長いタイトル 👩‍👩‍👧 and more"
    ])
  })

  it("a table fits the terminal, also with characters that take two cells", () => {
    for (let width = 20; width < 46; width++) {
      const lines = draw(width)
      assert.strictEqual(lines.length, 3)
      for (const line of lines) assert.isAtMost(displayWidth(line), width)
    }
    assert.deepStrictEqual(draw(25)[2], "9876543210  日本語の長い…")
  })

  it("a table is rendered as records if the minimum widths do not fit", () => {
    assert.deepStrictEqual(draw(19).slice(0, 4), ["ID     0123456789", "TITLE  Buy milk", "", "ID     9876543210"])
  })

  it("records have aligned values, even if they have different fields", () => {
    const some = [
      { id: "1", title: "", note: "a word" },
      { id: "2", title: "Buy milk", note: "" }
    ]
    const drawn = table(columns, some, { width: 12, colour: false }).split("\n")
    assert.deepStrictEqual(drawn.slice(0, 4), ["ID     1", "NOTE   a", "       word", ""])
    assert.strictEqual(drawn[4], "ID     2")
  })

  it("records break their values between words, below each other", () => {
    const value = "the words of a longer value, 0123456789abcdefghijklmnop too"
    assert.deepStrictEqual(record([["note", value]], { width: 24, colour: false }).split("\n"), [
      "note  the words of a",
      "      longer value,",
      "      0123456789abcdefghijklmnop",
      "      too"
    ])
    assert.strictEqual(record([["note", value]], { width: undefined, colour: false }), `note  ${value}`)
  })
})
