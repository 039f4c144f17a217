import type { BenchDatabase } from "./postgres.ts"
import type { User } from "./scenarios.ts"
import { sign } from "./tokens.ts"

/** The number of users in the load. It equals the most connections, because some scenarios give each user one connection. */
export const usersOfLoad = 100

/** `count` users, spread over the table, each with a token. */
export const choose = async ({ client }: BenchDatabase, count: number): Promise<ReadonlyArray<User>> => {
  const { rows } = await client.query<{ id: string; todos: Array<string> }>(
    `select u.id, array(select t.id::text from todo.todos t where owner_id = u.id order by position) as todos
    from (select id, row_number() over (order by id) - 1 as n, count(*) over () as total from todo.users) u
    where n * $1 / total <> (n - 1) * $1 / total or n = 0 order by u.id`,
    [count]
  )
  return Promise.all(rows.map(async ({ id, todos }) => ({ id, todos, token: await sign(id) })))
}
