/** A controller that dies in real workerd at each of its writes in turn. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RolloutsDocument } from '../../../src/rollout/record.ts'
import { ClockedGateway } from '../../support/clocked-gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'
const HOUR = 3_600_000
const LEAD = 101_000
/**
 * Of the writes of a turn that moves (an alarm before each of three records, and the document before the
 * last of them) those behind which something else has been kept. workerd calls an alarm again that broke
 * off, after some two seconds.
 */
const WRITES = [1, 2, 4, 5, 7]

let clocked: ClockedGateway
beforeAll(async () => {
  // it looks once in ten seconds: what it writes between two steps is written for them
  clocked = await ClockedGateway.start({ vars: { REPORT_SECONDS: '20', RISE_LEAD_SECONDS: '100' } })
})
afterAll(() => clocked.stop())

/** When each weight counts, as nodes read it. */
function published(): readonly string[] {
  const text = kvFiles(clocked.gateway.kv).read('rollouts')
  const { rollouts } = JSON.parse(text) as RolloutsDocument
  return (rollouts[ROLLOUT]?.moves ?? []).map(
    ({ weight, effectiveAt }) => `${weight} from ${effectiveAt}`,
  )
}

it('takes every step once, and what nodes have read of a rise stays as they have read it', async () => {
  const steps = [0, ...WRITES].map((_, step) => ({ weight: step + 1, pause: '1h' }))
  const origin = upstreamAndRoute(clocked.origin.url)
  await clocked.gateway.policy(origin, marking(), pluginRollout({ steps }))
  await clocked.act(ROLLOUT, 'start')
  await clocked.until(ROLLOUT, 'step 0', ({ step }) => step === 0)
  for (const [index, write] of WRITES.entries()) {
    const deaths = index + 1
    await clocked.dieAt(write)
    await clocked.advance(LEAD + HOUR)
    await expect.poll(async () => (await clocked.deaths()).length, { timeout: 8_000 }).toBe(deaths)
    const read = published()
    // who comes next goes on
    await clocked.advance(20_000)
    await clocked.until(ROLLOUT, `step ${deaths}`, ({ step }) => step === deaths)
    await expect.poll(() => published().length, { timeout: 8_000 }).toBe(deaths + 1)
    expect(published().slice(0, read.length)).toEqual(read)
  }
  const kinds = await clocked.deaths()
  expect([...new Set(kinds)].sort()).toEqual(['alarm', 'document', 'record'])
  const { history } = await clocked.record()
  expect(history.map(({ step, weight }) => `${step} ${weight}`)).toEqual([
    '-1 0',
    ...steps.map(({ weight }, step) => `${step} ${weight}`),
  ])
})
