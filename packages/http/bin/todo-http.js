#!/usr/bin/env node
/**
 * Starts the server. Every Node can read this file, so one that is too old says so in one line. Process 1 of a container
 * gets only the signals that it has asked for: this file asks for them before the server is loaded.
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
