/**
 * Writes the JSON Schemas of the kinds into schemas/. With --check it writes nothing and fails when a
 * file is not what it would write, or is there for nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KINDS } from '../src/config/resources/kinds.ts'
import { anyKindSchema, fileName, kindSchema } from './json-schema.ts'

const FOLDER = join(import.meta.dirname, '../schemas')

/** File name → text. */
function wanted(): ReadonlyMap<string, string> {
  const text = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`
  return new Map([
    ['postern.json', text(anyKindSchema())],
    ...KINDS.map((kind) => [fileName(kind.kind), text(kindSchema(kind))] as const),
  ])
}

/** @returns the exit code */
function main(check: boolean): number {
  const files = wanted()
  const there = existsSync(FOLDER) ? readdirSync(FOLDER) : []
  const stale = [...files].filter(([name, text]) => {
    return !there.includes(name) || readFileSync(join(FOLDER, name), 'utf8') !== text
  })
  const extra = there.filter((name) => !files.has(name))
  if (check) {
    for (const name of [...stale.map(([name]) => name), ...extra]) {
      console.error(`schemas/${name} is not up to date. Run: npm run build:docs`)
    }
    return stale.length + extra.length === 0 ? 0 : 1
  }
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, text] of stale) {
    writeFileSync(join(FOLDER, name), text)
    console.log(`schemas/${name} written`)
  }
  for (const name of extra) rmSync(join(FOLDER, name))
  return 0
}

process.exitCode = main(process.argv.includes('--check'))
