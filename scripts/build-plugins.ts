import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  readPlugins,
  shown,
  writeManifest,
  type Plugin,
  type PluginManifest,
} from './plugin-manifest.ts'
import { sha256, sourceHash } from './plugin-sources.ts'
import { assemblyscript } from './toolchains/assemblyscript.ts'
import { go } from './toolchains/go.ts'
import { rust } from './toolchains/rust.ts'
import type { Toolchain } from './toolchains/toolchain.ts'
import { wat } from './toolchains/wat.ts'
import { trimExports } from './trim-exports.ts'

const toolchains: Record<PluginManifest['language'], Toolchain> = {
  rust,
  go,
  assemblyscript,
  wat,
}

/**
 * Rebuilds plugins and test fixtures from their sources and writes their hashes to `plugin.json`.
 *
 * @param names - which ones; none means all
 * @returns exit code: 0, or 1 when something is missing or fails
 */
function main(names: string[]): number {
  const plugins = readPlugins()
  const unknown = names.filter((name) => !plugins.some(({ manifest }) => manifest.name === name))
  if (unknown.length > 0) {
    const known = plugins.map(({ manifest }) => manifest.name).join(', ')
    console.error(`There is no plugin named ${unknown.join(' or ')}. There are: ${known}`)
    return 1
  }
  try {
    const wanted = plugins.filter(({ manifest }) => !names.length || names.includes(manifest.name))
    const jobs = wanted.map((plugin) => ({ plugin, toolchain: toolchainOf(plugin) }))
    for (const { plugin, toolchain } of jobs) build(plugin, toolchain)
    return 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

/** All toolchains are checked before the first build, so that nothing is built by halves. */
function toolchainOf({ folder, manifest }: Plugin): Toolchain {
  const toolchain = toolchains[manifest.language]
  const found = toolchain.check({ folder, manifest })
  const recorded = manifest.build.toolchain
  if (found !== recorded) {
    console.warn(`${manifest.name}: built by ${found}; the committed bytes were by ${recorded}`)
    manifest.build.toolchain = found
  }
  return toolchain
}

function build(plugin: Plugin, toolchain: Toolchain): void {
  const { folder, manifest } = plugin
  const { callbacks } = manifest.build
  const versions = manifest.versions.filter(({ frozen }) => !frozen)
  for (const version of versions) {
    const built = toolchain.build(plugin, version)
    const bytes = callbacks ? trimExports(built, callbacks) : built
    const hash = sha256(bytes)
    const state = hash === version.sha256 ? 'same bytes' : 'new bytes'
    writeFileSync(join(folder, version.file), bytes)
    version.sha256 = hash
    console.log(`${shown(join(folder, version.file))}  ${bytes.length} bytes, ${state}`)
  }
  const source = sourceHash(plugin)
  for (const version of versions) version.source = source
  writeManifest(plugin)
}

process.exitCode = main(process.argv.slice(2))
