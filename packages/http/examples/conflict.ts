import { createClient, isClientError } from "@todo/http/client/promise"

const url = process.env["TODO_URL"] ?? "http://127.0.0.1:3000"
const client = createClient({ url, token: process.env["TOKEN"] ?? "" })
const todo = await client.todos.create({ title: "Buy milk" })
await client.todos.update(todo, { completed: true })
try {
  await client.todos.update(todo, { title: "Buy oat milk" }) // fails: the update above gave the todo a new revision
} catch (error) {
  if (!isClientError(error) || error.code !== "revision-mismatch") throw error
  console.log(error.base?.revision, error.mine, error.current?.revision) // 1 { title: 'Buy oat milk' } 2
}
await client.todos.update(todo.id, { title: "Buy oat milk" }, { overwrite: true }) // on purpose: the last write wins
for await (const { title } of client.todos.all({ completed: true })) console.log(title)
