/** KV that does not answer at all: whoever looks at rollouts, or takes one back, is answered. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BrokenStore, brokenKv } from '../../support/broken-store.ts'
import { ClockedGateway } from '../../support/clocked-gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'

let kv: BrokenStore
let clocked: ClockedGateway
beforeAll(async () => {
  kv = await brokenKv()
  clocked = await ClockedGateway.start({
    kvAt: kv.address,
    vars: { REPORT_SECONDS: '0.2', RISE_LEAD_SECONDS: '0' },
  })
})
afterAll(async () => {
  await clocked.stop()
  await kv.stop()
})

it('says what it knows of a rollout and what it could not read, also after a restart, and takes it back', async () => {
  const rollout = pluginRollout({ steps: [{ weight: 50, pause: '1h' }] })
  await clocked.gateway.policy(upstreamAndRoute(clocked.origin.url), marking(), rollout)
  await clocked.act(ROLLOUT, 'start')
  await clocked.until(ROLLOUT, 'step 1', ({ step }) => step === 0)
  // the controller's alarm has looked since: what it needs is in its record
  await clocked.advance(60_000)
  const whole = await clocked.record()
  expect(whole).not.toHaveProperty('unseen')
  kv.fault = () => 'silent'
  await clocked.restart('SIGKILL')
  expect(await clocked.record()).toMatchObject({
    rollouts: { [ROLLOUT]: { phase: 'running', step: 0 } },
    views: { [ROLLOUT]: { plugin: 'default.mark', steps: [{ weight: 50, mode: 'enforce' }] } },
    unseen: 'what is active was not read within 2000 ms',
  })
  const aborted = await clocked.act(ROLLOUT, 'abort')
  expect(await aborted.json()).toMatchObject({ rollouts: { [ROLLOUT]: { phase: 'rolled-back' } } })
})
