/**
 * Writes the tables of fields into docs/CONFIG.md. With --check it writes nothing and fails when the
 * page is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withConfigTables } from './config-tables.ts'

const PAGE = join(import.meta.dirname, '../docs/CONFIG.md')

/** @returns the exit code */
function main(check: boolean): number {
  const current = readFileSync(PAGE, 'utf8')
  const wanted = withConfigTables(current)
  if (wanted === current) return 0
  if (check) {
    console.error('docs/CONFIG.md is not up to date. Run: node scripts/build-config-docs.ts')
    return 1
  }
  writeFileSync(PAGE, wanted)
  console.log('docs/CONFIG.md written')
  return 0
}

process.exitCode = main(process.argv.includes('--check'))
