/** Weights that the controller moves while two isolates are under load: nobody notices but by the version. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { askMany, RolloutLoad } from '../../support/rollout-load.ts'
import { runRollout } from '../../support/rollout-runs.ts'
import { ASKED, marking, pluginRollout, SEEN } from '../../support/rollout-policy.ts'

const ROLLOUT = 'default.next'
const WEIGHTS = [1, 10, 25, 50, 75, 100]
const USERS = Array.from({ length: 120 }, (_, user) => `user-${user}`)

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({
    vars: { REFRESH_SECONDS: '0.1', REPORT_SECONDS: '0.1', RISE_LEAD_SECONDS: '0.6' },
    handler: (exchange) => exchange.reply(200, [[SEEN, exchange.header(ASKED) ?? 'none']], 'ok'),
  })
})
afterAll(() => gateway.stop())

it('weights go up all steps and back: no request fails, none sees two versions, no key turns twice', async () => {
  const steps = WEIGHTS.map((weight) => ({ weight, pause: '200ms' }))
  await gateway.policy(upstreamAndRoute(gateway.origin.url), marking(), pluginRollout({ steps }))
  const urls = [gateway.url, gateway.twin]
  const load = new RolloutLoad(urls, USERS, 12)
  const marks = async (): Promise<readonly (string | null)[]> =>
    (await askMany(80, (n) => [urls[n % 2] ?? '', USERS[n >> 1] ?? ''])).map(
      ({ answered }) => answered,
    )
  try {
    await runRollout(gateway, ROLLOUT, 'complete')
    expect(new Set(await marks())).toEqual(new Set(['new']))
    load.goesBack()
    await runRollout(gateway, ROLLOUT, 'rolled-back')
    await expect.poll(async () => [...new Set(await marks())], { timeout: 30_000 }).toEqual(['old'])
  } finally {
    await load.end()
  }
  expect(load.wrong).toEqual([])
  expect(load.requests).toBeGreaterThan(1_000)
})
