/** Headers set, added and removed, in both forms they come in. */
import { expect, it } from 'vitest'
import { editHeaders, editLines } from './header-edits.ts'

const edits = {
  set: [['x-set', 'new']],
  add: [['x-add', '2']],
  remove: ['x-gone'],
} as const

it('edits headers', () => {
  const headers = new Headers({ 'x-set': 'old', 'x-add': '1', 'x-gone': 'x', 'x-kept': 'y' })
  editHeaders(headers, edits)
  expect([...headers]).toEqual([
    ['x-add', '1, 2'],
    ['x-kept', 'y'],
    ['x-set', 'new'],
  ])
})

it('edits lines', () => {
  const lines = ['x-set', 'old', 'x-set', 'older', 'x-add', '1', 'x-gone', 'x', 'x-kept', 'y']
  expect(editLines(lines, edits)).toEqual([
    'x-add',
    '1',
    'x-kept',
    'y',
    'x-set',
    'new',
    'x-add',
    '2',
  ])
  expect(editLines(lines, {})).toEqual(lines)
})
