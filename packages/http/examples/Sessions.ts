/**
 * Stands for the sign-in that the host has already.
 */
import { randomUUID } from "node:crypto"

const users = new Map<string, string>()

/** Opens a session and gives its cookie. */
export const signIn = (user: string): string => {
  const session = randomUUID()
  users.set(session, user)
  return `session=${session}; Path=/; HttpOnly; SameSite=Lax`
}

/** Whose session the cookies of a request name. */
export const userOf = (cookies: string | null | undefined): string | undefined =>
  users.get(/(?:^|; )session=([\w-]+)/.exec(cookies ?? "")?.[1] ?? "")
