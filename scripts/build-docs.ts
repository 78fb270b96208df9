/**
 * Writes the generated tables into README.md and docs/. Touches only files that have the markers.
 * With --check it writes nothing and fails when a file is not what it would write.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTables } from './abi-tables.ts'

const root = join(import.meta.dirname, '..')

/** @returns the exit code */
function main(check: boolean): number {
  let stale = 0
  for (const file of documents()) {
    const path = join(root, file)
    const current = readFileSync(path, 'utf8')
    let wanted: string
    try {
      wanted = withTables(current)
    } catch (error) {
      console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`)
      return 1
    }
    if (wanted === current) continue
    stale += 1
    if (check) console.error(`${file} is not up to date. Run: npm run build:docs`)
    else {
      writeFileSync(path, wanted)
      console.log(`${file} written`)
    }
  }
  if (stale === 0) console.log('all generated tables are up to date')
  return check && stale > 0 ? 1 : 0
}

/** README.md and every Markdown file under docs/, from the repository's root. */
function documents(): string[] {
  const docs = existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).sort()
    : []
  return ['README.md', ...docs.map((file) => join('docs', file))].filter(
    (file) => file.endsWith('.md') && existsSync(join(root, file)),
  )
}

process.exitCode = main(process.argv.includes('--check'))
