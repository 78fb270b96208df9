import { describe, expect, it } from 'vitest'
import { parseRollouts } from './parse-document.ts'

const rollout = {
  run: 1,
  candidate: 'b',
  phase: 'running',
  reason: '',
  moves: [
    { effectiveAt: 1, weight: 5 },
    { effectiveAt: 2, weight: 5, mode: 'log-only', selector: { ring: '1' } },
  ],
}
const document = {
  version: 3,
  rollouts: { 'default.r': rollout },
  kills: [{ plugin: 'p', selector: { ring: '1' } }],
}
const parsed = (value: unknown): unknown => parseRollouts(JSON.stringify(value))

describe('the key rollouts', () => {
  it('is read as it was written', () => {
    expect(parsed(document)).toEqual(document)
    expect(parsed({ ...document, publisher: 'a' })).toEqual({ ...document, publisher: 'a' })
  })

  it.each([
    ['a list', []],
    ['no version', { ...document, version: undefined }],
    ['a version that is none', { ...document, version: 1.5 }],
    ['a publisher without a name', { ...document, publisher: '' }],
    ['a publisher that is none', { ...document, publisher: 1 }],
    ['a publisher whose name has no end', { ...document, publisher: 'x'.repeat(65) }],
    ['rollouts that are a list', { ...document, rollouts: [] }],
    ['a rollout that is null', { ...document, rollouts: { r: null } }],
    ['a run that is none', { ...document, rollouts: { r: { ...rollout, run: '1' } } }],
    ['a candidate that is none', { ...document, rollouts: { r: { ...rollout, candidate: 1 } } }],
    ['moves that are none', { ...document, rollouts: { r: { ...rollout, moves: {} } } }],
    ['a version that nothing could come after', { ...document, version: Number.MAX_SAFE_INTEGER }],
    [
      'a weight above all',
      { ...document, rollouts: { r: { ...rollout, moves: [{ effectiveAt: 1, weight: 101 }] } } },
    ],
    [
      'a weight below nothing',
      { ...document, rollouts: { r: { ...rollout, moves: [{ effectiveAt: 1, weight: -1 }] } } },
    ],
    [
      'a time that is none',
      { ...document, rollouts: { r: { ...rollout, moves: [{ effectiveAt: null, weight: 1 }] } } },
    ],
    [
      'a mode that nobody knows',
      {
        ...document,
        rollouts: { r: { ...rollout, moves: [{ effectiveAt: 1, weight: 1, mode: 'jump' }] } },
      },
    ],
    [
      'nodes that are none',
      {
        ...document,
        rollouts: { r: { ...rollout, moves: [{ effectiveAt: 1, weight: 1, selector: 'ring' }] } },
      },
    ],
    ['kills that are none', { ...document, kills: {} }],
    ['a kill of nothing', { ...document, kills: [{}] }],
    [
      'a kill with labels that are none',
      { ...document, kills: [{ plugin: 'p', selector: { ring: 1 } }] },
    ],
  ])('is not taken with %s', (_, value) => {
    expect(parsed(value)).toBeUndefined()
  })

  it('may be missing, and no JSON', () => {
    expect(parseRollouts(null)).toBeUndefined()
    expect(parseRollouts('{')).toBeUndefined()
  })
})
