import { assert, layer } from "@effect/vitest"
import { Lists, type Todo, type TodoQuery, Todos } from "@todo/core"
import { Effect } from "effect"
import type { Random } from "../../../../.config/random.ts"
import { asNewUser, ids, live, seeded, services, tagOf, walkTodos } from "../support/suite.ts"

/** Scripts without spaces between words. */
const unspaced = /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]$/u

/** The words of a text by the documentation, computed differently from the service. */
const wordsOf = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let run = ""
  let last = " "
  const end = () => {
    if (run !== "") found.push(run)
    run = ""
  }
  const visible = text.replace(/[\p{Cc}\u200b]/gu, " ").replace(/\p{Default_Ignorable_Code_Point}/gu, "")
  for (const character of visible.toLowerCase().normalize("NFKC")) {
    if (/^\p{M}$/u.test(character) && !unspaced.test(character)) {
      // A combining mark belongs to the character before it.
      if (run !== "") run += character
      else if (found.length > 0 && last !== " ") found.push(`${found.pop()}${character}`)
      else found.push(character)
    } else if (/^[\p{L}\p{N}]$/u.test(character) && !unspaced.test(character)) {
      run += character
    } else {
      end()
      if (character.trim() !== "") found.push(character)
    }
    last = character.trim() === "" ? " " : character
  }
  end()
  return found.map((word) => [...word].slice(0, 64).join(""))
}

/** Whether the todo has all words of `q`. The last one may be the beginning of a word. */
const meets = (q: string, { description, title }: Pick<Todo, "title" | "description">): boolean => {
  const has = [...wordsOf(title), ...wordsOf(description ?? "")]
  const asked = wordsOf(q)
  const last = asked.length - 1
  return asked.every((word, n) => has.some((own) => (n === last ? own.startsWith(word) : own === word)))
}

const special = [
  "%",
  "_",
  "\\",
  "'",
  '"',
  "&",
  "|",
  "!",
  "(",
  ")",
  ":",
  "*",
  "<",
  ">",
  "-",
  "+",
  "~",
  "@",
  "$",
  "\t",
  "\n"
]
const others = [
  "🦉",
  "👩‍👩‍👧",
  "❤️",
  "中",
  "文",
  "買",
  "ラ",
  "ー",
  "メ",
  "สวัสดี",
  "e\u0301",
  "\u0301",
  "\u200f",
  "co\u00adop",
  "☎️",
  "é",
  "É",
  "ñ",
  "Ä",
  "ﬁ",
  "Ⅷ",
  "٣",
  "न्",
  "한",
  "ё"
]
const plain = [
  "a",
  "B",
  "ab",
  "Ab",
  "milk",
  "MILK",
  "mil",
  "0",
  "50",
  "x".repeat(70),
  `${"x".repeat(70)}y`,
  "null",
  "OR",
  "not"
]

const anyText = (random: Random, parts: number): string => {
  const text = Array.from({ length: 1 + random.int(parts) }, () =>
    random.pick(random.pick([special, others, plain, plain])).concat(random.chance(0.45) ? " " : "")
  ).join("")
  return wordsOf(text).length === 0 ? "a" : text
}

const find = (query: TodoQuery) => Effect.map(walkTodos({ limit: 200, ...query }), (found) => ids(found).toSorted())

layer(services, live)("search", (it) => {
  it.effect("search finds the same todos as a filter in memory, for 500 strings with special characters", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        for (let n = 0; n < 150; n++) {
          yield* todos.create({
            title: anyText(random, 6),
            description: random.chance(0.3) ? null : anyText(random, 12),
            tags: random.some(["x", "y"]),
            completed: random.chance(0.3)
          })
        }
        const all = yield* walkTodos({ limit: 200 })
        let hits = 0
        yield* Effect.forEach(
          Array.from({ length: 500 }),
          Effect.fnUntraced(function* () {
            const { description, title } = random.pick(all)
            const source = [...(random.chance(0.5) ? title : (description ?? title))]
            // Half of the searches are a part of an existing text, cut at any place.
            const from = random.int(source.length)
            const piece = source.slice(from, from + 1 + random.int(8)).join("")
            const asked = random.chance(0.5) && wordsOf(piece).length > 0 ? piece : anyText(random, 3)
            const q = [...asked].slice(0, 200).join("")
            const expected = all.filter((todo) => meets(q, todo))
            assert.deepStrictEqual(yield* find({ q }), ids(expected).toSorted(), JSON.stringify(q))
            hits += expected.length
            const done = expected.filter(({ completed, tags }) => completed && tags.includes("x"))
            assert.deepStrictEqual(yield* find({ q, completed: true, tag: ["x"] }), ids(done).toSorted())
          }),
          { concurrency: 4, discard: true }
        )
        // With few hits the test would prove nothing.
        assert.isAbove(hits, 500)
      })
    ).pipe(asNewUser)
  )

  it.effect("search finds the current texts after edits, a delete and a restore", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "Buy milk", description: "two bottles of milk" })
      const finds = Effect.fnUntraced(function* (expected: Record<string, boolean>) {
        for (const [q, is] of Object.entries(expected)) {
          assert.deepStrictEqual(yield* find({ q }), is ? [id] : [], q)
          const { total } = yield* todos.list({ q, count: true })
          assert.strictEqual(total, is ? 1 : 0, q)
        }
      })
      yield* finds({ milk: true, "buy bott": true, "BUY MI": true, "bot two": false, utter: false })
      yield* todos.update(id, { title: "Buy butter" })
      yield* finds({ milk: true, butter: true, "buy milk": true })
      yield* todos.update(id, { description: null })
      yield* finds({ milk: false, bottles: false, butter: true })
      yield* todos.put(id, { title: "Sell", description: "butter" })
      yield* finds({ buy: false, butter: true, sell: true })
      yield* todos.batch([{ op: "update", id, patch: { description: "", title: "Sell 50%_off" } }])
      yield* finds({ butter: false, "50%": true, "50%_o": true, "50": true, "%50": true, "5": true, "5 %": false })
      yield* todos.delete(id)
      yield* finds({ sell: false })
      assert.deepStrictEqual(yield* find({ q: "sell", deleted: true }), [id])
      yield* todos.restore(id)
      yield* finds({ sell: true })
      assert.deepStrictEqual(yield* find({ q: "sell", deleted: true }), [])
    }).pipe(asNewUser)
  )

  it.effect("search works with every other condition and order", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      const { id: listId } = yield* lists.create({ name: "a" })
      const wanted = { title: "find me", tags: ["x"], priority: "high", listId, due: { date: "2020-01-01" } } as const
      const { id } = yield* todos.create(wanted)
      const unlike = [
        { title: "other" },
        { tags: [] },
        { priority: "low" },
        { listId: null },
        { due: null },
        { completed: true }
      ] as const
      for (const change of unlike) yield* todos.create({ ...wanted, ...change })
      const query = {
        q: "find m",
        tag: ["x"],
        priority: "high",
        listId,
        due: "overdue",
        completed: false,
        dueTo: "2020-01-02T00:00:00Z"
      } as const
      for (const sort of ["position", "-createdAt", "updatedAt", "due", "-due", "priority", "title"] as const) {
        assert.deepStrictEqual(yield* find({ ...query, sort, limit: 1 }), [id], sort)
      }
    }).pipe(asNewUser)
  )

  const alike: ReadonlyArray<readonly [string, string]> = [
    ["Éclair", "e\u0301CLAIR"],
    ["ﬁne", "FINE"],
    ["ＡＢＣ", "abc"],
    ["𝐀bc", "abc"],
    ["㎑", "khz"],
    ["Straße", "STRASSE"],
    ["ΟΔΟΣ", "οδος"],
    ["ΟΔΟΣ", "οδοσ"],
    ["ΟΔΟΣΑ", "ΟΔΟΣ"],
    ["™", "tm"],
    ["☎️Mom", "☎Mom"],
    ["1️⃣Buy", "1 buy"],
    ["co\u00adoperate", "cooperate"],
    ["\u200fשלום\u200e", "שלום"],
    ["\ufeffpaste\u2060d", "pasted"],
    ["a\u034fb", "ab"],
    ["İstanbul", "istanbul"],
    ["ISPARTA", "ısparta"],
    ["don’t", "don't"],
    ["donʼt", "don´t"],
    ["rock ‘n’ roll", "rock 'n' roll"],
    ["“quoted”", '"quoted"'],
    ["non\u2011breaking", "non-breaking"],
    ["a—b", "a–b"],
    ["−5 °C", "-5 °c"],
    ["a\u00a0b", "a b"],
    ["می\u200cخواهم", "میخواهم"],
    ["Auf\u200clage", "Auflage"],
    ["ﷺ", "صلى الله عليه وسلم"],
    ["كـتـاب", "كتاب"],
    ["ﾊﾟﾝ", "パン"]
  ]
  for (const [title, q] of alike) {
    it.effect(`${title} is found by ${q}: case, composition and typography make no difference`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id } = yield* todos.create({ title })
        assert.deepStrictEqual(yield* find({ q }), [id])
        assert.deepStrictEqual(yield* find({ q: title }), [id])
      }).pipe(asNewUser)
    )
  }

  const within: ReadonlyArray<readonly [title: string, q: string]> = [
    ["☎️Mom", "mom"],
    ["☎\ufe0eMom", "mom"],
    ["❤️‍🔥Love", "love"],
    ["👍🏽Done", "done"],
    ["🏴\u{e0067}\u{e0062}\u{e007f}Flag", "flag"],
    ["Mom☎️", "mom"],
    ["1️⃣Buy", "buy"],
    ["#️⃣tag", "tag"],
    ["①Buy", "buy"],
    ["㊗️Party", "party"],
    ["№5", "5"],
    ["Acme™phone", "phone"],
    ["1½cups", "cups"],
    ["☎\u0301Mom", "mom"],
    ["\u202ebidi\u202c", "bid"],
    ["new\u200bline", "line"],
    ["می\u200cخواهم", "خواهم"]
  ]
  for (const [title, q] of within) {
    it.effect(`${title} is found by ${q}: a symbol does not hide the word beside it`, () =>
      Effect.gen(function* () {
        const { id } = yield* (yield* Todos).create({ title })
        assert.deepStrictEqual(yield* find({ q }), [id])
        assert.deepStrictEqual(yield* find({ q: title }), [id])
      }).pipe(asNewUser)
    )
  }

  it.effect("a word that U+200C joins is found by its parts with a space", () =>
    Effect.gen(function* () {
      const { id } = yield* (yield* Todos).create({ title: "نمی\u200cتوانم بخوابم" })
      assert.deepStrictEqual(yield* find({ q: "نمی توانم" }), [id])
    }).pipe(asNewUser)
  )

  const heavy: ReadonlyArray<readonly [name: string, q: string]> = [
    ["200 different characters", Array.from({ length: 200 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join("")],
    ["200 times the same character", "!".repeat(200)],
    ["200 characters that stand for 18 each", "\ufdfa".repeat(200)],
    [
      "66 different words",
      Array.from({ length: 66 }, (_, n) => String.fromCodePoint(0x61 + (n % 26), 0x61 + Math.floor(n / 3))).join(" ")
    ],
    ["operators", `' " \\ % _ & | ! ( ) : * < > <-> ; -- /* */ $$ $1 \u{10ffff} \uffff`]
  ]
  for (const [name, q] of heavy) {
    it.effect(`a search for ${name} finds its todo`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id } = yield* todos.create({ title: "a", description: q })
        yield* todos.create({ title: "b", description: [...q].slice(1).join("") })
        assert.include(yield* find({ q }), id)
        assert.isAtLeast((yield* todos.list({ q, count: true })).total ?? 0, 1)
      }).pipe(asNewUser)
    )
  }

  it.effect("a search text without a visible character, or longer than 200, is refused", () =>
    Effect.gen(function* () {
      for (const q of ["", " ", "\n\t\u3000\u00a0", "\u200f", "\u00ad \ufe0f", "\u200c", "\u0001", "a".repeat(201)]) {
        assert.strictEqual(yield* tagOf(find({ q })), "InvalidInput")
      }
    }).pipe(asNewUser)
  )
})
