/** Candidates that are bad in other ways than by the answers they give: each is found out by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClockedGateway } from '../../support/clocked-gateway.ts'
import { type Origin, startOrigin } from '../../support/origin.ts'
import { pluginPolicy, upstream, upstreamAndRoute } from '../../support/policy.ts'
import { marking, marks, pluginRollout } from '../../support/rollout-policy.ts'
import {
  ROLLOUT,
  startTrial,
  startTrials,
  traffic,
  trafficUntil,
} from '../../support/rollout-trial.ts'

const SLOW_MS = 80
/** As long as a plugin may hold a request here. */
const PAUSE_MS = 150

let clocked: ClockedGateway
let slow: Origin
beforeAll(async () => {
  slow = await startOrigin(async (exchange) => {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
    exchange.reply(200, [], 'late')
  })
  clocked = await startTrials()
})
afterAll(async () => {
  await clocked.stop()
  await slow.stop()
})

const untilRolledBack = async (headers?: () => Record<string, string>): Promise<string> =>
  (await trafficUntil(clocked, ({ phase }) => phase === 'rolled-back', headers)).reason

const CALL = {
  call: 'http_call',
  upstream: 'slow',
  headers: [
    [':method', 'GET'],
    [':path', '/'],
    [':authority', 'slow'],
  ],
}

describe('a candidate', () => {
  it('that traps on one request in a hundred is rolled back', async () => {
    const traps = { call: 'trap', kind: 'unreachable', if: { header_is: ['x-basket', 'broken'] } }
    await startTrial(clocked, marks('new', [traps]), [{ name: 'server-errors', maxIncrease: 0.1 }])
    let sent = 0
    const headers = (): Record<string, string> =>
      sent++ % 100 === 0 ? { 'x-basket': 'broken' } : {}
    expect(await untilRolledBack(headers)).toBe('worse in step 1: server-errors')
  })

  it('that answers later, since it asks somebody slow first, is rolled back by the time it takes', async () => {
    const asks = marks('new', [CALL, { call: 'return', action: 1 }])
    asks['http_call_response'] = [
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
    ]
    await startTrial(
      clocked,
      asks,
      [{ name: 'wall-time', maxIncrease: 20 }],
      [upstream('slow', { url: slow.url })],
    )
    expect(await untilRolledBack()).toBe('worse in step 1: wall-time')
  })

  it('that asks again whenever it is answered, and never goes on, is rolled back', async () => {
    const asks = marks('new', [CALL, { call: 'return', action: 1 }])
    asks['http_call_response'] = [{ call: 'set_effective_context', issuer: true }, CALL]
    await startTrial(
      clocked,
      asks,
      [{ name: 'server-errors', maxIncrease: 1 }],
      [
        upstream('slow', { url: slow.url }),
        pluginPolicy('mark', { limits: { pauseMs: PAUSE_MS } }),
      ],
    )
    expect(await untilRolledBack()).toBe('worse in step 1: server-errors')
    // nothing of it is left behind
    await clocked.gateway.until('without its requests', ({ vms }) => vms.contexts <= 2)
  })

  it('that does not start is refused, and the one that is on its way goes on', async () => {
    await startTrial(clocked, marks('new'), [{ name: 'server-errors', maxIncrease: 1 }])
    const resources = [
      ...upstreamAndRoute(clocked.origin.url),
      marking(),
      pluginRollout({}, { configure: [{ call: 'return_false' }] }),
    ]
    const { revision: base } = await clocked.gateway.status()
    const { status, result } = await clocked.gateway.apply({ resources, base, prune: true })
    expect([status, JSON.stringify(result)]).toEqual([
      422,
      expect.stringContaining('default.mark (candidate)'),
    ])
    const told = await traffic(clocked, 100)
    expect(new Set(told.map(({ answered }) => answered))).toEqual(new Set(['old', 'new']))
    expect((await clocked.record()).rollouts[ROLLOUT]).toMatchObject({ phase: 'running', step: 0 })
  })
})
