/**
 * Packs what would be published into `dist/`: in the repository the entries of a
 * package are its sources, in its tarball what `tsc -b` made of them.
 */
import { execFileSync } from "node:child_process"
import { cpSync, globSync, mkdirSync, mkdtempDisposableSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { bundle } from "./bundle.ts"
import { readPublicApi } from "./publicApi.ts"
import { packageReadme } from "./readme.ts"
import { referencePages } from "./reference.ts"

const root = resolve(import.meta.dirname, "..")
const out = join(root, "dist")

const built = (source: string, ending: string): string => source.replace(/^\.\/src\/(.*)\.ts$/, `./dist/$1${ending}`)

/** The entry that publishing gives a source; `./package.json` stays as it is. */
const entry = (source: string) =>
  source.endsWith(".ts") ? { types: built(source, ".d.ts"), default: built(source, ".js") } : source

// A build leaves the outputs of sources that are gone.
for (const folder of [out, ...globSync("packages/*/dist", { cwd: root }).map((path) => join(root, path))]) {
  rmSync(folder, { recursive: true, force: true })
}
mkdirSync(out)
execFileSync("tsc", ["-b"], { cwd: root, stdio: "inherit" })

const readManifest = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"))

/**
 * Everybody gets the versions that were tested, and of each other the packages of one release. Only `effect` is the
 * host's: with two of it, a host neither compiles nor runs.
 */
const assertExact = (dependencies: Readonly<Record<string, string>>, release: string) => {
  for (const [name, version] of Object.entries(dependencies)) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) throw new Error(`${name}: ${version} is no exact version`)
    if (name.startsWith("@todo/") && version !== release) throw new Error(`${name}: ${version} is not ${release}`)
  }
}

/** Where it is published from, which the registry compares with what the provenance says: known to the workflow alone. */
const repository = (folder: string) => {
  const { GITHUB_REPOSITORY, GITHUB_SERVER_URL } = process.env
  if (GITHUB_REPOSITORY === undefined) return {}
  const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`
  return { repository: { type: "git", url, directory: `packages/${folder}` } }
}

/** The command line is published as one file without dependencies, with the licences of what is in it beside it. */
const stageCommandLine = async (stage: string) => {
  mkdirSync(join(stage, "dist"))
  const { code, manifests } = await bundle("cli")
  writeFileSync(join(stage, "dist/main.js"), code)
  const licences = manifests
    .filter((path) => path.includes("/node_modules/"))
    .map((path) => {
      const [licence] = globSync("LICENSE*", { cwd: dirname(path) })
      if (licence === undefined) throw new Error(`${path} has no licence beside it`)
      const { name, version } = JSON.parse(readFileSync(path, "utf8"))
      return `${name} ${version}\n\n${readFileSync(join(dirname(path), licence), "utf8")}`
    })
  writeFileSync(join(stage, "dist/main.js.LICENSE.txt"), licences.toSorted().join("\n"))
}

const entryPoints = Map.groupBy(readPublicApi(), ({ folder }) => folder)

/** The pages of a package that exports anything; they lie in `dist/reference` too. */
const stageReference = (folder: string, stage: string) => {
  const entries = entryPoints.get(folder) ?? []
  for (const target of entries.length === 0 ? [] : [join(stage, "reference"), join(out, "reference", folder)]) {
    mkdirSync(target, { recursive: true })
    for (const [file, page] of referencePages(entries)) writeFileSync(join(target, file), page)
  }
  return entries.length > 0
}

for (const file of globSync("packages/*/package.json", { cwd: root })) {
  const from = join(root, dirname(file))
  const folder = basename(from)
  const { private: _private, ...rest } = readManifest(file)
  const manifest = { ...rest, ...repository(folder) }
  for (const [name, source] of Object.entries<string>(manifest.exports)) manifest.exports[name] = entry(source)
  for (const [name, source] of Object.entries<string>(manifest.imports ?? {}))
    manifest.imports[name] = built(source, ".js")
  if (manifest.sideEffects) manifest.sideEffects = manifest.sideEffects.map((source: string) => built(source, ".js"))

  using staging = mkdtempDisposableSync(join(tmpdir(), "todo-pack-"))
  const stage = staging.path
  if (manifest.name === "@todo/cli") {
    const { peerDependencies, peerDependenciesMeta } = readManifest("packages/core/package.json")
    const { effect: _bundled, ...others } = peerDependencies
    Object.assign(manifest, { files: ["dist"], dependencies: {}, peerDependencies: others, peerDependenciesMeta })
    await stageCommandLine(stage)
  } else {
    manifest.files = ["dist", "!dist/.tsbuildinfo", "src"]
    for (const part of ["dist", "src"]) cpSync(join(from, part), join(stage, part), { recursive: true })
  }
  if (manifest.bin !== undefined) {
    manifest.files.push("bin")
    cpSync(join(from, "bin"), join(stage, "bin"), { recursive: true })
  }
  assertExact(manifest.dependencies, manifest.version)
  const hasReference = stageReference(folder, stage)
  manifest.files.push("CHANGELOG.md", ...(hasReference ? ["reference"] : []))
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(join(stage, "README.md"), packageReadme(manifest.name, manifest.description, hasReference))
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"))
  cpSync(join(root, "packages/core/CHANGELOG.md"), join(stage, "CHANGELOG.md"))
  console.log(execFileSync("npm", ["pack", "--silent", stage, "--pack-destination", out], { encoding: "utf8" }).trim())
}
