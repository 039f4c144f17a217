import { assert, describe, it, layer } from "@effect/vitest"
import type { Page, Todo } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { protectDashedArguments } from "../../src/flags/DashedArguments.ts"
import { flags } from "../../src/TodoAdmin.ts"
import { admin, assertFailed, json, newUser, atMostThree } from "../support/program.ts"

const cases: ReadonlyArray<readonly [given: ReadonlyArray<string>, read: ReadonlyArray<string>]> = [
  [
    ["todo", "list", "--sort", "-createdAt", "--all"],
    ["todo", "list", "--sort=-createdAt", "--all"]
  ],
  [
    ["todo", "add", "- bullet", "-u", "a"],
    ["todo", "add", "-u", "a", "--", "- bullet"]
  ],
  [
    ["todo", "add", "--help", "-bullet"],
    ["todo", "add", "--help", "--", "-bullet"]
  ],
  [
    ["list", "rename", "ID", "-> x", "--if-revision", "1"],
    ["list", "rename", "ID", "--if-revision", "1", "--", "-> x"]
  ],
  [
    ["user", "import", "-a", "--- b", "c"],
    ["user", "import", "--", "-a", "--- b", "c"]
  ],
  [
    ["todo", "add", "-5 °C", "second", "--tag", "- a", "--tag", "-b"],
    ["todo", "add", "--tag=- a", "--tag=-b", "--", "-5 °C", "second"]
  ],
  [
    ["todo", "add", "- a", "--", "--json", "- b"],
    ["todo", "add", "--", "- a", "--json", "- b"]
  ],
  [
    ["todo", "add", "--", "--json"],
    ["todo", "add", "--", "--json"]
  ],
  [
    ["user", "import", "-", "--merge", "--format=csv"],
    ["user", "import", "-", "--merge", "--format=csv"]
  ],
  [
    ["todo", "list", "--cursor", "-eyJ9", "--limit", "-5"],
    ["todo", "list", "--cursor=-eyJ9", "--limit=-5"]
  ]
]

describe("A value or an argument that begins with a dash", () => {
  for (const [given, read] of cases) {
    it(`a value that begins with a dash is read as text: ${given.join(" ")}`, () =>
      assert.deepStrictEqual(protectDashedArguments(given, flags), read))
  }
})

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin", () => {
    it.effect("every flag and argument accepts text that begins with a dash", () =>
      Effect.gen(function* () {
        const user = newUser()
        const added = yield* json<Todo>(
          "todo",
          "add",
          "- bullet",
          "--user",
          user,
          "--description",
          "- more",
          "--tag",
          "-a",
          "--tag",
          "- b"
        )
        assert.deepInclude(added, { title: "- bullet", description: "- more", tags: ["-a", "- b"] })
        const edited = yield* json<Todo>("todo", "edit", added.id, "-u", user, "--title", "-> there")
        assert.strictEqual(edited.title, "-> there")
        assert.strictEqual((yield* admin("todo", "add", "--user", user, "--quiet", "--", "--json")).code, 0)
        const list = yield* json<{ id: string }>("list", "add", "--quiet", "-list", "--user", user)
        assert.deepInclude(yield* json<object>("list", "rename", list.id, "- name", "--user", user), { name: "- name" })
        const [newest, lists, users, found] = yield* atMostThree(
          json<Page<Todo>>("todo", "list", "--user", user, "--sort", "-createdAt"),
          json<object>("list", "list", "--user", user, "--sort", "-createdAt"),
          json<object>("user", "list", "--sort", "-size"),
          json<Page<Todo>>("todo", "list", "--user", user, "--search", "-> there")
        )
        assert.deepStrictEqual(
          newest.items.map(({ title }) => title),
          ["--json", "-> there"]
        )
        assert.containsAllKeys(lists, ["items"])
        assert.containsAllKeys(users, ["items"])
        assert.deepStrictEqual(
          found.items.map(({ title }) => title),
          ["-> there"]
        )
      })
    )

    it.effect("the error says how to write text that looks like a flag", () =>
      Effect.gen(function* () {
        const [argument, value, typo] = yield* atMostThree(
          admin("todo", "add", "--user", "a", "--bullet"),
          admin("todo", "add", "--user", "a", "x", "--description", "--more"),
          admin("doctor", "--fix")
        )
        assertFailed(argument, 2, /--bullet.*; write text that begins with a dash after --; see/)
        assertFailed(value, 2, /--description.*; for a value that begins with a dash, write --description=VALUE; see/)
        assert.notMatch(typo.stderr, /behind/)
      })
    )
  })
})
