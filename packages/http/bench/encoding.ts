/**
 * `node packages/http/bench/encoding.ts` prints the CPU time that the schema of the contract takes to encode a todo.
 * Responses do without it: see `ResourceResponse.ts`.
 */
import { Todo } from "@todo/core"
import * as Schema from "effect/Schema"
import { median } from "./rounds.ts"

const [blocks, todos] = [110, 1_000]

const id = "0194f6a0-0000-7000-8000-000000000000"
const time = "2026-12-01T09:00:00.000Z"
const encode = Schema.encodeUnknownSync(Schema.toCodecJson(Todo))
const todo = {
  id,
  title: "Buy milk",
  description: null,
  completed: false,
  completedAt: null,
  priority: "none",
  due: null,
  tags: ["home", "shop"],
  listId: id,
  position: "a0",
  revision: 1,
  createdAt: time,
  updatedAt: time,
  deletedAt: null
}

/** The CPU time of a todo in microseconds. */
const measure = (): number => {
  const before = process.cpuUsage()
  for (let i = 0; i < todos; i++) encode(todo)
  const { system, user } = process.cpuUsage(before)
  return (user + system) / todos
}

const measured = Array.from({ length: blocks }, measure)
console.log(`a todo: ${median(measured.slice(20)).toFixed(1)} µs of CPU`)
