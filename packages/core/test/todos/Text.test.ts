import { assert, layer } from "@effect/vitest"
import { Lists, type NewTodo, Todos } from "@todo/core"
import { Effect } from "effect"
import { asNewUser, live, newTodoId, seeded, services, tagOf } from "../support/suite.ts"

const isStorable = (codePoint: number) => codePoint !== 0 && (codePoint < 0xd800 || codePoint > 0xdfff)

const text = (codePoints: ReadonlyArray<number>) => codePoints.map((point) => String.fromCodePoint(point)).join("")

/** All storable code points from `from` to below `to`. */
const every = (from: number, to: number) =>
  text(Array.from({ length: to - from }, (_, n) => from + n).filter((point) => isStorable(point)))

layer(services, live)("text", (it) => {
  it.effect("text of every character of the basic plane, and of others, comes back unchanged", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const astral = Array.from({ length: 9_000 }, () => 0x10000 + random.int(0x100000))
        const texts = [
          ...Array.from({ length: 8 }, (_, n) => every(n * 0x2000, (n + 1) * 0x2000)),
          text(astral),
          `\u{10ffff}\ufeff\ufffe\uffff\ufffd`
        ]
        yield* Effect.forEach(
          texts.filter((description) => description !== ""),
          Effect.fnUntraced(function* (description) {
            const created = yield* todos.create({ title: "a", description })
            assert.isTrue(created.description === description)
            assert.isTrue((yield* todos.get(created.id)).description === description)
          }),
          { concurrency: 2, discard: true }
        )
      })
    ).pipe(asNewUser)
  )

  it.effect("random text comes back unchanged as title, tag and name, and can be searched", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const lists = yield* Lists
        const any = () =>
          text(
            Array.from({ length: 1 + random.int(12) }, () =>
              random.int(random.pick([0x80, 0x300, 0x3000, 0xd800, 0x110000]))
            ).filter((point) => isStorable(point))
          )
        const known = [
          "e\u0301",
          "é",
          "Å",
          "Å",
          "\u202eabc",
          "a\r\n\tb",
          "\u0001\u001f\u007f\u0085",
          '"\\/',
          "{}",
          "NULL"
        ]
        const texts = [...known, ...Array.from({ length: 200 }, any)].filter((text) => /\S/u.test(text))
        for (const title of texts) {
          const created = yield* todos.create({ title, tags: [title, `${title}!`] })
          assert.deepStrictEqual([created.title, ...created.tags], [title, title, `${title}!`])
          // A search text without a visible character is refused.
          const q = /[^\s\p{Cc}\p{Me}\p{Default_Ignorable_Code_Point}\u0640]/u.test(title) ? title : "a"
          if (q !== title) yield* todos.update(created.id, { title: `${title}a` })
          const found = yield* todos.list({ tag: [title], q })
          assert.isTrue(
            found.items.some(({ id }) => id === created.id),
            JSON.stringify(title)
          )
          const { id } = yield* lists.create({ name: title })
          assert.strictEqual((yield* lists.get(id)).name, title)
        }
      })
    ).pipe(asNewUser)
  )

  const refused: ReadonlyArray<readonly [name: string, text: string]> = [
    ["U+0000", "a\u0000b"],
    ["an unpaired high surrogate", "a\ud83d"],
    ["an unpaired low surrogate", "\udc00a"],
    ["surrogates in the wrong order", "a\udc00\ud83d"]
  ]
  for (const [name, text] of refused) {
    it.effect(`text with ${name} is refused everywhere`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const lists = yield* Lists
        const inputs: ReadonlyArray<NewTodo> = [
          { title: text },
          { title: "a", description: text },
          { title: "a", tags: [text] }
        ]
        const attempts = inputs.flatMap((todo) => [
          todos.create(todo),
          todos.put(newTodoId(), todo),
          todos.update(newTodoId(), todo),
          todos.batch([{ op: "create", todo }])
        ])
        for (const attempt of [...attempts, lists.create({ name: text })]) {
          assert.strictEqual(yield* tagOf(attempt), "InvalidInput")
        }
        assert.strictEqual(yield* tagOf(todos.list({ q: text })), "InvalidInput")
        assert.strictEqual(yield* tagOf(todos.list({ tag: [text] })), "InvalidInput")
      }).pipe(asNewUser)
    )
  }

  it.effect("the limits of text count code points, in every plane", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const character of ["a", "é", "漢", "🦉"]) {
        const title = character.repeat(500)
        const description = character.repeat(10_000)
        const tags = Array.from({ length: 20 }, (_, n) => `${String.fromCodePoint(0x61 + n)}${character.repeat(49)}`)
        const created = yield* todos.create({ title, description, tags })
        assert.deepStrictEqual([created.title, created.description, created.tags], [title, description, tags])
        const over: ReadonlyArray<NewTodo> = [
          { title: `${title}${character}` },
          { title, description: `${description}${character}` },
          { title, tags: [character.repeat(51)] },
          { title, tags: [...tags, "one more"] }
        ]
        for (const todo of over) assert.strictEqual(yield* tagOf(todos.create(todo)), "InvalidInput")
      }
      for (const todo of [{ title: "" }, { title: "a", tags: [""] }, { title: "a", tags: ["b", "b"] }]) {
        assert.strictEqual(yield* tagOf(todos.create(todo)), "InvalidInput")
      }
      assert.strictEqual((yield* todos.create({ title: "a", description: "" })).description, "")
    }).pipe(asNewUser)
  )

  it.effect("a text of 10,000 different characters is replaced in linear time, repeatedly", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a" })
      // The shortest of several times, because load on the machine only adds to it. The first runs are left out: they are planned.
      const shortest = Effect.fnUntraced(function* (length: number) {
        const [one, other] = [every(0x4e00, 0x4e00 + length), every(0x20000, 0x20000 + length)]
        yield* todos.update(id, { description: one })
        let least = Infinity
        for (let n = 0; n < 12; n++) {
          const description = n % 2 === 0 ? other : one
          const start = performance.now()
          assert.strictEqual((yield* todos.update(id, { description })).description, description)
          if (n > 5) least = Math.min(least, performance.now() - start)
        }
        return least
      })
      // Ten times as long if each word is looked up; a hundred times if every word is compared with every other.
      const [few, many] = [yield* shortest(1_000), yield* shortest(10_000)]
      assert.isBelow(many, 40 * few)
    }).pipe(asNewUser)
  )
})
