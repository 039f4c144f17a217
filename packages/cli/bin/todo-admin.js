#!/usr/bin/env node
/**
 * Starts the command line. Every version of Node can run this file, so a version that is too old gets a clear message.
 *
 * The compile cache of Node halves the start of a checkout (measure with `todo-admin --help` and with
 * NODE_DISABLE_COMPILE_CACHE=1). It works only for modules that are loaded after it is enabled. Its folder is in the home
 * of the user: Node's default is in /tmp, where another user could put code before we create it.
 */
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

// Before the program loads, because parts of Node read these variables when they load. The order of precedence is NO_COLOR
// (no-color.org), FORCE_COLOR (force-color.org), TERM. effect reads FORCE_COLOR=0 as "not forced" and lets TERM=dumb win
// over FORCE_COLOR. Node prints a warning if NO_COLOR and FORCE_COLOR are both set.
const { FORCE_COLOR: forced } = process.env
if (forced !== undefined && /^(0|false)$/i.test(forced)) process.env["NO_COLOR"] = "1"
if (process.env["NO_COLOR"]) delete process.env["FORCE_COLOR"]
else if (forced && process.env["TERM"] === "dumb") delete process.env["TERM"]

/** `homedir` throws for a user without a home. Node would try forever to create a folder in a home that does not exist. */
const home = () => {
  try {
    const folder = homedir()
    return existsSync(folder) ? folder : undefined
  } catch {
    return undefined
  }
}

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `todo-admin needs Node 22.19 or newer, and this is Node ${process.versions.node}: ` +
      "install a newer one, or use `npm run -s todo-admin --` in a checkout, which brings its own"
  )
  process.exitCode = 1
} else {
  const { enableCompileCache } = await import("node:module")
  const folder = home()
  if (folder !== undefined) enableCompileCache(join(folder, ".cache", "todo-admin"))
  await import("#main")
}
