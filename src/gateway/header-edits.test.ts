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

it('adds cookies to the one line that HTTP has for them', () => {
  const headers = new Headers({ cookie: 'a=1; b=2' })
  editHeaders(headers, { add: [['cookie', 'c=3']] })
  expect(headers.get('cookie')).toBe('a=1; b=2; c=3')
  const none = new Headers()
  editHeaders(none, { add: [['cookie', 'c=3']] })
  expect(none.get('cookie')).toBe('c=3')
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
