/**
 * A stand-in for the existing sign-in of the host.
 */
import { randomUUID } from "node:crypto"

const users = new Map<string, string>()

/** Opens a session and returns its cookie. */
export const signIn = (user: string): string => {
  const session = randomUUID()
  users.set(session, user)
  return `session=${session}; Path=/; HttpOnly; SameSite=Lax`
}

/** The user of the session in the cookies of a request. */
export const userOf = (cookies: string | null | undefined): string | undefined =>
  users.get(/(?:^|; )session=([\w-]+)/.exec(cookies ?? "")?.[1] ?? "")
