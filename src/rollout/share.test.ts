import {
  array,
  assert,
  constantFrom,
  integer,
  option,
  property,
  record,
  subarray,
  tuple,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rankOf } from '../config/rollout-modes.ts'
import { ROLLOUT_MODES } from '../config/snapshot-rollout.ts'
import { blackoutBegan } from './blackout.ts'
import { boundOf, saltOf, sideOf } from './pick.ts'
import { type Share, shareAt } from './share.ts'
import type { Move } from './state.ts'

const RING1 = { ring: '1' }
const RING2 = { ring: '2' }
const share = (moves: readonly Move[], labels = {}, now = 100): Share =>
  shareAt(moves, { labels, cap: 'enforce' }, now)

/** shadow on all → one store → a quarter of all → all. */
const MIXED: readonly Move[] = [
  { effectiveAt: 10, weight: 100, mode: 'shadow' },
  { effectiveAt: 20, weight: 100, selector: RING1 },
  { effectiveAt: 30, weight: 25 },
  { effectiveAt: 40, weight: 100 },
]

describe('what of a rollout counts on a node', () => {
  it.each([
    [9, { mode: 'shadow', weight: 0 }, { mode: 'shadow', weight: 0 }],
    [10, { mode: 'shadow', weight: 100 }, { mode: 'shadow', weight: 100 }],
    [20, { mode: 'enforce', weight: 100 }, { mode: 'shadow', weight: 100 }],
    [30, { mode: 'enforce', weight: 100 }, { mode: 'enforce', weight: 25 }],
    [40, { mode: 'enforce', weight: 100 }, { mode: 'enforce', weight: 100 }],
  ])('at %s is the most that a step has given it', (now, first, second) => {
    expect(share(MIXED, RING1, now)).toEqual(first)
    expect(share(MIXED, RING2, now)).toEqual(second)
  })

  it('is nothing after a rollback, whatever came before, until something comes after it', () => {
    const back = [...MIXED, { effectiveAt: 50, weight: 0 }]
    expect(share(back, RING1).weight).toBe(0)
    const again: Move = { effectiveAt: 60, weight: 5, mode: 'log-only' }
    expect(share([...back, again], RING1)).toEqual({ mode: 'log-only', weight: 5 })
  })

  it('is nothing after a rollback, though the clock of the node is behind', () => {
    const moves = [
      { effectiveAt: 10, weight: 50 },
      { effectiveAt: 30, weight: 0 },
    ]
    expect(share(moves, {}, 20).weight).toBe(0)
  })

  it('is never more than the signed snapshot lets the node do', () => {
    expect(shareAt(MIXED, { labels: RING1, cap: 'shadow' }, 35)).toEqual({
      mode: 'shadow',
      weight: 100,
    })
    expect(shareAt([{ effectiveAt: 1, weight: 7 }], { labels: {}, cap: 'log-only' }, 2)).toEqual({
      mode: 'log-only',
      weight: 7,
    })
  })
})

const HOUR = 3_600_000
const selector = option(constantFrom(RING1, RING2, { ring: '1', country: 'de' }), {
  nil: undefined,
})
const weights = constantFrom(0.001, 1, 5, 25, 50, 100)
const rise = tuple(
  integer({ min: 1, max: 6 * HOUR }),
  weights,
  constantFrom(...ROLLOUT_MODES),
  selector,
)

/** Moves as a controller makes them: later and later, modes that never go back. */
const history = array(rise, { minLength: 1, maxLength: 12 }).map((rises) => {
  let effectiveAt = Date.parse('2026-03-04T00:00:00Z')
  let rank = 0
  return rises.map(([ms, weight, mode, on]): Move => {
    effectiveAt += ms
    rank = Math.max(rank, rankOf(mode))
    const reached = ROLLOUT_MODES[rank] ?? 'enforce'
    return { effectiveAt, weight, mode: reached, ...(on === undefined ? {} : { selector: on }) }
  })
})
const node = record({
  labels: constantFrom({}, RING1, RING2, { ring: '1', country: 'de' }, { ring: '3' }),
  cap: constantFrom(...ROLLOUT_MODES),
  blackout: option(
    subarray([
      { from: 60, to: 120 },
      { from: 120, to: 400, days: [3, 4] },
      { from: 1300, to: 30 },
    ]),
    { nil: undefined },
  ),
})
const times = (moves: readonly Move[]): number[] => {
  const end = (moves.at(-1)?.effectiveAt ?? 0) + 24 * HOUR
  const halves = Array.from({ length: 24 * 4 * 2 }, (_, i) => end - i * (HOUR / 2))
  return [...halves, ...moves.flatMap(({ effectiveAt }) => [effectiveAt - 1, effectiveAt])].sort(
    (a, b) => a - b,
  )
}

describe('on any node, whatever the moves, their modes and their nodes', () => {
  it('what counts never becomes less without a rollback, in mode nor in weight of a mode', () => {
    assert(
      property(history, node, (moves, on) => {
        let before: Share = { mode: 'shadow', weight: 0 }
        for (const now of times(moves)) {
          const after = shareAt(moves, on, now)
          expect(rankOf(after.mode)).toBeGreaterThanOrEqual(rankOf(before.mode))
          if (after.mode === before.mode) {
            expect(after.weight).toBeGreaterThanOrEqual(before.weight)
          }
          expect(rankOf(after.mode)).toBeLessThanOrEqual(rankOf(on.cap))
          before = after
        }
      }),
    )
  })

  it('a key that got the candidate keeps it until a rollback, and nobody has it from then on', () => {
    const keys = Array.from({ length: 20 }, (_, i) => `user-${i}`)
    const salt = saltOf('default.next/1')
    const takers = ({ mode, weight }: Share): string[] =>
      mode === 'enforce'
        ? keys.filter((key) => sideOf(salt, key, boundOf(weight)) === 'candidate')
        : []
    assert(
      property(history, node, integer({ min: 0, max: 12 }), (moves, on, at) => {
        const rises = moves.slice(0, at)
        const back = { effectiveAt: (rises.at(-1)?.effectiveAt ?? 0) + HOUR, weight: 0 }
        let before: string[] = []
        for (const now of times([...rises, back])) {
          const after = takers(shareAt([...rises, back], on, now))
          if (now < back.effectiveAt) {
            expect(before.filter((key) => !after.includes(key))).toEqual([])
          } else expect(after).toEqual([])
          before = after
        }
      }),
    )
  })

  it('nothing rises while its blackout lasts, and what was held back counts when it is over', () => {
    assert(
      property(history, node, (moves, on) => {
        const open = { ...on, blackout: undefined }
        for (const now of times(moves)) {
          const began = blackoutBegan(on.blackout ?? [], 'UTC', now)
          const held = began === undefined ? shareAt(moves, open, now) : shareAt(moves, open, began)
          expect(shareAt(moves, on, now)).toEqual(held)
        }
      }),
    )
  })
})
