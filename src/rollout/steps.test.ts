import { assert, array, constantFrom, integer, property, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import { NO_ROLLOUT_COUNTS, type RolloutCounts } from './counts.ts'
import { shareAt } from './share.ts'
import type { RolloutState } from './state.ts'
import { advance, begin, pause, resume, RISE_LEAD_MS, rollBack } from './steps.ts'
import { errors } from './testing/counts.ts'
import { MINUTE, snapshotRollout } from './testing/rollouts.ts'

const START = Date.parse('2026-03-04T08:00:00Z')
const GOOD = errors([1e6, 5000], [1e6, 5000])
const BAD = errors([1e6, 5000], [10_000, 600])

const NODE = { labels: {}, cap: 'enforce' } as const

/** A rollout that a test takes forward by hand. */
class Played {
  state: RolloutState
  now = START
  readonly #rollout: SnapshotRollout

  constructor(spec: Partial<SnapshotRollout> = {}) {
    this.#rollout = snapshotRollout(spec)
    this.state = begin('b', undefined, START)
  }

  /** Lets time pass, looking every minute. */
  wait(ms: number, counts: RolloutCounts = NO_ROLLOUT_COUNTS): this {
    for (const end = this.now + ms; this.now <= end; this.now += MINUTE) {
      this.state = advance(this.#rollout, this.state, counts, this.now).state
    }
    this.now -= MINUTE
    return this
  }

  get weight(): number {
    const { blackout } = this.#rollout
    return shareAt(this.state.moves, { ...NODE, blackout }, this.now).weight
  }
}

describe('the steps of a rollout', () => {
  it('begin with the first, which takes effect when all nodes can know of it', () => {
    const played = new Played().wait(0)
    expect(played.state).toMatchObject({ phase: 'running', step: 0, since: START + RISE_LEAD_MS })
    expect(played.state.moves).toEqual([{ effectiveAt: START + RISE_LEAD_MS, weight: 5 }])
    expect(RISE_LEAD_MS).toBeGreaterThanOrEqual(90_000)
    expect(played.weight).toBe(0)
    expect(played.wait(2 * MINUTE).weight).toBe(5)
  })

  it('take effect as soon as a deployment says that its nodes read of them', () => {
    const begun = begin('b', undefined, START)
    const { state } = advance(snapshotRollout(), begun, NO_ROLLOUT_COUNTS, START, 3_000)
    expect(state).toMatchObject({ since: START + 3_000, moves: [{ effectiveAt: START + 3_000 }] })
    const atOnce = advance(snapshotRollout(), begun, NO_ROLLOUT_COUNTS, START, 0).state
    expect(shareAt(atOnce.moves, NODE, START).weight).toBe(5)
  })

  it('last as long as their pause, counted from when they took effect', () => {
    const played = new Played().wait(11 * MINUTE)
    expect(played.state.step).toBe(0)
    expect(played.wait(MINUTE).state.step).toBe(1)
  })

  it('wait for the analysis where they say so', () => {
    const played = new Played().wait(13 * MINUTE)
    expect(played.wait(40 * MINUTE).state).toMatchObject({ step: 1, phase: 'running' })
    expect(played.wait(MINUTE, GOOD).state.step).toBe(2)
  })

  it('pause when the analysis cannot tell for too long', () => {
    const played = new Played().wait(80 * MINUTE)
    expect(played.state).toMatchObject({ phase: 'paused', step: 1 })
    expect(played.state.reason).toMatch(/^inconclusive in step 2/)
    expect(played.wait(600 * MINUTE).weight).toBe(50)
  })

  it('end with the last weight, which waits to be promoted and is watched still', () => {
    const played = new Played().wait(14 * MINUTE).wait(40 * MINUTE, GOOD)
    expect(played.state.phase).toBe('complete')
    expect(played.weight).toBe(100)
    const worse = errors([1e6, 5000], [2e6, 105_000])
    expect(played.wait(MINUTE, worse).state.phase).toBe('rolled-back')
    expect(played.weight).toBe(0)
  })

  it('compare the last one with who was stable in the step before', () => {
    const played = new Played().wait(14 * MINUTE).wait(13 * MINUTE, GOOD)
    expect(played.state).toMatchObject({
      step: 2,
      marks: { stable: { requests: 0 }, candidate: { requests: 1e6 } },
    })
  })

  it('go back at once when the candidate is worse, saying in what', () => {
    const played = new Played().wait(5 * MINUTE).wait(0, BAD)
    expect(played.state).toMatchObject({
      phase: 'rolled-back',
      reason: 'worse in step 1: server-errors',
    })
    expect(played.weight).toBe(0)
    expect(played.wait(600 * MINUTE, GOOD).weight).toBe(0)
  })

  it('pause at the weight they have where that is asked for, until they are resumed', () => {
    const played = new Played({ onFailure: 'pause' }).wait(5 * MINUTE).wait(0, BAD)
    expect(played.state.phase).toBe('paused')
    expect(played.weight).toBe(5)
    played.state = resume(played.state, 'resumed by ada', played.now)
    // what was counted before is no longer looked at
    expect(played.wait(9 * MINUTE, BAD).state.phase).toBe('running')
  })

  it('do not count what came before they took effect', () => {
    const played = new Played().wait(0, BAD).wait(2 * MINUTE, BAD)
    expect(played.wait(5 * MINUTE, BAD).state.phase).toBe('running')
  })

  it('end at the deadline, paused or not, but not when they are through', () => {
    const deadline = { deadlineMs: 60 * MINUTE }
    expect(new Played(deadline).wait(59 * MINUTE).state.phase).toBe('running')
    expect(new Played(deadline).wait(60 * MINUTE).state).toMatchObject({
      phase: 'rolled-back',
      reason: 'the deadline has passed',
    })
    const paused = new Played(deadline)
    paused.state = pause(paused.wait(20 * MINUTE).state, 'by ada', paused.now)
    expect(paused.wait(40 * MINUTE).state.phase).toBe('rolled-back')
    const through = new Played(deadline).wait(14 * MINUTE).wait(40 * MINUTE, GOOD)
    expect(through.wait(100 * MINUTE, GOOD).state.phase).toBe('complete')
  })

  it('are not entered in a blackout whose time zone is known', () => {
    const blackout = [{ from: 8 * 60, to: 10 * 60, timeZone: 'UTC' }]
    const played = new Played({ blackout }).wait(117 * MINUTE)
    expect(played.state.step).toBe(-1)
    expect(played.wait(2 * MINUTE).state.step).toBe(0)
  })
})

describe('what an operator does to a rollout', () => {
  it('takes back a rise that has not taken effect when it pauses', () => {
    const played = new Played().wait(0)
    played.state = pause(played.state, 'by ada', played.now)
    expect(played.state).toMatchObject({ phase: 'paused', step: -1, moves: [] })
    expect(played.wait(60 * MINUTE).weight).toBe(0)
    played.state = resume(played.state, 'by ada', played.now)
    expect(played.wait(2 * MINUTE).weight).toBe(5)
  })

  it('makes a rollback final: no rise that was decided before comes after it', () => {
    const played = new Played().wait(12 * MINUTE)
    expect(played.state.moves.at(-1)?.weight).toBe(50)
    played.state = rollBack(played.state, 'by ada', played.now)
    expect(played.wait(60 * MINUTE, GOOD).weight).toBe(0)
  })

  it('begins a run of its own number', () => {
    const first = begin('b', undefined, START)
    expect(begin('b', rollBack(first, 'by ada', START), START + 1)).toMatchObject({
      run: 2,
      phase: 'running',
      moves: [],
    })
  })
})

describe('whatever happens to a rollout', () => {
  const counts = constantFrom(NO_ROLLOUT_COUNTS, GOOD, BAD, errors([1e5, 500], [1e5, 500]))
  const command = constantFrom('none', 'none', 'none', 'pause', 'resume', 'roll back')
  const turn = tuple(integer({ min: 0, max: 90 * MINUTE }), counts, command)

  it('a rise is decided ahead of time, one step at once, and never after a rollback', () => {
    assert(
      property(array(turn, { maxLength: 40 }), (turns) => {
        const rollout = snapshotRollout()
        let now = START
        let state = begin('b', undefined, now)
        for (const [ms, seen, what] of turns) {
          now += ms
          const before = state
          if (what === 'pause' && state.phase === 'running') state = pause(state, 'x', now)
          if (what === 'resume' && state.phase === 'paused') state = resume(state, 'x', now)
          if (what === 'roll back') state = rollBack(state, 'x', now)
          const advanced = advance(rollout, state, seen, now)
          expect(advance(rollout, state, seen, now)).toEqual(advanced)
          state = advanced.state
          expect(state.step).toBeLessThanOrEqual(before.step + 1)
          const weight = (one: RolloutState, at: number): number =>
            shareAt(one.moves, NODE, at).weight
          // what counts now was decided before, or is less
          expect(weight(state, now)).toBeLessThanOrEqual(weight(before, now))
          expect(weight(state, now + 89_999)).toBeLessThanOrEqual(weight(before, now + 89_999))
          if (before.phase === 'rolled-back') expect(weight(state, Infinity)).toBe(0)
        }
      }),
    )
  })
})
