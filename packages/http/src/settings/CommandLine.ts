import { settings } from "@todo/core/installation"
import pkg from "../../package.json" with { type: "json" }

/** A text to print instead of starting the server: to stdout with exit code 0, to stderr with exit code 2. */
export interface Reply {
  readonly text: string
  readonly exitCode: 0 | 2
}

const help = `Usage: todo-http [--help] [--version]

Serves the todo API over HTTP. Without settings it runs in development mode: it starts its own
PostgreSQL in .todo/ and prints a token. On SIGTERM or SIGINT the server finishes the requests
in flight and ends. A second signal ends it at once.

  -h, --help      Print this help
  -v, --version   Print the version

Settings are environment variables:

${Object.keys(settings)
  .map((name) => `  ${name}\n`)
  .join("")}`

/** The reply to command line arguments; `undefined` without arguments, which starts the server. */
export const reply = (args: ReadonlyArray<string>): Reply | undefined => {
  const unknown = args.find((arg) => !["-h", "--help", "-v", "--version"].includes(arg))
  if (unknown !== undefined) {
    return { text: `todo-http: unknown argument ${JSON.stringify(unknown)}; see "todo-http --help"\n`, exitCode: 2 }
  }
  if (args.includes("-h") || args.includes("--help")) return { text: help, exitCode: 0 }
  return args.length > 0 ? { text: `${pkg.version}\n`, exitCode: 0 } : undefined
}
