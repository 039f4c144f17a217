/** The README of a package: pages of `docs/`, so that there is no second text to keep. */
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"

/** Which pages a package takes along. */
const pages: Readonly<Record<string, ReadonlyArray<string>>> = {
  "@todo/core": ["embedding", "hooks", "limits"],
  "@todo/http": ["mounting", "client", "settings", "errors"],
  "@todo/cli": ["todo-admin", "settings"]
}

/** The page one level down. Links by path lead to files that are not in the tarball: only their text stays. */
const page = (name: string): string =>
  readFileSync(join(resolve(import.meta.dirname, "../docs"), `${name}.md`), "utf8")
    .replaceAll(/^#(?=#* )/gm, "##")
    .replaceAll(/\[([^\]]+)\]\((?![a-z]+:)[^)]+\)/g, "$1")
    .trim()

/** The text of a package's README. `hasReference` says whether the package carries an API reference. */
export const packageReadme = (name: string, description: string, hasReference: boolean): string =>
  [
    `# ${name}`,
    `${description}.`,
    hasReference
      ? "What it exports is described in `reference/index.md`, what changed in `CHANGELOG.md`, both in this package."
      : "What changed is in `CHANGELOG.md`, in this package.",
    ...(pages[name] ?? []).map(page),
    "MIT"
  ]
    .join("\n\n")
    .concat("\n")
