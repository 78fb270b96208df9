/**
 * The modules that stand under `plugins/`, read and checked against their manifests.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect, type InspectReport } from '../proxy-wasm/abi/inspect.ts'
import { parseManifest, type ManifestVersion, type PluginManifest } from './plugin-manifest.ts'

/** One version, with what its file says about itself. */
export interface PluginModule extends ManifestVersion {
  readonly report: InspectReport
}

export interface PluginModules extends PluginManifest {
  readonly versions: readonly PluginModule[]
}

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * @param folder - `plugins/`; one that is not there holds no plugins
 * @param except - the name of a plugin that is left out, unread
 * @returns every plugin that has a plugin.json, by name
 * @throws Error for a manifest that is wrong, a file that is missing or not the one it was, and a
 *   module that cannot run
 */
export async function readPluginModules(folder: string, except?: string): Promise<PluginModules[]> {
  if (!existsSync(folder)) return []
  const names = (await readdir(folder)).filter(
    (name) => name !== except && existsSync(join(folder, name, 'plugin.json')),
  )
  const plugins: PluginModules[] = []
  for (const name of names.sort()) {
    const path = join(folder, name, 'plugin.json')
    const manifest = parseManifest(await readFile(path, 'utf8'), path)
    if (manifest.name !== name) {
      throw new Error(`${path}: name is "${manifest.name}", but the folder is "${name}"`)
    }
    const versions: PluginModule[] = []
    for (const version of manifest.versions)
      versions.push(await readModule(join(folder, name), version))
    plugins.push({ ...manifest, versions })
  }
  return plugins
}

/**
 * @param folder - of the plugin
 * @throws Error when the file is missing, is not the one it was, or cannot run
 */
export async function readModule(folder: string, version: ManifestVersion): Promise<PluginModule> {
  const path = join(folder, version.file)
  if (!existsSync(path)) throw new Error(`${path} is named in plugin.json, but is not there`)
  const bytes = await readFile(path)
  const expected = version.packed?.sha256 ?? version.sha256
  if (sha256(bytes) !== expected) {
    throw new Error(
      `${path} is not the file plugin.json names: its sha256 is ${sha256(bytes)}, not ${expected}. Run: postern add ${path} --force`,
    )
  }
  const report = inspect(bytes)
  if (!report.ok) {
    throw new Error(`${path}: ${report.problems.map(({ message }) => message).join(' ')}`)
  }
  return { ...version, report }
}
