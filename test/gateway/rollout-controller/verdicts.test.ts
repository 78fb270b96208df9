/** From requests to the verdict: what nodes counted, sent home, and the controller made of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClockedGateway } from '../../support/clocked-gateway.ts'
import { ask, askMany } from '../../support/rollout-load.ts'
import { marks } from '../../support/rollout-policy.ts'
import {
  halfInside,
  ROLLOUT,
  startTrial,
  startTrials,
  traffic,
  trafficUntil,
  untilCounting,
} from '../../support/rollout-trial.ts'

const MINUTE = 60_000
const PATIENCE = { timeout: 10_000, interval: 100 }

let clocked: ClockedGateway
beforeAll(async () => (clocked = await startTrials()))
afterAll(() => clocked.stop())

const errors = (maxIncrease: number): object[] => [{ name: 'server-errors', maxIncrease }]

/** One request in twenty is such that a bad candidate fails on it. */
const FAILS = { call: 'local_reply', status: 503, if: { header_is: ['x-basket', 'broken'] } }
const broken = (): Record<string, string> => (Math.random() < 0.05 ? { 'x-basket': 'broken' } : {})

describe('a candidate', () => {
  it('with five points more server errors is rolled back by itself, and everybody is stable', async () => {
    await startTrial(clocked, marks('new', [FAILS]), errors(1))
    const { reason } = await trafficUntil(clocked, ({ phase }) => phase === 'rolled-back', broken)
    expect(reason).toBe('worse in step 1: server-errors')
    const { history } = await clocked.record()
    expect(history.at(-1)).toMatchObject({
      phase: 'rolled-back',
      weight: 0,
      finding: { verdict: 'fails', metrics: [{ name: 'server-errors', verdict: 'fails' }] },
    })
    const users = halfInside(1)
    for (const url of [clocked.gateway.url, clocked.gateway.twin]) {
      const others = async (): Promise<unknown[]> =>
        (await askMany(100, (n) => [url, users[n] ?? ''])).filter(
          ({ answered }) => answered !== 'old',
        )
      await expect.poll(others, PATIENCE).toEqual([])
    }
  })

  it('that is not worse passes every step, and everybody has it', async () => {
    await startTrial(clocked, marks('new'), errors(10))
    await clocked.advance(MINUTE)
    await trafficUntil(clocked, ({ step }) => step === 1)
    await untilCounting(clocked)
    await clocked.advance(MINUTE)
    await trafficUntil(clocked, ({ phase }) => phase === 'complete')
    const { twin } = clocked.gateway
    await expect.poll(async () => (await ask(twin, 'somebody')).answered, PATIENCE).toBe('new')
    const { history } = await clocked.record()
    expect(history.slice(-2)).toMatchObject([
      { phase: 'running', step: 1, weight: 100, finding: { verdict: 'passes' } },
      { phase: 'complete', finding: { verdict: 'passes' } },
    ])
  })

  it('of which too little is seen in time is left at its weight, for somebody to look', async () => {
    await startTrial(clocked, marks('new'), errors(1))
    await traffic(clocked, 200)
    await clocked.advance(240 * MINUTE)
    const state = await clocked.until(ROLLOUT, 'paused', ({ phase }) => phase === 'paused')
    expect(state.reason).toMatch(/^inconclusive in step 1/)
    expect(state.moves.map(({ weight }) => weight)).toEqual([10])
    const { history } = await clocked.record()
    expect(history.at(-1)).toMatchObject({ phase: 'paused', finding: { verdict: 'inconclusive' } })
  })
})
