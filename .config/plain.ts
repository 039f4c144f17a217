/** Setup of the test project `plain`: switches off what exists for speed only. */
import { optimisations } from "../packages/core/src/database/optimisations.ts"

for (const name of Object.keys(optimisations)) optimisations[name as keyof typeof optimisations] = false
