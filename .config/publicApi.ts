/**
 * What the packages export, as the declarations that `tsc -b` emits say it: the one list
 * behind the check of docstrings and the API reference.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
// TypeScript 7 has no JavaScript API; this is the last one that had.
import { ts } from "@ts-morph/common"

const root = resolve(import.meta.dirname, "..")

/** An export of an entry point; those of a namespace are called by both names, `Database.layer`. */
export interface Exported {
  readonly name: string
  readonly symbol: ts.Symbol
  /** The docstring, as Markdown; empty where there is none. */
  readonly docs: string
  readonly examples: ReadonlyArray<string>
  /** The declarations, with the docstrings of their members. */
  readonly code: string
  /** Members that have no docstring. */
  readonly undocumented: ReadonlyArray<string>
}

export interface EntryPoint {
  /** The folder of its package below `packages`. */
  readonly folder: string
  /** What is imported: `@todo/core/domain`. */
  readonly specifier: string
  readonly docs: string
  readonly examples: ReadonlyArray<string>
  readonly exports: ReadonlyArray<Exported>
}

/** Every entry point of the packages, in the order of their manifests. */
export const readPublicApi = (): ReadonlyArray<EntryPoint> => {
  const entries = globSync("packages/*/package.json", { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const { exports, name } = JSON.parse(readFileSync(join(root, file), "utf8"))
      return Object.entries<string>(exports)
        .filter(([, source]) => source.endsWith(".ts"))
        .map(([path, source]) => ({
          folder: file.split("/")[1] ?? "",
          specifier: join(name, path),
          file: join(root, file, "..", source.replace(/^\.\/src\/(.*)\.ts$/, "dist/$1.d.ts"))
        }))
    })
  for (const { file } of entries) if (!existsSync(file)) throw new Error(`${file} is missing: run tsc -b`)

  const program = ts.createProgram({
    rootNames: entries.map(({ file }) => file),
    options: {
      module: ts.ModuleKind.NodeNext,
      noLib: true,
      types: [],
      paths: Object.fromEntries(entries.map(({ file, specifier }) => [specifier, [file]]))
    },
    host: hostOfOwnFiles()
  })
  const checker = program.getTypeChecker()
  return entries.map(({ file, folder, specifier }) => {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file} is no module`)
    return { folder, specifier, ...commentOf(module), exports: exportsOf(checker, module, "") }
  })
}

/** Reads no more than the packages' own files: what a type of a library is matters to nobody here. */
const hostOfOwnFiles = (): ts.CompilerHost => {
  const host = ts.createCompilerHost({})
  return {
    ...host,
    fileExists: (file) => !file.includes("/node_modules/") && host.fileExists(file)
  }
}

const exportsOf = (checker: ts.TypeChecker, module: ts.Symbol, prefix: string): ReadonlyArray<Exported> =>
  checker.getExportsOfModule(module).flatMap((exported): ReadonlyArray<Exported> => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const name = `${prefix}${exported.name}`
    const declarations = symbol.declarations ?? []
    if (declarations.some(ts.isSourceFile)) {
      const namespace = { name, symbol, ...commentOf(symbol), code: "", undocumented: [] }
      return [namespace, ...exportsOf(checker, symbol, `${name}.`)]
    }
    const described = declarations.flatMap((declaration) => [declaration, ...hiddenBases(checker, declaration)])
    const code = described.map(codeOf).join("\n\n")
    const undocumented = described
      .flatMap(membersOf)
      .filter((member) => ts.getJSDocCommentsAndTags(member).length === 0)
      .map((member) => `${name}.${member.name?.getText() ?? member.getText()}`)
    const docs = ts.displayPartsToString(symbol.getDocumentationComment(checker))
    const examples = symbol
      .getJsDocTags(checker)
      .filter((tag) => tag.name === "example")
      .map((tag) => ts.displayPartsToString(tag.text))
    return [{ name, symbol, docs, examples, code, undocumented }]
  })

/**
 * What a file says of itself: its first comment, where that is not the one of its first
 * declaration. It is looked up in the source, for it is not emitted where the import below it is not.
 */
const commentOf = (module: ts.Symbol) => {
  const file = module.declarations?.find(ts.isSourceFile)?.fileName ?? ""
  const path = file.replace(/\/dist\/(.*)\.d\.ts$/, "/src/$1.ts")
  const [first] = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true).statements
  const comments = first === undefined ? [] : ts.getJSDocCommentsAndTags(first).filter(ts.isJSDoc)
  const declares = first !== undefined && !ts.isImportDeclaration(first) && !ts.isExportDeclaration(first)
  const [own] = declares ? comments.slice(0, -1) : comments
  return {
    docs: ts.getTextOfJSDocComment(own?.comment) ?? "",
    examples: (own?.tags ?? []).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "")
  }
}

/** The interfaces that one extends, where they are ours: as a rule nobody exports those. */
const hiddenBases = (checker: ts.TypeChecker, declaration: ts.Declaration): ReadonlyArray<ts.Declaration> => {
  if (!ts.isInterfaceDeclaration(declaration)) return []
  return (declaration.heritageClauses ?? [])
    .flatMap(({ types }) => types)
    .flatMap((type) => {
      // `Omit<AppSettings, ...>` is `AppSettings` to who reads it.
      const [argument] = type.expression.getText() === "Omit" ? (type.typeArguments ?? []) : []
      const name = argument !== undefined && ts.isTypeReferenceNode(argument) ? argument.typeName : type.expression
      const named = checker.getSymbolAtLocation(name)
      const base = named && named.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(named) : named
      return (base?.declarations ?? []).filter(ts.isInterfaceDeclaration)
    })
    .flatMap((base) => [base, ...hiddenBases(checker, base)])
}

/** The declaration as it is published; of a class, with what its base is made of in the base's place. */
const codeOf = (declaration: ts.Declaration): string => {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const code = statement.getText().replace(/^export (declare )?/, "")
  const base = baseOf(declaration)
  const whole = base === undefined ? code : code.replace(/(?<=extends )\w+_base/, () => shapeOf(base))
  // Where a type comes from is told by its name.
  return whole.replaceAll(/\bimport\("[^"]+"\)\./g, "")
}

/** A service or an error is what its base is made of; a middleware repeats all that it may answer, twice. */
const shapeOf = (base: ts.TypeNode): string =>
  ts.isTypeReferenceNode(base) && /^(Context|Schema)\./.test(base.typeName.getText())
    ? base.getText()
    : base.getText().replace(/<.*/s, "")

/** `class Todos extends Todos_base`: TypeScript declares an expression that is extended apart. */
const baseOf = (declaration: ts.Declaration): ts.TypeNode | undefined => {
  if (!ts.isClassDeclaration(declaration)) return undefined
  const name = declaration.heritageClauses?.[0]?.types[0]?.expression.getText()
  return declaration
    .getSourceFile()
    .statements.filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((variable) => variable.name.getText() === name)?.type
}

/** The members that must say what they promise: of services, interfaces and classes. */
const membersOf = (declaration: ts.Declaration): ReadonlyArray<ts.ClassElement | ts.TypeElement> => {
  if (ts.isInterfaceDeclaration(declaration)) return declaration.members
  if (ts.isTypeAliasDeclaration(declaration)) return literalMembers(declaration.type)
  if (!ts.isClassDeclaration(declaration)) return []
  const base = baseOf(declaration)
  const isService =
    base !== undefined && ts.isTypeReferenceNode(base) && base.typeName.getText() === "Context.ServiceClass"
  return [
    ...(isService ? (base.typeArguments ?? []).flatMap(literalMembers) : []),
    ...declaration.members.filter((member) => member.name !== undefined && !isPlain(member.name))
  ]
}

const literalMembers = (type: ts.TypeNode): ReadonlyArray<ts.TypeElement> =>
  ts.isTypeLiteralNode(type) ? type.members : []

/** What every error has, and what nobody can reach. */
const isPlain = (name: ts.PropertyName): boolean =>
  ts.isPrivateIdentifier(name) || ["_tag", "code", "message", "name"].includes(name.getText())
