#!/usr/bin/env node
/** Starts the command line. Every Node can read this file, so one that is too old says so in one line. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `todo-admin needs Node 22.19 or newer, and this is Node ${process.versions.node}: ` +
      "install a newer one, or use `npm run -s todo-admin --` in a checkout, which brings its own"
  )
  process.exitCode = 1
} else {
  await import("#bin")
}
