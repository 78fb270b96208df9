import { describe, expect, it } from 'vitest'
import type { Finding } from './analysis.ts'
import { outlookOf } from './outlook.ts'
import type { RolloutState } from './state.ts'
import { begin, pause } from './steps.ts'
import { BAD, GOOD, ID, START, World } from './testing/controller-world.ts'
import { MINUTE, snapshotRollout } from './testing/rollouts.ts'

const PASSES = { verdict: 'passes' } as Finding
const TOO_EARLY = { verdict: 'inconclusive' } as Finding

function waits(
  state: Partial<RolloutState>,
  finding?: Finding,
  spec: object = {},
  isOff = false,
): string {
  const whole = { ...begin('b', undefined, START), ...state }
  const { waitsFor, until } = outlookOf(
    snapshotRollout(spec),
    whole,
    finding,
    isOff,
    START,
    100_000,
  )
  return until === undefined ? waitsFor : `${waitsFor} +${(until - START) / MINUTE}`
}

describe('what a rollout waits for', () => {
  it.each([
    ['the next look', {}, undefined],
    ['step 1 to take effect +1', { step: 0, since: START + MINUTE }, undefined],
    ['the pause of step 1 +8', { step: 0, since: START - 2 * MINUTE }, undefined],
    ['the next look', { step: 0, since: START - 11 * MINUTE }, undefined],
    [
      'the analysis of step 2 to pass, or it pauses +45',
      { step: 1, since: START - 15 * MINUTE },
      TOO_EARLY,
    ],
    ['the next look', { step: 1, since: START - 15 * MINUTE }, PASSES],
    ['its promotion', { phase: 'complete' as const }, undefined],
    ['', { phase: 'rolled-back' as const }, undefined],
  ])('is %s', (expected, state, finding) => {
    expect(waits(state, finding)).toBe(expected)
  })

  it('is that its candidate runs again, where it is killed on all nodes', () => {
    const expected = 'its candidate to be let run again, for it is killed on all nodes'
    expect(waits({ step: 0, since: START - MINUTE }, undefined, {}, true)).toBe(expected)
    expect(waits({ phase: 'complete' }, undefined, {}, true)).toBe('its promotion')
  })

  it('is somebody, where it is paused, and the end of a blackout in one', () => {
    const paused = pause(begin('b', undefined, START), 'inconclusive in step 2', START)
    expect(waits(paused)).toBe('somebody to resume it: inconclusive in step 2')
    const blackout = [{ from: 7 * 60, to: 9 * 60, timeZone: 'UTC' }]
    expect(waits({ step: 0, since: START - 11 * MINUTE }, undefined, { blackout })).toBe(
      'the end of a blackout',
    )
  })
})

describe('what people see of a rollout', () => {
  it('is its steps and what the analysis says by now, of which nothing is kept', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.counted = GOOD
    const kept = structuredClone(world.stored)
    const { views, riseLeadMs, now } = await world.controller.view()
    expect([riseLeadMs, now]).toEqual([100_000, world.now])
    expect(views?.[ID]).toMatchObject({
      plugin: 'default.pricing',
      steps: [{ weight: 5, mode: 'enforce' }, { weight: 50 }, { weight: 100 }],
      finding: { verdict: 'passes', requests: { stable: 1e6, candidate: 1e6 } },
      outlook: { waitsFor: 'the pause of step 1' },
    })
    world.counted = BAD
    const after = await world.controller.view()
    expect(after.views?.[ID]?.finding?.verdict).toBe('fails')
    expect(world.stored).toEqual(kept)
  })

  it('is what is kept, where nobody can say what is counted', async () => {
    const world = new World()
    await world.act('start')
    world.counted = new Error('down')
    expect(await world.controller.view()).toMatchObject({
      rollouts: { [ID]: { phase: 'running' } },
      unseen: 'down',
    })
  })
})
