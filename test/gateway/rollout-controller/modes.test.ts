/** One rollout through all its modes and rings by the real controller; and one that goes back in each mode. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClockedGateway } from '../../support/clocked-gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { askMany } from '../../support/rollout-load.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'
import {
  LEAD_MS,
  ROLLOUT,
  startTrials,
  traffic,
  trafficUntil,
  untilCounting,
} from '../../support/rollout-trial.ts'
import type { Workerd } from '../../support/workerd.ts'

const HOUR = 3_600_000
const PATIENCE = { timeout: 10_000, interval: 50 }
const USERS = Array.from({ length: 40 }, (_, user) => `user-${user}`)

/** The stores of ring 2, whose gateway has the controller, and the one of ring 1. */
let clocked: ClockedGateway
let one: Workerd
beforeAll(async () => {
  clocked = await startTrials({ vars: { NODE_LABELS: 'ring=2' } })
  one = await clocked.another({ NODE_LABELS: 'ring=1' })
})
afterAll(() => clocked.stop())

/** How many of the users have the candidate at the store of ring 1, and at the others. */
async function taken(): Promise<readonly number[]> {
  const at = async (url: string): Promise<number> => {
    const told = await askMany(USERS.length, (n) => [url, USERS[n] ?? ''])
    return told.filter(({ answered, status }) => status === 200 && answered === 'new').length
  }
  return [await at(one.url), await at(clocked.gateway.url)]
}

/** Pairs that the store of ring 1, or the others, have compared in a mode. */
async function pairs(at: Pick<Workerd, 'admin'>, mode: string): Promise<number> {
  const text = await (await at.admin('/-/metrics')).text()
  const line = text
    .split('\n')
    .find((series) => series.startsWith(`postern_rollout_requests_total{mode="${mode}"`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

it('goes from shadow over log-only to one ring, a quarter, all, and is promoted', async () => {
  const origin = upstreamAndRoute(clocked.origin.url)
  const steps = [
    { mode: 'shadow', weight: 100, pause: '1h' },
    { mode: 'log-only', weight: 100, pause: '1h' },
    { weight: 100, pause: '1h', selector: { matchLabels: { ring: '1' } } },
    { weight: 25, pause: '1h' },
    { weight: 100, pause: '1h' },
  ]
  await clocked.gateway.policy(origin, marking(), pluginRollout({ steps }))
  await clocked.act(ROLLOUT, 'start')
  const all = USERS.length
  /** Lets the step's weight count, until it is as told there, and then its hour pass. */
  const step = async (index: number, holds: () => Promise<unknown>): Promise<void> => {
    await clocked.until(ROLLOUT, `step ${index}`, (state) => state.step === index)
    await clocked.advance(LEAD_MS)
    await expect.poll(holds, PATIENCE).toBe(true)
    await clocked.advance(HOUR)
  }
  for (const [index, mode] of ['shadow', 'log-only'].entries()) {
    const before = await Promise.all([pairs(one, mode), pairs(clocked.gateway, mode)])
    expect(before).toEqual([0, 0])
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await step(index, async () => {
      expect(await taken()).toEqual([0, 0])
      return (await pairs(one, mode)) > 0 && (await pairs(clocked.gateway, mode)) > 0
    })
  }
  const beside = await pairs(clocked.gateway, 'log-only')
  await step(2, async () => {
    const [ring1, others] = await taken()
    expect(others).toBe(0)
    return ring1 === all && (await pairs(clocked.gateway, 'log-only')) > beside
  })
  await step(3, async () => {
    const [ring1, others = 0] = await taken()
    expect(ring1).toBe(all)
    return others > 0 && others < all / 2
  })
  await step(4, async () => (await taken()).every((count) => count === all))
  await clocked.until(ROLLOUT, 'complete', ({ phase }) => phase === 'complete')
  const { revision: base } = await clocked.gateway.status()
  const body = { rollout: ROLLOUT, base, by: 'ada', why: '', dryRun: false, force: false }
  const promoted = await clocked.gateway.admin('/-/rollouts/promote', {
    method: 'POST',
    body: JSON.stringify(body),
  })
  expect(await promoted.json()).toMatchObject({ result: 'applied' })
  await clocked.until(ROLLOUT, 'promoted', ({ phase }) => phase === 'promoted')
  expect(await taken()).toEqual([all, all])
})

it.each(['shadow', 'log-only', 'enforce'])(
  'a candidate that turns requests away goes back in mode %s, and who was turned away is let in',
  async (mode) => {
    const candidate = { request_headers: [{ call: 'local_reply', status: 403 }] }
    const rollout = pluginRollout(
      {
        steps: [{ mode, weight: 50, pause: '1m', until: 'passes', timeout: '4h' }],
        analysis: {
          metrics: [{ name: 'denials', maxIncrease: 1 }],
          minSamples: 50,
          confidence: 95,
        },
      },
      candidate,
    )
    const origin = upstreamAndRoute(clocked.origin.url)
    await clocked.gateway.policy(origin, marking('before'), rollout)
    await clocked.act(ROLLOUT, 'start')
    await clocked.until(ROLLOUT, 'step 0', (state) => state.step === 0)
    await untilCounting(clocked)
    const { reason } = await trafficUntil(clocked, ({ phase }) => phase === 'rolled-back')
    expect(reason).toMatch(/^worse in step 1: denials/)
    await expect
      .poll(async () => (await traffic(clocked, 60)).map(({ status }) => status), PATIENCE)
      .toEqual(Array.from({ length: 60 }, () => 200))
  },
)
