import { createClient } from "@todo/http/client/promise"
import * as LocalCopy from "./LocalCopy.ts" // where your app keeps its data

const url = process.env["TODO_URL"] ?? "http://127.0.0.1:3000"
const client = createClient({ url, token: process.env["TOKEN"] ?? "" })
const todo = await client.todos.create({ title: "Buy milk", due: { date: "2026-12-01" } })
await client.todos.update(todo, { completed: true }) // refused if somebody changed it meanwhile
for await (const { change, cursor } of client.subscribe({ since: LocalCopy.cursor })) {
  LocalCopy.save(change, cursor) // both in one step
}
