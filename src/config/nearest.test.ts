/** Which name somebody probably meant. */
import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

it.each([
  ['priorty', ['phase', 'priority', 'url'], 'priority'],
  ['failstrategy', ['failStrategy', 'phase'], 'failStrategy'],
  ['timeout', ['timeoutMs', 'url'], 'timeoutMs'],
  ['selector', ['url', 'phase', 'sha256'], undefined],
  ['x', [], undefined],
])('takes %s among %j for %s', (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected)
})
