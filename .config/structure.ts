/** Fails unless the files keep the structure that `docs/architecture.md` describes. The imports between packages are rules of oxlint. */
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
// TypeScript 7 has no JavaScript API; this is the last one that had.
import { ts } from "@ts-morph/common"

const root = resolve(import.meta.dirname, "..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const parse = (file: string) => ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)

const sources = globSync("packages/*/src/**/*.ts", { cwd: root })
const code = [...sources, ...globSync("packages/*/{test,bench,examples}/**/*.ts", { cwd: root })]

const descendants = (node: ts.Node): ReadonlyArray<ts.Node> =>
  node.getChildren().flatMap((child) => [child, ...descendants(child)])

const lineOf = (node: ts.Node) => ts.getLineAndCharacterOfPosition(node.getSourceFile(), node.getStart()).line + 1

// SQL

const isSqlFile = (file: string) => /Sql\.ts$|\/schema\/(functions|migrations)\//.test(file)

/** The beginning of a statement, or a part of one that is not English. Comments are not looked at. */
const statement =
  /^\s*(select\s+\S|with\s+(recursive\s+)?\w+\s+as\b|update\s+\S+\s+set\b|create\s+(temporary|database|schema|table|index)\s|drop\s+(database|schema)\s|do\s+\$|begin\s+isolation|set\s+(local|session)\s)|\binsert\s+into\s+\S|\bdelete\s+from\s+\S|\bselect\b[^;]*\bfrom\s+\S+\s+(where|join)\b/i

const sqlOutside = sources
  .filter((file) => !isSqlFile(file))
  .flatMap((file) =>
    descendants(parse(file)).flatMap((node) => {
      const isTagged = ts.isTaggedTemplateExpression(node) && node.tag.getText() === "sql"
      const isText =
        ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)
      const isMarked = isText && /\/\* sql \*\/\s*$/.test(node.getFullText().slice(0, -node.getText().length))
      return isTagged || isMarked || (isText && statement.test(node.getText().slice(1, -1)))
        ? [`${file}:${lineOf(node)} has SQL: move it to a file named *Sql.ts`]
        : []
    })
  )

// Names of files

const manifests = globSync("packages/*/package.json", { cwd: root })
/** The files that `exports`, `imports` and `bin` of a package name. */
const entries = new Set(
  manifests.flatMap((file) =>
    [...read(file).matchAll(/"\.\/(src\/[^"]+\.ts)"/g)].map(([, path = ""]) => join(dirname(file), path))
  )
)

const exportsOf = (file: string): ReadonlySet<string> =>
  new Set(
    parse(file).statements.flatMap((node) => {
      if (ts.isExportDeclaration(node)) {
        if (node.exportClause === undefined) return []
        return ts.isNamedExports(node.exportClause)
          ? node.exportClause.elements.map(({ name }) => name.text)
          : [node.exportClause.name.text]
      }
      if (
        !ts.canHaveModifiers(node) ||
        !ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      )
        return []
      if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText())
      return "name" in node ? [(node.name as ts.Identifier).text] : []
    })
  )

/** `import * as Name` of our own files, by file. */
const wholeImports = code.flatMap((file) =>
  [...read(file).matchAll(/^(?:import|export) \* as (\w+) from "(\.[^"]+\.ts)"/gm)].map(([, name = "", path = ""]) => ({
    file,
    name,
    target: join(dirname(file), path)
  }))
)

const misnamed = [
  ...wholeImports.flatMap(({ file, name, target }) =>
    name === basename(target, ".ts") || entries.has(target)
      ? []
      : [`${file} imports all of ${basename(target)} as ${name}: an import of a whole file has the name of the file`]
  ),
  ...sources.flatMap((file) => {
    const name = basename(file, ".ts")
    if (entries.has(file) || /\/(index|main|schema\/migrations\/\d+)\.ts$/.test(file)) return []
    const exported = exportsOf(file)
    // `textFile` in TextFile.ts.
    if ([...exported].some((one) => one.toLowerCase().includes(name.toLowerCase()))) return []
    if (wholeImports.some(({ target }) => target === file)) return []
    if (/^[A-Z]/.test(name) && exported.size > 1) return []
    return [
      `${file} exports ${[...exported].join(", ")}: name the file after its main export, in lower case only if that is`
    ]
  })
]

// Folders

/** By package, from the top down. A folder imports only itself and the folders below it. */
const layers = {
  cli: [["commands"], ["database", "formats", "views"], ["terminal"], ["flags"], ["errors", "time"]],
  http: [
    ["embed", "settings", "testing"],
    ["serve"],
    ["auth", "handlers"],
    ["boundary"],
    ["client", "observability"],
    ["api"]
  ]
}

const upward = Object.entries(layers).flatMap(([name, layers]) => {
  const layerOf = (folder: string) => layers.findIndex((folders) => folders.includes(folder))
  return globSync(`packages/${name}/src/*/*.ts`, { cwd: root }).flatMap((file) => {
    const folder = basename(dirname(file))
    if (layerOf(folder) === -1) return [`${file}: add the folder to the layers in .config/structure.ts`]
    return [...read(file).matchAll(/from "\.\.\/(\w+)[/.]/g)].flatMap(([, target = ""]) =>
      layerOf(target) > layerOf(folder) ? [] : [`${file} imports ${target}, which is not below ${folder}`]
    )
  })
})

// Length of the README

const most = 150
const readmeLines = read("README.md").trimEnd().split("\n").length
const longReadme =
  readmeLines > most ? [`README.md has ${readmeLines} lines, and may have ${most}: move details to docs/`] : []

// Retired names

/** Words that say nothing to a reader who does not know the code. */
const retiredWords =
  /\b(Together|HookedWrite|PromisedMethods|Prerequisites|Adoption|Abandonable|Destination|mend|write_held|KeptTotals|keptTotals|readAhead|queuedAhead)\b/g
/** Names of files that would be too vague. As words of English they are fine. */
const retiredFiles = /^(Turns|Reports|Starter|Representations|Here|Home|Edge|Repeat|Methods|Embedded|Rows)$/

/** The history keeps its words, and a database of an older release its functions. */
const mayHave = (file: string, word: string) =>
  file.endsWith("CHANGELOG.md") ||
  file === ".config/structure.ts" ||
  (word === "write_held" &&
    /\/schema\/(functions\/formerNames\.ts|migrations\/|current\.sql)|\/fixtures\/releases\/|\/Upgrades\.test\.ts/.test(
      file
    ))

const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8"
})
  .split("\0")
  .filter((file) => file !== "" && file !== "package-lock.json" && existsSync(join(root, file)))

const retired = tracked.flatMap((file) => [
  ...(retiredFiles.test(basename(file).replace(/\..*/, ""))
    ? [`${file}: the name of the file does not say what it is for`]
    : []),
  ...read(file)
    .split("\n")
    .flatMap((line, n) =>
      [...line.matchAll(retiredWords)].flatMap(([word]) =>
        mayHave(file, word) ? [] : [`${file}:${n + 1} says ${word}, a name that is no longer used`]
      )
    )
])

// Titles of tests

/** The beginning of a title that only its `describe` makes a sentence. A title is a sentence with a subject. */
const withoutSubject =
  /^.(and|but|that|is|are|has|if|for|in|with|without|under|as|not|even|also|when|where|while|does|may|can|cannot)\b/i

const badTitles = code
  .filter((file) => file.endsWith(".test.ts"))
  .flatMap((file) =>
    descendants(parse(file)).flatMap((node) => {
      if (!ts.isCallExpression(node)) return []
      const [title] = node.arguments
      // `it(…)`, `it.effect(…)` and `it.each(…)(…)`.
      const isTest = /^(it|test|effect)\b/.test(node.expression.getText())
      return isTest && title !== undefined && /^["'`]/.test(title.getText()) && withoutSubject.test(title.getText())
        ? [`${file}:${lineOf(node)} ${title.getText()}: begin the title of a test with its subject`]
        : []
    })
  )

const problems = new Set([...sqlOutside, ...misnamed, ...upward, ...longReadme, ...retired, ...badTitles])
if (problems.size > 0) {
  console.error(`The structure is broken:\n  ${[...problems].join("\n  ")}`)
  process.exitCode = 1
}
