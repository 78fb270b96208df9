/** Ticks in a Worker: with a request under way they come, with none they wait for the next one. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

const TICK_MS = 50

it('run while a request waits for its upstream, and stop with it', async () => {
  const plugin = headerProbe('ticker', {
    configure: [{ call: 'set_tick_period', ms: TICK_MS }],
    tick: [{ call: 'log', message: 'a tick' }],
  })
  await gateway.policy(upstreamAndRoute(gateway.origin.url), plugin)
  const ticks = (): number => gateway.output().split('a tick').length - 1
  gateway.origin.answer(async (exchange) => {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS * 10))
    exchange.reply(200)
  })
  expect((await gateway.fetch('/')).status).toBe(200)
  const during = ticks()
  expect(during).toBeGreaterThanOrEqual(5)
  expect(during).toBeLessThanOrEqual(11)
  await new Promise((resolve) => setTimeout(resolve, TICK_MS * 6))
  expect(ticks()).toBe(during)
  gateway.origin.reset()
  await gateway.fetch('/')
  expect(ticks()).toBe(during + 1)
})
