/** The list of traps has 70 entries. Each is a test here whose name begins with its number. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const COUNT = 70

const files = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts') && file !== 'all.test.ts')
  .map((file) => ({ file, text: readFileSync(new URL(file, import.meta.url), 'utf8') }))

/** Names of tests, in whatever way they are declared: `it('…`, `it.each(…)('…`, over several lines. */
const NAMES = /(?:\bit|\))\(\s*'(trap \d+: [^']+)'/g
const names = files.flatMap(({ text }) => [...text.matchAll(NAMES)].map(([, name]) => name ?? ''))
const numberOf = (name: string): number => Number(/^trap (\d+)/.exec(name)?.[1])

describe('traps', () => {
  it.each(Array.from({ length: COUNT }, (_, i) => i + 1))('trap %i has a test', (number) => {
    expect(names.filter((name) => numberOf(name) === number)).not.toEqual([])
  })

  it('have no other numbers, and no name twice', () => {
    expect(names.filter((name) => numberOf(name) < 1 || numberOf(name) > COUNT)).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(files)('in $file name differences from Envoy that are documented', ({ text }) => {
    const page = new URL('../../../docs/HOST_DIFFERENCES.md', import.meta.url)
    const ids = new Set(readFileSync(page, 'utf8').match(/(?<=^\| `)[a-z0-9-]+(?=` \|)/gm))
    const named = text.match(/(?<=HOST_DIFFERENCES\.md, )[a-z0-9-]+/g) ?? []
    expect(named.filter((id) => !ids.has(id))).toEqual([])
    // a mention that the line before cannot read would not be held to anything
    expect(text.match(/HOST_DIFFERENCES/g) ?? []).toHaveLength(named.length)
  })

  it.each(files)('in $file are all named by number, none left out', ({ text }) => {
    const declared = text.match(/^\s*(?:it\(|it\.each\()/gm) ?? []
    expect([...text.matchAll(NAMES)]).toHaveLength(declared.length)
    expect(text).not.toMatch(/\b(?:it|describe)\.(?:skip|todo|only|skipIf|runIf|fails)\b/)
  })
})
