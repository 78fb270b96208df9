/** A rollout that is stopped and started again at each of its steps, in every way, comes to the same end. */
import { afterEach, expect, it } from 'vitest'
import { ClockedGateway } from '../../support/clocked-gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'
const HOUR = 3_600_000
const LEAD = 101_000
const STEPS = [
  { weight: 5, pause: '1h' },
  { weight: 100, pause: '1h' },
]

let clocked: ClockedGateway
afterEach(() => clocked.stop())

/** What happened, without the time at which it did. */
async function story(): Promise<string[]> {
  const { history } = await clocked.record()
  return history.map(({ phase, step, weight, reason }) => `${phase} ${step} ${weight} ${reason}`)
}

it('a gateway that is ended at each step, before and after its weight counts, takes all of them once', async () => {
  clocked = await ClockedGateway.start({
    vars: { REPORT_SECONDS: '0.2', RISE_LEAD_SECONDS: '100' },
  })
  const origin = upstreamAndRoute(clocked.origin.url)
  await clocked.gateway.policy(origin, marking(), pluginRollout({ steps: STEPS }))
  await clocked.act(ROLLOUT, 'start')
  const known: string[] = []
  for (let step = 0; step < STEPS.length; step++) {
    await clocked.until(ROLLOUT, `step ${step}`, (state) => state.step === step)
    await clocked.restart('SIGKILL')
    await clocked.advance(LEAD)
    await clocked.restart('SIGTERM')
    const { rollouts } = await clocked.record()
    known.push((rollouts[ROLLOUT]?.moves ?? []).map(({ weight }) => weight).join())
    await clocked.advance(HOUR)
  }
  await clocked.until(ROLLOUT, 'complete', ({ phase }) => phase === 'complete')
  expect(known).toEqual(['5', '5,100'])
  expect(await story()).toEqual([
    'running -1 0 started by ada',
    'running 0 5 step 1 of 2',
    'running 1 100 step 2 of 2',
    'complete 1 100 all steps are done; it waits to be promoted',
  ])
})
