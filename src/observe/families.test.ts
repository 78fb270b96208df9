/** Holds the metrics and their page together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FAMILIES } from './families.ts'
import { metricName } from './labels.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8')

it.each(Object.values(FAMILIES))('$name is in OPERATIONS.md with its kind', ({ name, kind }) => {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${name}`))
  expect(row).toContain(`| ${kind} |`)
})

it('every name is one, and no two are the same', () => {
  const names = Object.values(FAMILIES).map(({ name }) => name)
  expect(names).toEqual(names.map(metricName))
  expect(new Set(names).size).toBe(names.length)
})
