/** Candidates that clients see no difference of, found out by what they do: in real workerd, from request to rollback. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { ClockedGateway } from '../../support/clocked-gateway.ts'
import { headerProbe, type ProbeSteps, upstreamAndRoute } from '../../support/policy.ts'
import { pluginRollout } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'
const LEAD = 101_000
const AT_ONCE = 50
/** Of both sides together, unless it is over before; one in a hundred has the header `x-rare`. */
const REQUESTS_MAX = 1_500

let clocked: ClockedGateway
beforeAll(async () => {
  clocked = await ClockedGateway.start({
    vars: { REPORT_SECONDS: '0.2', REFRESH_SECONDS: '0.2', RISE_LEAD_SECONDS: '100' },
  })
})
afterAll(() => clocked.stop())
beforeEach(() => clocked.act(ROLLOUT, 'abort'))

const set = (value: string): object => ({ call: 'set_header', name: 'x-a', value })
const added = { call: 'metric_increment', metric: { saved: 'denied' } }
const COUNTING: ProbeSteps = {
  configure: [{ call: 'metric_define', type: 'counter', name: 'shop.denied', save: 'denied' }],
}

interface Trial {
  readonly stable: ProbeSteps
  readonly candidate: ProbeSteps
  readonly metrics: readonly object[]
  readonly mode?: string
  readonly requests?: number
}

/** Runs a rollout of half of the requests, and requests until it is over. @returns how they were answered */
async function tried({
  stable,
  candidate,
  metrics,
  mode = 'enforce',
  requests = REQUESTS_MAX,
}: Trial): Promise<Set<number>> {
  await clocked.gateway.policy(
    upstreamAndRoute(clocked.origin.url),
    headerProbe('mark', stable, { failStrategy: 'FAIL_OPEN' }),
    pluginRollout(
      {
        mode,
        steps: [{ weight: 50, pause: '1s', until: 'passes', timeout: '10m' }],
        analysis: {
          metrics: [{ name: 'server-errors', maxIncrease: 20 }, ...metrics],
          minSamples: 100,
          confidence: 90,
        },
      },
      candidate,
    ),
  )
  await clocked.act(ROLLOUT, 'start')
  await clocked.until(ROLLOUT, 'step 0', ({ step }) => step === 0)
  await clocked.advance(LEAD)
  await clocked.until(ROLLOUT, 'marks', ({ marks }) => marks !== undefined)
  const statuses = new Set<number>()
  for (let sent = 0; sent < requests; sent += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, async (_, index) => {
      const rare = (sent + index) % 100 === 0 ? { 'x-rare': '1' } : {}
      const headers = { 'x-user': `${crypto.randomUUID()}`, ...rare }
      const response = await clocked.gateway.fetch('/', { headers })
      await response.arrayBuffer()
      statuses.add(response.status)
    })
    await Promise.all(batch)
    const { rollouts } = await clocked.record()
    if (sent % 200 === 0 && over(rollouts[ROLLOUT])) break
  }
  return statuses
}

function over(state: RolloutState | undefined): boolean {
  return state !== undefined && state.phase !== 'running'
}

/** @returns what became of the rollout: its phase and reason */
async function outcome(): Promise<string> {
  await clocked.advance(1_000)
  const { phase, reason } = await clocked.until(ROLLOUT, 'an outcome', over)
  return `${phase}: ${reason}`
}

const TRAPS = { name: 'traps', maxIncrease: 0.5 }
const CALLS = { name: 'host-calls', maxIncrease: 2 }
const DENIED = { name: 'plugin-metric', metric: 'shop_denied', maxIncrease: 0.2 }
const TRAPPING: ProbeSteps = {
  request_headers: [set('1'), { call: 'trap', kind: 'unreachable', if: { header: 'x-rare' } }],
}

describe('a candidate that clients see no difference of', () => {
  it.each<[string, Trial]>([
    [
      'traps in one request of a hundred, and fails open',
      { stable: { request_headers: [set('1')] }, candidate: TRAPPING, metrics: [TRAPS] },
    ],
    [
      'makes three host calls more',
      {
        stable: { request_headers: [set('1')] },
        candidate: { request_headers: [set('1'), set('2'), set('3'), set('4')] },
        metrics: [CALLS],
      },
    ],
    [
      'counts more in a metric of its own',
      {
        stable: { ...COUNTING, response_headers: [{ ...added, if: { header: 'x-rare' } }] },
        candidate: { ...COUNTING, response_headers: [added] },
        metrics: [DENIED],
      },
    ],
    ['traps in a shadow', { stable: {}, candidate: TRAPPING, metrics: [TRAPS], mode: 'shadow' }],
  ])('is taken back when it %s', async (_, trial) => {
    expect([...(await tried(trial))]).toEqual([200])
    const { name, metric } = trial.metrics[0] as { name: string; metric?: string }
    const which = [name, metric].filter((part) => part !== undefined).join(' ')
    expect(await outcome()).toBe(`rolled-back: worse in step 1: ${which}`)
  })

  it('goes on when it does as much as the stable version, in another way', async () => {
    const rare = { ...added, if: { header: 'x-rare' } }
    await tried({
      stable: { ...COUNTING, request_headers: [set('1'), rare] },
      candidate: { ...COUNTING, request_headers: [set('2')], response_headers: [rare] },
      metrics: [{ ...TRAPS, maxIncrease: 10 }, CALLS, DENIED],
    })
    expect(await outcome()).toBe('complete: all steps are done; it waits to be promoted')
  })

  it('is told why nothing is known', async () => {
    await tried({ stable: {}, candidate: { log: [set('1')] }, metrics: [DENIED], requests: 50 })
    await clocked.advance(600_000)
    expect(await outcome()).toBe(
      'paused: inconclusive in step 1: no version of the plugin has defined a metric shop_denied so far',
    )
  })
})
