/**
 * The modules that stand under `plugins/`, from their manifests alone: what could be bound, whether or
 * not it is. A manifest that cannot be read says nothing of the others.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogModule, ModuleCatalog } from '../config/compile/module-catalog.ts'
import { parseManifest, type PluginManifest } from './plugin-manifest.ts'

/** @param folder - `plugins/`; one that is not there holds none, nor does a manifest that cannot be read */
export async function localCatalog(folder: string): Promise<ModuleCatalog> {
  const modules: CatalogModule[] = []
  for (const { manifest } of await readManifests(folder)) {
    if (manifest === undefined) continue
    for (const { version, sha256, urls = [] } of manifest.versions) {
      modules.push({ name: manifest.name, version, sha256, urls })
    }
  }
  return modules
}

/** @returns why manifests under `folder` cannot be read, by the name of the plugin's folder */
export async function unreadableManifests(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = await readManifests(folder)
  return new Map(
    found.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason]])),
  )
}

interface ReadManifest {
  /** Of the folder. */
  readonly name: string
  readonly manifest?: PluginManifest
  readonly reason?: string
}

async function readManifests(folder: string): Promise<ReadManifest[]> {
  if (!existsSync(folder)) return []
  const names = (await readdir(folder)).sort()
  const found = names.filter((name) => existsSync(join(folder, name, 'plugin.json')))
  return Promise.all(
    found.map(async (name) => {
      const path = join(folder, name, 'plugin.json')
      try {
        return { name, manifest: parseManifest(await readFile(path, 'utf8'), path) }
      } catch (error) {
        return { name, reason: error instanceof Error ? error.message : String(error) }
      }
    }),
  )
}
