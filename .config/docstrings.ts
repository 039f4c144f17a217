/**
 * Fails unless everything that the packages export says what it is: entry points, exports, and the
 * members of services, interfaces and classes. Reads what `tsc -b` made.
 */
import { readPublicApi } from "./publicApi.ts"

const missing = readPublicApi().flatMap(({ docs, exports, specifier }) => [
  ...(docs === "" ? [specifier] : []),
  ...exports
    .flatMap(({ docs, name, undocumented }) => [...(docs === "" ? [name] : []), ...undocumented])
    .map((name) => `${specifier}: ${name}`)
])

if (missing.length > 0) {
  console.error(`These have no docstring:\n  ${missing.join("\n  ")}`)
  process.exitCode = 1
}
