/** The rollout object in real workerd, with real storage and alarms; only the clock is moved. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClockedGateway } from '../../support/clocked-gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The lead of a rise, and what the test itself takes. */
const LEAD = 101_000

let clocked: ClockedGateway
beforeAll(async () => {
  clocked = await ClockedGateway.start({
    vars: { REPORT_SECONDS: '0.2', RISE_LEAD_SECONDS: '100' },
  })
})
afterAll(() => clocked.stop())
// what is running has to be over: the next test starts one of the same name
beforeEach(() => clocked.act(ROLLOUT, 'abort'))

async function started(spec: object): Promise<void> {
  await clocked.gateway.policy(upstreamAndRoute(clocked.origin.url), marking(), pluginRollout(spec))
  const response = await clocked.act(ROLLOUT, 'start')
  expect(await response.text()).toContain('"running"')
}

const untilStep = (step: number): Promise<unknown> =>
  clocked.until(ROLLOUT, `step ${step}`, (state) => state.step === step)
const untilPhase = (phase: string): Promise<{ readonly reason: string }> =>
  clocked.until(ROLLOUT, phase, (state) => state.phase === phase)

async function moves(): Promise<{ weight: number; inMs: number }[]> {
  const { rollouts } = await clocked.record()
  const now = clocked.now()
  return (rollouts[ROLLOUT]?.moves ?? []).map(({ weight, effectiveAt }) => ({
    weight,
    inMs: effectiveAt - now,
  }))
}

describe('steps', () => {
  it('of hours pass in their order, and the last leaves it complete', async () => {
    await started({
      steps: [
        { weight: 1, pause: '1h' },
        { weight: 50, pause: '90m' },
        { weight: 100, pause: '24h' },
      ],
    })
    await untilStep(0)
    for (const [index, pause] of [HOUR, 90 * MINUTE, 24 * HOUR].entries()) {
      const [rise] = (await moves()).slice(-1)
      expect(rise?.inMs).toBeGreaterThan(90_000)
      await clocked.advance(LEAD + pause - MINUTE)
      await new Promise((resolve) => setTimeout(resolve, 400))
      expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ step: index })
      await clocked.advance(MINUTE)
      await (index === 2 ? untilPhase('complete') : untilStep(index + 1))
    }
    expect((await moves()).map(({ weight }) => weight)).toEqual([1, 50, 100])
  })

  it('that wait for an analysis pause when nobody can tell, and go on by hand', async () => {
    await started({
      steps: [
        { weight: 10, pause: '10m', until: 'passes', timeout: '4h' },
        { weight: 100, pause: '1h' },
      ],
      analysis: { metrics: [{ name: 'server-errors', maxIncrease: 1 }] },
    })
    await untilStep(0)
    await clocked.advance(LEAD + 3 * HOUR)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'running', step: 0 })
    await clocked.advance(HOUR)
    expect((await untilPhase('paused')).reason).toMatch(/^inconclusive in step 1/)
    expect((await moves()).map(({ weight }) => weight)).toEqual([10])
    await clocked.act(ROLLOUT, 'resume')
    await clocked.advance(4 * HOUR - MINUTE)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'running', step: 0 })
  })

  it('stay where they are while it is paused, and a rise that is not due is taken back', async () => {
    await started({
      steps: [
        { weight: 10, pause: '1h' },
        { weight: 50, pause: '1h' },
      ],
    })
    await untilStep(0)
    await clocked.advance(LEAD + HOUR)
    await untilStep(1)
    await clocked.act(ROLLOUT, 'pause')
    expect((await moves()).map(({ weight }) => weight)).toEqual([10])
    await clocked.advance(24 * HOUR)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'paused', step: 0 })
    await clocked.act(ROLLOUT, 'resume')
    await clocked.advance(HOUR)
    await untilStep(1)
  })

  it('end with an abort: everybody is stable, and no alarm changes that', async () => {
    await started({ steps: [{ weight: 100, pause: '1h' }] })
    await untilStep(0)
    await clocked.advance(LEAD)
    await clocked.act(ROLLOUT, 'abort')
    await clocked.advance(48 * HOUR)
    const after = await untilPhase('rolled-back')
    expect(after.reason).toBe('aborted by ada')
    expect((await moves()).map(({ weight }) => weight)).toEqual([100, 0])
  })

  it('that do not come to an end by the deadline are rolled back', async () => {
    await started({
      steps: [{ weight: 10, pause: '1h', until: 'passes', timeout: '48h' }],
      analysis: { metrics: [{ name: 'denials', maxIncrease: 1 }] },
      deadline: '24h',
    })
    await untilStep(0)
    await clocked.advance(23 * HOUR)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'running' })
    await clocked.advance(HOUR)
    expect((await untilPhase('rolled-back')).reason).toBe('the deadline has passed')
  })

  it('are over when the candidate is what the plugin is: its requests go on as they were', async () => {
    await started({ steps: [{ weight: 100, pause: '1h' }] })
    await untilStep(0)
    await clocked.advance(LEAD + HOUR)
    await untilPhase('complete')
    await clocked.gateway.policy(
      upstreamAndRoute(clocked.origin.url),
      marking('new'),
      pluginRollout(),
    )
    await clocked.advance(MINUTE)
    await untilPhase('promoted')
  })
})
