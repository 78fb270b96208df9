/** Holds the codes and their page together. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ANSWERED_CODES } from './answered-codes.ts'
import { ERROR_CODES } from './error-codes.ts'
import { LOCAL_CODES } from './local-codes.ts'
import { REFUSAL_CODES } from './refusal-codes.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8')
const entries = new Map(
  page
    .split(/^#+ /m)
    .filter((section) => section.startsWith('`'))
    .map((section) => [section.slice(1, section.indexOf('`', 1)), section] as const),
)

describe('every code', () => {
  it.each(Object.entries(ERROR_CODES))(
    '%s has an entry in OPERATIONS.md that names whose fault it is',
    (code, { fault }) => {
      expect(entries.get(code)?.replaceAll(/\s+/g, ' ')).toContain(`**Fault: ${fault}.**`)
    },
  )

  it('stands in one of the tables', () => {
    const all = [ANSWERED_CODES, REFUSAL_CODES, LOCAL_CODES].flatMap((table) => Object.keys(table))
    expect(all).toEqual([...new Set(all)])
  })

  it('that can come of a change or from the admin API is among those that are deployed', () => {
    const rooms = ['admin', 'config/apply', 'config/compile', 'config/resources', 'config/signing']
    const named = rooms.flatMap((room) =>
      readdirSync(join(import.meta.dirname, '..', room), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
        .map((file) => readFileSync(join(import.meta.dirname, '..', room, file), 'utf8'))
        .flatMap((text) => [...text.matchAll(/'([a-z]+\.[a-z_]+)'/g)].map(([, code = '']) => code))
        .filter((code) => Object.hasOwn(ERROR_CODES, code)),
    )
    expect(new Set(named).size).toBeGreaterThan(30)
    expect(named.filter((code) => Object.hasOwn(LOCAL_CODES, code))).toEqual([])
  })

  it('says what to do next in one sentence', () => {
    for (const { next } of Object.values(ERROR_CODES)) expect(next).toMatch(/^[A-Z`].*\.$/)
  })
})
