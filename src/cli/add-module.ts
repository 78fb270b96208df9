/**
 * What `postern add` does, without its arguments and output: from a file to a version in `plugins/`.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { fetchModule } from './fetch-module.ts'
import { inspect, type Finding, type InspectReport } from '../proxy-wasm/abi/inspect.ts'
import {
  NAME_PATTERN,
  parseManifest,
  printManifest,
  VERSION_PATTERN,
  type ManifestVersion,
  type PluginManifest,
} from './plugin-manifest.ts'
import { readModule, readPluginModules, sha256, type PluginModule } from './plugin-modules.ts'
import { registrySource } from './registry-source.ts'

const WASM_DECLARATION = `/** Workers compile a \`.wasm\` file that is imported when they are deployed, and hand out the module. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
`

export interface AddOptions {
  /** A path, or where to download it: then the url is recorded with the module. */
  readonly file: string
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly urls: readonly string[]
  /** What the bytes must be; absent: whatever they are. */
  readonly sha256?: string | undefined
  readonly force: boolean
}

export interface AddedModule {
  readonly name: string
  readonly version: string
  readonly sha256: string
  /** From the working directory. */
  readonly path: string
  readonly urls: readonly string[]
  /** False when all of it was there before. */
  readonly changed: boolean
  readonly report: InspectReport
}

/** Why nothing was written. */
export class AddRefused extends Error {
  override readonly name = 'AddRefused'
  readonly problems: readonly Finding[]

  constructor(message: string, problems: readonly Finding[] = []) {
    super(message)
    this.problems = problems
  }
}

/**
 * @param cwd - the folder that holds `plugins/`
 * @param fetcher - the network, for a file that is a url
 * @throws AddRefused when the module cannot run, when another one stands under its name and version, or
 *   when the registry cannot be written because of a plugin that is there already
 */
export async function addModule(
  cwd: string,
  options: AddOptions,
  fetcher: typeof fetch,
): Promise<AddedModule> {
  const bytes = await readInput(cwd, options.file, fetcher)
  const report = inspect(bytes)
  if (!report.ok) {
    throw new AddRefused(`${options.file} cannot run as a Proxy-Wasm plugin:`, report.problems)
  }
  const hash = sha256(bytes)
  if (options.sha256 !== undefined && options.sha256 !== hash) {
    throw new AddRefused(`the sha256 of ${options.file} is ${hash}, not ${options.sha256}`)
  }
  const name = chooseName(options)
  const folder = join(cwd, 'plugins', name)
  const manifest = await readManifest(folder, name, report)
  const version = chooseVersion(options, manifest, hash)
  const known = manifest.versions.find((entry) => entry.version === version)
  if (known !== undefined && known.sha256 !== hash && !options.force) {
    throw new AddRefused(
      `${name} ${version} is another file already (sha256 ${known.sha256}). A version that was deployed must not change: pass --version with a new one, or --force to replace it.`,
    )
  }

  const kept = known !== undefined && (await isIntact(folder, known, hash))
  const urls = isDownload(options.file) ? [options.file, ...options.urls] : options.urls
  const entry = newEntry(version, hash, urls, known, kept)
  const after = {
    ...manifest,
    versions: known
      ? manifest.versions.map((other) => (other === known ? entry : other))
      : [...manifest.versions, entry],
  }
  const registry = await newRegistry(cwd, folder, after, entry, report)

  const path = join(folder, entry.file)
  await mkdir(folder, { recursive: true })
  if (!kept) await writeFile(path, bytes)
  const listed = isDeepStrictEqual(manifest, after)
  if (!listed) await writeFile(join(folder, 'plugin.json'), printManifest(after))
  const registered = await writeIfOther(join(cwd, 'plugins/registry.ts'), registry)
  await declareWasm(join(cwd, 'plugins/wasm.d.ts'))
  return {
    name,
    version,
    sha256: hash,
    path: relative(cwd, path),
    urls: entry.urls ?? [],
    changed: !kept || !listed || registered,
    report,
  }
}

function isDownload(file: string): boolean {
  return /^https?:\/\//.test(file)
}

async function readInput(cwd: string, file: string, fetcher: typeof fetch): Promise<Uint8Array> {
  if (isDownload(file)) {
    try {
      return await fetchModule(file, fetcher)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new AddRefused(`${file} cannot be downloaded: ${reason}`)
    }
  }
  if (/^oci:\/\//i.test(file)) {
    throw new AddRefused(
      `${file} is an image. Take the module out of it first, for instance with \`oras pull\`, then: postern add FILE.wasm --url ${file}`,
    )
  }
  const path = resolve(cwd, file.replace(/^file:\/\//, ''))
  try {
    return await readFile(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AddRefused(`${file} cannot be read: ${reason}`)
  }
}

/** `dist/auth_filter-1.2.0.wasm` is auth-filter 1.2.0; `plugins/auth/1.2.0.wasm` is auth 1.2.0. */
function fromFileName(file: string): { readonly name: string; readonly version?: string } {
  const stem = basename(file.replace(/[?#].*$/, '')).replace(/\.wasm$/i, '')
  const [, beforeVersion, version] = /^(?:(.*?)[-_@]?)v?(\d+\.\d+\.\d+.*)$/.exec(stem) ?? []
  const base = beforeVersion ?? stem
  const name = (base === '' ? basename(dirname(file)) : base)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return version === undefined ? { name } : { name, version }
}

function chooseName({ name, file }: AddOptions): string {
  const chosen = name ?? fromFileName(file).name
  if (NAME_PATTERN.test(chosen)) return chosen
  throw new AddRefused(
    `"${chosen}" cannot be a plugin's name. Pass --name with lower-case letters, digits and dashes, 63 at most.`,
  )
}

/** What was asked for, else the version that holds these bytes, else the file's, else a first one. */
function chooseVersion(options: AddOptions, manifest: PluginManifest, hash: string): string {
  const same = manifest.versions.find((entry) => entry.sha256 === hash)
  const chosen =
    options.version ??
    same?.version ??
    fromFileName(options.file).version ??
    (manifest.versions.length === 0 ? '1.0.0' : undefined)
  if (chosen === undefined) {
    const known = manifest.versions.map((entry) => entry.version).join(', ')
    throw new AddRefused(`Which version is it? Pass --version. ${manifest.name} has: ${known}`)
  }
  if (VERSION_PATTERN.test(chosen)) return chosen
  throw new AddRefused(
    `"${chosen}" cannot be a version. Letters, digits, dots, dashes, + and _ are possible, 64 at most.`,
  )
}

async function readManifest(
  folder: string,
  name: string,
  report: InspectReport,
): Promise<PluginManifest> {
  const path = join(folder, 'plugin.json')
  if (!existsSync(path))
    return { name, language: languageOf(report), versions: [] } as PluginManifest
  return orRefuse(async () => parseManifest(await readFile(path, 'utf8'), path))
}

function languageOf({ sdk }: InspectReport): string {
  return sdk === 'tinygo' ? 'go' : sdk
}

/** Whether the file on disk is the one that is meant, packed or not. */
async function isIntact(folder: string, known: ManifestVersion, hash: string): Promise<boolean> {
  const path = join(folder, known.file)
  if (known.sha256 !== hash || !existsSync(path)) return false
  return sha256(await readFile(path)) === (known.packed?.sha256 ?? known.sha256)
}

/** What was recorded of a file that is no longer there (its sources, its packing) goes with it. */
function newEntry(
  version: string,
  hash: string,
  added: readonly string[],
  known: ManifestVersion | undefined,
  kept: boolean,
): ManifestVersion {
  const urls = [...new Set([...(known?.urls ?? []), ...added])]
  if (known !== undefined && kept) return urls.length > 0 ? { ...known, urls } : known
  const file = known?.file ?? `${version}.wasm`
  return { version, file, sha256: hash, ...(urls.length > 0 && { urls }) }
}

/** Reads all that will be registered before anything is written, so that nothing is done by halves. */
async function newRegistry(
  cwd: string,
  folder: string,
  after: PluginManifest,
  entry: ManifestVersion,
  report: InspectReport,
): Promise<string> {
  return orRefuse(async () => {
    const plugins = await readPluginModules(dirname(folder), after.name)
    const versions: PluginModule[] = []
    for (const version of after.versions) {
      versions.push(version === entry ? { ...entry, report } : await readModule(folder, version))
    }
    // in a project of its own, what is here comes from the package
    const isRepository = existsSync(join(cwd, 'src/proxy-wasm/registered-module.ts'))
    const options = isRepository ? {} : { typesFrom: 'postern' }
    return registrySource([...plugins, { ...after, versions }], options)
  })
}

async function orRefuse<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new AddRefused(error instanceof Error ? error.message : String(error))
  }
}

async function writeIfOther(path: string, text: string): Promise<boolean> {
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) return false
  await writeFile(path, text)
  return true
}

/** TypeScript takes the registry's imports by this. */
async function declareWasm(path: string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, WASM_DECLARATION)
}
