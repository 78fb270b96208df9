import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The repository's root. */
export const root: string = join(import.meta.dirname, '..')

/** One binary of a plugin. */
export interface PluginVersion {
  version: string
  /** File name beside `plugin.json`. */
  file: string
  /** Of the bytes of `file`. */
  sha256: string
  /** Of the sources it was built from; see `sourceHash`. */
  source: string
  /** Published bytes that the source has moved on from: never rebuilt. */
  frozen?: boolean
  /** Where registries hold the same bytes. */
  urls?: string[]
}

/** How the binaries are made; written by hand, read by `build-plugins.ts`. */
export interface PluginBuild {
  /** What made the committed bytes, such as `rustc 1.95.0`. Another one may give other bytes. */
  toolchain: string
  /** Cargo features of each version; a version not named here has none. */
  features?: Record<string, string[]>
  /** Rust target of each version; `wasm32-wasip1` for a version not named here. */
  targets?: Record<string, string>
  /** The optional `proxy_on_*` exports to keep. Without this list all are kept. */
  callbacks?: string[]
}

/** `plugin.json`: one shape for shipped plugins and for test fixtures. */
export interface PluginManifest {
  name: string
  description: string
  language: 'rust' | 'go' | 'assemblyscript' | 'wat'
  sdk: string
  license: string
  versions: PluginVersion[]
  build: PluginBuild
}

/** A plugin folder and its manifest. */
export interface Plugin {
  folder: string
  manifest: PluginManifest
}

/**
 * Reads every plugin of the repository: those shipped, then the test fixtures.
 *
 * @returns plugins in the order of their folders
 */
export function readPlugins(): Plugin[] {
  return ['plugins', 'test/fixtures'].flatMap((parent) =>
    readdirSync(join(root, parent))
      .sort()
      .map((name) => join(root, parent, name))
      .filter((folder) => existsSync(join(folder, 'plugin.json')))
      .map((folder) => ({ folder, manifest: readManifest(folder) })),
  )
}

/** Writes a manifest back, in the layout the formatter wants. */
export function writeManifest({ folder, manifest }: Plugin): void {
  const path = join(folder, 'plugin.json')
  writeFileSync(path, JSON.stringify(manifest, null, 2))
  execFileSync(join(root, 'node_modules/.bin/oxfmt'), [path])
}

/** A path as messages show it: from the repository's root. */
export function shown(path: string): string {
  return relative(root, path)
}

function readManifest(folder: string): PluginManifest {
  return JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as PluginManifest
}
