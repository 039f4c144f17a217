/**
 * The calls that todos and lists share.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ProblemCode } from "../api/ProblemTypes.ts"
import { type CallError, ProblemError, RevisionMismatchError } from "./ClientError.ts"
import type { Endpoints, Query, RequestBody, ResponseBody, Routes } from "./ContractTypes.ts"
import type { Expectation, Expected, Transport, TransportError } from "./Transport.ts"

/** Writes without a precondition: the last write wins. The write is not repeated if its outcome is unknown. */
export interface Overwrite {
  /** Must be given explicitly, because changes that others made in the meantime are lost. */
  readonly overwrite: true
}

/** Writes only if the todo or list is at one of these revisions. Otherwise the call fails with `revision-mismatch`. */
export interface IfRevision {
  /** The `revision` of the todo or list, a list of revisions, or `"*"` for any existing todo or list. */
  readonly ifRevision: Expected
}

/** Writes only if there is no todo or list with the id. Otherwise the call fails with `revision-mismatch`. */
export interface IfAbsent {
  /** Always `true`. */
  readonly ifAbsent: true
}

/** The idempotency key of a write, which is applied once however often it is sent. */
export interface Keyed {
  /** The key, 1 to 255 visible ASCII characters. By default each call makes a random key. */
  readonly idempotencyKey?: string
}

/** The endpoints of todos, or of lists. */
type Group = Endpoints["todos" | "lists"]

type Row<G extends Group> = ResponseBody<G["get"]>

/** The errors of a write. */
type WriteError<G extends Group, Name extends keyof G, Mine> = CallError<G[Name], Row<G>, Mine>

/**
 * The calls for todos or lists.
 *
 * A write takes a todo, a list or an id. With a todo or list that was read, it is applied only if the todo or list has
 * not changed since. Otherwise it fails with `revision-mismatch`, which has both versions. With an id, the options must
 * state the precondition:
 * `ifRevision`, `ifAbsent` or `overwrite: true`.
 */
export interface Collection<G extends Group, Options, Deletion = {}> {
  /**
   * Reads one page. Pass its `nextCursor` as `cursor` for the next page; it is `null` on the last page.
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
   * Reads all pages, each when it is needed.
   *
   * @example
   * ```ts
   * for await (const todo of client.todos.all({ tag: ["home"] })) console.log(todo.title)
   * ```
   */
  readonly all: (query?: Query<G["list"]>, options?: Options) => Stream.Stream<Row<G>, CallError<G["list"]>>
  /**
   * Creates a todo or list. A repeated request creates it once.
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
  /** Reads a todo or list by its id. If it has not changed, it comes from the cache of the client (`If-None-Match`). */
  readonly get: (id: string, options?: Options) => Effect.Effect<Row<G>, CallError<G["get"]>>
  /**
   * Replaces all fields of a todo or list. Fields that are left out get their defaults. With an id of your own and
   * `ifAbsent` it creates a todo or list.
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
   * Changes the given fields. `null` clears a field.
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
  /** Puts a todo or list into the trash. */
  readonly delete: (
    ...call:
      | [row: Row<G>, options?: Partial<Overwrite> & Deletion & Options]
      | [id: string, options: (IfRevision | Overwrite) & Deletion & Options]
  ) => Effect.Effect<void, WriteError<G, "delete", undefined>>
  /** Takes a todo or list out of the trash. */
  readonly restore: (
    id: string,
    options?: Partial<IfRevision> & Keyed & Options
  ) => Effect.Effect<Row<G>, WriteError<G, "restore", undefined>>
  /** Moves a todo or list right before or right behind another one. Only its `position` changes. */
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

/** The precondition of a write: by default, that a todo or list which was read has not changed. */
const expectationOf = (target: AnyRow | string, { ifAbsent, ifRevision, overwrite }: WriteOptions): Expectation => {
  if (overwrite) return {}
  return typeof target === "string" ? { ifAbsent, ifRevision } : { ifRevision: target.revision }
}

const idOf = (target: AnyRow | string): string => (typeof target === "string" ? target : target.id)

/** Whether two JSON values are equal. The order of members does not matter. */
const same = (one: unknown, other: unknown): boolean => {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].every((key) => same(Reflect.get(one, key), Reflect.get(other, key)))
}

const isNotFound = ({ status }: ProblemError<ProblemCode>): boolean => status === 404

const isMismatch = (error: TransportError): error is ProblemError<"revision-mismatch"> =>
  error instanceof ProblemError && error.code === "revision-mismatch"

/** The current todo or list: `null` if there is none, `undefined` if it cannot be fetched. */
export const current = <A, E extends TransportError>(got: Effect.Effect<A, E>): Effect.Effect<A | null | undefined> =>
  Effect.match(got, {
    onSuccess: (row) => row,
    onFailure: (error) => (error instanceof ProblemError && isNotFound(error) ? null : undefined)
  })

/** Makes the calls. They are implemented without the types of the contract, and cast at the end. */
export const make = <G extends Group, Deletion>(
  { send }: Transport,
  routes: Routes["todos" | "lists"],
  /** The value of each field that a `put` leaves out. */
  defaults: object
): Collection<G, {}, Deletion> => {
  const list = (query: object = {}) => send({ route: routes.list, query })
  const get = (id: string) => send({ route: routes.get, id })

  /** Turns `revision-mismatch` into a `RevisionMismatchError` with both versions. */
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

  /**
   * Resolves a mismatch of a repeated write. If the todo or list already has the written values, an earlier attempt was
   * applied, and the call succeeds.
   */
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
