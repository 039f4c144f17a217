import { randomBytes } from "node:crypto"
import { SignJWT } from "jose"

export const secret = randomBytes(32).toString("base64url")
export const claims = { iss: "bench", aud: "bench" }

/** A token that is valid during the run. */
export const sign = (sub: string): Promise<string> =>
  new SignJWT({ ...claims, sub })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setExpirationTime("4h")
    .sign(new TextEncoder().encode(secret))
