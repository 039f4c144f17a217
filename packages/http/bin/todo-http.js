#!/usr/bin/env node
/**
 * Starts the server. Every version of Node can run this file, so a version that is too old gets a clear message. Process 1
 * of a container gets only signals that it handles, so this file adds handlers before the server is loaded.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `todo-http needs Node 22.19 or newer, and this is Node ${process.versions.node}: ` +
      "install a newer one, or run `npm start` in a checkout, which brings its own"
  )
  process.exitCode = 1
} else {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0))
  await import("#main")
}
