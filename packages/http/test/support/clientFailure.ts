import { isClientError } from "@todo/http/client/promise"

/** Test kit: the error that a call of the client rejects with. */
export const clientFailure = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error
  )
  if (!isClientError(error)) throw new Error("not an error of the client", { cause: error })
  return error
}
