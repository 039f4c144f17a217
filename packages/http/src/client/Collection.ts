/**
 * What can be done with todos, and likewise with lists.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ProblemCode } from "../api/Problem.ts"
import { type CallError, ProblemError, RevisionMismatchError } from "./ClientError.ts"
import type { Endpoints, Query, RequestBody, ResponseBody, Routes } from "./ContractTypes.ts"
import type { Expectation, Expected, Transport, TransportError } from "./Transport.ts"

/** Last writer wins: the write goes through whatever is there by now, and is not repeated where its outcome is unknown. */
export interface Overwrite {
  /** Said aloud, for what others wrote in between is lost. */
  readonly overwrite: true
}

/** The write goes through only if the row is at this revision, or at one of these, or, with `"*"`, if there is one. */
export interface IfRevision {
  /** The `revision` of the row as it was read, or a list of revisions, or `"*"`. */
  readonly ifRevision: Expected
}

/** The write goes through only if nothing is there yet. */
export interface IfAbsent {
  /** `revision-mismatch` where there is a row. */
  readonly ifAbsent: true
}

/** Where a call is one of a write that happens once, however often it is sent. */
export interface Keyed {
  /** Names the write, 1 to 255 visible ASCII characters; one of its own for each call where nothing is said. */
  readonly idempotencyKey?: string
}

/** The endpoints of todos, or of lists. */
type Group = Endpoints["todos" | "lists"]

type Row<G extends Group> = ResponseBody<G["get"]>

/** How a write of a row can fail. */
type WriteError<G extends Group, Name extends keyof G, Mine> = CallError<G[Name], Row<G>, Mine>

/**
 * The calls for todos, and likewise for lists. A row that was read is changed with itself
 * as the first argument: the write goes through only if it is still as it was, and fails
 * with both versions otherwise (`revision-mismatch`). With its id in the first place, the
 * last argument says what is expected, and be it `{ overwrite: true }`.
 */
export interface Collection<G extends Group, Options, Deletion = {}> {
  /**
   * One page; `nextCursor` in the next query's `cursor` gives the next one.
   *
   * @example
   * ```ts
   * const { items, nextCursor } = await client.todos.list({ completed: false, limit: 20 })
   * ```
   */
  readonly list: (
    query?: Query<G["list"]>,
    options?: Options
  ) => Effect.Effect<ResponseBody<G["list"]>, CallError<G["list"]>>
  /**
   * All there are, asked for page by page as they are read.
   *
   * @example
   * ```ts
   * for await (const todo of client.todos.all({ tag: ["home"] })) console.log(todo.title)
   * ```
   */
  readonly all: (query?: Query<G["list"]>, options?: Options) => Stream.Stream<Row<G>, CallError<G["list"]>>
  /**
   * Adds one: once, however often the network makes it be sent.
   *
   * @example
   * ```ts
   * const todo = await client.todos.create({ title: "Buy milk", due: { date: "2026-12-01" } })
   * ```
   */
  readonly create: (
    row: RequestBody<G["create"]>,
    options?: Keyed & Options
  ) => Effect.Effect<Row<G>, CallError<G["create"]>>
  /** One by its id. What the client has of it already is not sent again if it has not changed. */
  readonly get: (id: string, options?: Options) => Effect.Effect<Row<G>, CallError<G["get"]>>
  /**
   * Replaces all fields of a row that was read, or of an id: of one that the caller makes up, with `ifAbsent`.
   *
   * @example
   * ```ts
   * const todo = await client.todos.put(crypto.randomUUID(), { title: "Made offline" }, { ifAbsent: true })
   * ```
   */
  readonly put: (
    ...call:
      | [row: Row<G>, replacement: RequestBody<G["put"]>, options?: Partial<Overwrite> & Options]
      | [id: string, replacement: RequestBody<G["put"]>, options: (IfAbsent | IfRevision | Overwrite) & Options]
  ) => Effect.Effect<Row<G>, WriteError<G, "put", RequestBody<G["put"]>>>
  /**
   * Changes the fields that are given; `null` clears.
   *
   * @example
   * ```ts
   * const done = await client.todos.update(todo, { completed: true })
   * await client.todos.update(todo.id, { title: "Buy oat milk" }, { overwrite: true })
   * ```
   */
  readonly update: (
    ...call:
      | [row: Row<G>, patch: RequestBody<G["update"]>, options?: Partial<Overwrite> & Options]
      | [id: string, patch: RequestBody<G["update"]>, options: (IfRevision | Overwrite) & Options]
  ) => Effect.Effect<Row<G>, WriteError<G, "update", RequestBody<G["update"]>>>
  /** Into the trash. */
  readonly delete: (
    ...call:
      | [row: Row<G>, options?: Partial<Overwrite> & Deletion & Options]
      | [id: string, options: (IfRevision | Overwrite) & Deletion & Options]
  ) => Effect.Effect<void, WriteError<G, "delete", undefined>>
  /** Out of the trash. */
  readonly restore: (
    id: string,
    options?: Partial<IfRevision> & Keyed & Options
  ) => Effect.Effect<Row<G>, WriteError<G, "restore", undefined>>
  /** Right before or right behind another one; changes nothing but its position. */
  readonly move: (
    id: string,
    where: RequestBody<G["move"]>,
    options?: Partial<IfRevision> & Keyed & Options
  ) => Effect.Effect<Row<G>, WriteError<G, "move", RequestBody<G["move"]>>>
}

interface AnyRow {
  readonly id: string
  readonly revision: number
}

interface WriteOptions {
  readonly overwrite?: true
  readonly ifRevision?: Expected
  readonly ifAbsent?: true
  readonly idempotencyKey?: string
}

/** What is expected of a row: that it is as it was read, unless something else is said. */
const expectationOf = (target: AnyRow | string, { ifAbsent, ifRevision, overwrite }: WriteOptions): Expectation => {
  if (overwrite) return {}
  return typeof target === "string" ? { ifAbsent, ifRevision } : { ifRevision: target.revision }
}

const idOf = (target: AnyRow | string): string => (typeof target === "string" ? target : target.id)

/** Whether JSON says the same, whatever the order of its members. */
const same = (one: unknown, other: unknown): boolean => {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].every((key) => same(Reflect.get(one, key), Reflect.get(other, key)))
}

const isNotFound = ({ status }: ProblemError<ProblemCode>): boolean => status === 404

const isMismatch = (error: TransportError): error is ProblemError<"revision-mismatch"> =>
  error instanceof ProblemError && error.code === "revision-mismatch"

/** What is there now: `null` where there is nothing, `undefined` where that cannot be found out. */
export const current = <A, E extends TransportError>(got: Effect.Effect<A, E>): Effect.Effect<A | null | undefined> =>
  Effect.match(got, {
    onSuccess: (row) => row,
    onFailure: (error) => (error instanceof ProblemError && isNotFound(error) ? null : undefined)
  })

/** The calls as they are when nobody asks for the types of the contract. */
export const make = <G extends Group, Deletion>(
  { send }: Transport,
  routes: Routes["todos" | "lists"],
  /** What a field is that a `put` leaves out. */
  defaults: object
): Collection<G, {}, Deletion> => {
  const list = (query: object = {}) => send({ route: routes.list, query })
  const get = (id: string) => send({ route: routes.get, id })

  /** Fails with both versions where somebody else was first. */
  const withVersions = <A>(
    written: Effect.Effect<A, TransportError>,
    target: AnyRow | string,
    mine: unknown
  ): Effect.Effect<A, TransportError> =>
    Effect.catch(written, (error) =>
      isMismatch(error)
        ? Effect.flatMap(current(get(idOf(target))), (current) =>
            Effect.fail(
              new RevisionMismatchError(error, { base: typeof target === "string" ? undefined : target, mine, current })
            )
          )
        : Effect.fail(error)
    )

  /** A write that came too late because of itself has happened: the row is as it was to become. */
  const settle = (id: string, wanted: object) => (refusal: ProblemError<ProblemCode>) =>
    isMismatch(refusal)
      ? Effect.map(current(get(id)), (row) =>
          typeof row === "object" && row !== null && same({ ...row, ...wanted }, row)
            ? Result.succeed(row as unknown)
            : Result.fail(undefined)
        )
      : Effect.succeed(Result.fail(undefined))

  const put = (target: AnyRow | string, body: object, options: WriteOptions = {}) =>
    withVersions(
      send({
        route: routes.put,
        id: idOf(target),
        body,
        ...expectationOf(target, options),
        settle: settle(idOf(target), { ...defaults, ...body })
      }),
      target,
      body
    )

  const update = (target: AnyRow | string, body: object, options: WriteOptions = {}) =>
    withVersions(
      send({
        route: routes.update,
        id: idOf(target),
        body,
        ...expectationOf(target, options),
        settle: settle(idOf(target), body)
      }),
      target,
      body
    )

  const remove = (target: AnyRow | string, options: WriteOptions & { readonly todos?: string } = {}) =>
    withVersions(
      send({
        route: routes.delete,
        id: idOf(target),
        query: { todos: options.todos },
        ...expectationOf(target, options),
        settle: (refusal) => Effect.succeed(isNotFound(refusal) ? Result.succeed(undefined) : Result.fail(undefined))
      }),
      target,
      undefined
    )

  const restore = (id: string, { idempotencyKey, ifRevision }: WriteOptions = {}) =>
    withVersions(send({ route: routes.restore, id, idempotencyKey, ifRevision }), id, undefined)

  const move = (id: string, body: object, { idempotencyKey, ifRevision }: WriteOptions = {}) =>
    withVersions(send({ route: routes.move, id, body, idempotencyKey, ifRevision }), id, body)

  const create = (body: object, { idempotencyKey }: WriteOptions = {}) =>
    send({ route: routes.create, body, idempotencyKey })

  const all = (query: object = {}) =>
    Stream.paginate(query, (query) =>
      Effect.map(list(query), (page) => {
        const { items, nextCursor } = page as ResponseBody<Endpoints["todos"]["list"]>
        return [items, nextCursor === null ? Option.none() : Option.some({ ...query, cursor: nextCursor })] as const
      })
    )

  return { list, all, create, get, put, update, delete: remove, restore, move } as unknown as Collection<
    G,
    {},
    Deletion
  >
}
