/** Holds the codes and their page together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from './error-codes.ts'

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

  it('says what to do next in one sentence', () => {
    for (const { next } of Object.values(ERROR_CODES)) expect(next).toMatch(/^[A-Z`].*\.$/)
  })
})
