import type * as Effect from "effect/Effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { randomBytes } from "./randomBytes.ts"

/** The id of a new row: a UUID of version 7, greater than all earlier ids of this process. */
export const newId: Effect.Effect<string> = SecureRandom.make(randomBytes).uuidV7()
