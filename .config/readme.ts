/** The README of a package, out of the one of the repository, so that there is no second text to keep. */
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const text = readFileSync(join(resolve(import.meta.dirname, ".."), "README.md"), "utf8").replace(/\n\nMIT\n$/, "")

/** Which of its sections a package takes along. */
const sections: Readonly<Record<string, ReadonlyArray<string>>> = {
  "@todo/core": ["Embed it", "Limits"],
  "@todo/http": ["Mount it in any framework", "Call it from an app", "Settings", "Errors"],
  "@todo/cli": ["Operate it", "Settings"]
}

const section = (title: string): string => {
  const [, found] = text.split(`\n## ${title}\n`)
  if (found === undefined) throw new Error(`README.md has no section "${title}"`)
  const [body = ""] = found.split("\n## ")
  // What is linked to by a path is not in the tarball.
  return `## ${title}\n${body.replace(/\[([^\]]+)\]\((?![a-z]+:)[^)]+\)/g, "$1")}`.trim()
}

export const packageReadme = (name: string, description: string, hasReference: boolean): string =>
  [
    `# ${name}`,
    `${description}.`,
    hasReference
      ? "What it exports is described in `reference/index.md`, what changed in `CHANGELOG.md`, both in this package."
      : "What changed is in `CHANGELOG.md`, in this package.",
    ...(sections[name] ?? []).map(section),
    "MIT"
  ]
    .join("\n\n")
    .concat("\n")
