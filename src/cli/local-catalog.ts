/**
 * The modules that stand under `plugins/`, from their manifests alone: what could be bound, whether or
 * not it is.
 * @param folder `plugins/`; one that is not there holds none
 * @throws CommandError for a manifest that cannot be read
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogModule, ModuleCatalog } from '../config/compile/module-catalog.ts'
import { CommandError } from './command-error.ts'
import { parseManifest } from './plugin-manifest.ts'

export async function localCatalog(folder: string): Promise<ModuleCatalog> {
  if (!existsSync(folder)) return []
  const modules: CatalogModule[] = []
  for (const entry of (await readdir(folder)).sort()) {
    const path = join(folder, entry, 'plugin.json')
    if (!existsSync(path)) continue
    try {
      const { name, versions } = parseManifest(await readFile(path, 'utf8'), path)
      for (const { version, sha256, urls = [] } of versions) {
        modules.push({ name, version, sha256, urls })
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new CommandError('config.invalid', message)
    }
  }
  return modules
}
