import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from './plugin-manifest.ts'

/** Folders beside sources that builds fill. */
const built = new Set(['node_modules', 'target', 'build'])

/** Sources outside a Rust crate which its bytes depend on: flags and the versions of crates. */
const cargoWorkspace = ['Cargo.toml', 'Cargo.lock']

/**
 * Lists the files a plugin is built from, sorted, each by its path from the plugin's folder.
 *
 * @param plugin - the plugin
 * @returns paths such as `src/lib.rs`
 */
export function sourceFiles({ folder, manifest }: Plugin): string[] {
  const own = readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').some((part) => built.has(part)))
  const around = manifest.language === 'rust' ? cargoWorkspace.map((name) => `../${name}`) : []
  return [...own, ...around].sort()
}

/**
 * Hashes what a plugin is built from: names and bytes of its sources, and its build settings.
 *
 * @param plugin - the plugin
 * @returns SHA-256, hex
 */
export function sourceHash(plugin: Plugin): string {
  const hash = createHash('sha256')
  for (const path of sourceFiles(plugin)) {
    hash.update(`${path}\0${sha256(readFileSync(join(plugin.folder, path)))}\n`)
  }
  hash.update(`build\0${JSON.stringify(plugin.manifest.build)}\n`)
  return hash.digest('hex')
}

/**
 * @param bytes - anything
 * @returns its SHA-256, hex
 */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
