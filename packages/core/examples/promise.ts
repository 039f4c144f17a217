import { createTodos } from "@todo/core/promise"

const { changes, close, migrate, todos, transaction } = createTodos({ url: process.env["DATABASE_URL"] ?? "" })
await migrate() // or `todo-admin migrate up`, once for each release
const made = await todos.create("alice", { title: "Buy milk" })
if (!made.ok) throw new Error(made.error.message) // made.error._tag says which
await transaction(async (within) => {
  await within.query("create table if not exists orders (customer text)")
  await within.query("insert into orders values ($1)", ["alice"])
  return within.todos.create("alice", { title: "Pack" }) // ok: false, or a rejection, rolls back
})
for await (const { change, cursor } of changes.stream("alice")) {
  console.log(change.revision, cursor) // first the existing changes, then each new one
  if (change.revision >= 2) break
}
await close()
