/** Reports that are lost, doubled, late or cut off: what the analysis sees is what there was. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClockedGateway } from '../../support/clocked-gateway.ts'
import { marks } from '../../support/rollout-policy.ts'
import {
  ROLLOUT,
  startTrial,
  startTrials,
  traffic,
  trafficUntil,
} from '../../support/rollout-trial.ts'

const HOUR = 3_600_000
const METRICS = [{ name: 'server-errors', maxIncrease: 10 }]

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

let clocked: ClockedGateway
beforeAll(async () => (clocked = await startTrials({ reports: 'flaky' })))
afterAll(() => clocked.stop())

/** What has come home of both sides. */
async function counted(run: number): Promise<number> {
  const text = await (await clocked.gateway.admin('/-/metrics')).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith('postern_rollout_requests_total{'))
    .filter((line) => line.includes(`run="${run}"`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

it('a request counts once, whether its report is cut off, comes twice, late, or not at first', async () => {
  await startTrial(clocked, marks('new'), METRICS)
  const { rollouts } = await clocked.record()
  const run = rollouts[ROLLOUT]?.run ?? 0
  let sent = 0
  const send = async (count: number): Promise<void> => {
    await traffic(clocked, count)
    sent += count
    await sleep(400)
  }
  for (const mode of ['deaf', 'twice', 'late', 'down', 'deaf', 'late'] as const) {
    await clocked.gateway.flaky(mode)
    await send(40)
    await send(4)
  }
  await clocked.gateway.flaky('sound')
  let home = 0
  // what the last requests counted comes home with a report that the next ones plan
  for (let tries = 0; home !== sent && tries < 12; tries++) {
    await send(4)
    home = await counted(run)
    expect(home).toBeLessThanOrEqual(sent)
  }
  expect(home).toBe(sent)
})

it('weights stay while nobody can say what was counted, and go on when somebody can', async () => {
  await startTrial(clocked, marks('new'), METRICS)
  await trafficUntil(clocked, ({ marks: counting }) => counting !== undefined)
  await clocked.gateway.flaky('down')
  await clocked.advance(24 * HOUR)
  await traffic(clocked, 200)
  await sleep(500)
  expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'running', step: 0 })
  await clocked.gateway.flaky('sound')
  await clocked.advance(10_000)
  await clocked.until(ROLLOUT, 'further', ({ phase, step }) => phase === 'paused' || step === 1)
})
