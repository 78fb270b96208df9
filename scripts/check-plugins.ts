import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPlugins, shown, type Plugin } from './plugin-manifest.ts'
import { sha256, sourceHash } from './plugin-sources.ts'

/**
 * Says which binaries of plugins and test fixtures are not what their manifest says, or are older
 * than their sources. Needs no compiler.
 *
 * @returns exit code: 0 when all fit, else 1
 */
function main(): number {
  const plugins = readPlugins()
  const stale = plugins.filter((plugin) => {
    const complaints = check(plugin)
    for (const complaint of complaints) console.error(complaint)
    return complaints.length > 0
  })
  if (stale.length === 0) {
    console.log(`${plugins.length} plugins and fixtures fit their sources`)
    return 0
  }
  const names = stale.map(({ manifest }) => manifest.name).join(' ')
  console.error(`\nRebuild with: npm run build:plugins -- ${names}`)
  return 1
}

function check(plugin: Plugin): string[] {
  const source = sourceHash(plugin)
  return plugin.manifest.versions.flatMap((version) => {
    const path = join(plugin.folder, version.file)
    if (!existsSync(path)) return [`${shown(path)} is missing`]
    const complaints = []
    if (sha256(readFileSync(path)) !== version.sha256) {
      complaints.push(`${shown(path)} is not the file plugin.json names: its sha256 differs`)
    }
    if (!version.frozen && source !== version.source) {
      complaints.push(`${shown(path)} is older than its source, or plugin.json's build settings`)
    }
    return complaints
  })
}

process.exitCode = main()
