/**
 * Writes plugins/registry.ts from each plugin.json and the modules they name.
 * With --check it writes nothing and fails when the file is not what it would write.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPluginModules } from '../src/cli/plugin-modules.ts'
import { registrySource } from '../src/cli/registry-source.ts'

const folder = join(import.meta.dirname, '../plugins')
const path = join(folder, 'registry.ts')

/** @returns the exit code */
async function main(check: boolean): Promise<number> {
  let source: string
  try {
    source = registrySource(await readPluginModules(folder))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
  const current = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (current === source) {
    console.log('plugins/registry.ts is up to date')
    return 0
  }
  if (check) {
    console.error('plugins/registry.ts is not up to date. Run: npm run build:registry')
    return 1
  }
  writeFileSync(path, source)
  console.log('plugins/registry.ts written')
  return 0
}

process.exitCode = await main(process.argv.includes('--check'))
