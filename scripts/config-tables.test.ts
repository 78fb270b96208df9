/** Holds docs/CONFIG.md and the schemas together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KINDS } from '../src/config/resources/kinds.ts'
import { fieldsOf, withConfigTables } from './config-tables.ts'

describe('the fields of the kinds', () => {
  it.each(KINDS.map(({ kind, schema }) => [kind, schema] as const))(
    'each says what it means: %s',
    (_kind, schema) => {
      const mute = fieldsOf(schema).filter(
        ({ type, about }) =>
          type !== 'fixed' && (about.about ?? about.outside ?? about.noEffect) === undefined,
      )
      expect(mute.map(({ path }) => path)).toEqual([])
    },
  )

  it('are told with type and default', () => {
    const field = KINDS.flatMap(({ schema }) => fieldsOf(schema)).find(
      ({ path }) => path === 'spec.phase',
    )
    expect(field).toMatchObject({
      type: '`AUTHN`, `AUTHZ`, `STATS`, `UNSPECIFIED_PHASE`',
      required: false,
      about: { default: 'UNSPECIFIED_PHASE' },
    })
  })
})

describe('docs/CONFIG.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/CONFIG.md'), 'utf8')

  it('is what the schemas say', () => {
    expect(withConfigTables(page)).toBe(page)
  })

  it.each(KINDS.map(({ kind }) => [kind]))('has the table of %s', (kind) => {
    expect(page).toContain(`<!-- fields:${kind} -->`)
  })
})
