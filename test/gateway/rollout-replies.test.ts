/** Replies to reports carry rollouts: a rollback is everywhere soon, whatever KV shows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokenKv, type BrokenStore } from '../support/broken-store.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'
import { rolloutResource } from '../support/rollout-policy.ts'

const ROLLOUT = 'default.next'

let kv: BrokenStore
let gateway: TestGateway
beforeAll(async () => {
  kv = await brokenKv()
  gateway = await startGateway({
    kvAt: kv.address,
    vars: { REFRESH_SECONDS: '1', MAX_STALE_SECONDS: '2', REPORT_SECONDS: '0.2' },
  })
  await gateway.policy(upstreamAndRoute(gateway.origin.url), marking('old'), rollout())
})
afterAll(async () => {
  await gateway.stop()
  await kv.stop()
})

const steps = (value: string): object => ({
  response_headers: [{ call: 'set_header', name: 'x-mark', value }],
})
const marking = (value: string): object => headerProbe('mark', steps(value) as never)

const rollout = (): object =>
  rolloutResource(
    'mark',
    { steps: steps('new'), quiet: true, quiet_calls: true },
    { steps: [{ weight: 100, pause: '1h' }] },
  )

async function mark(url: string): Promise<string | null> {
  const response = await fetch(url, { headers: { 'x-user': 'ada' } })
  await response.arrayBuffer()
  return response.headers.get('x-mark')
}

const both = async (): Promise<(string | null)[]> => [
  await mark(gateway.url),
  await mark(gateway.twin),
]

const untilBoth = (value: string): Promise<void> =>
  expect.poll(both, { timeout: 10_000, interval: 50 }).toEqual([value, value])

async function act(action: string): Promise<number> {
  const body = JSON.stringify({ rollout: ROLLOUT, action, by: 'ada' })
  return (await gateway.admin('/-/rollouts', { method: 'POST', body })).status
}

/** Starts a run, and lets KV say of it that everybody has the candidate: nobody waits for the rise. */
async function risen(): Promise<void> {
  expect(await act('start')).toBe(200)
  const published = (): string => String(kv.values.get('rollouts'))
  await expect.poll(published, { timeout: 10_000, interval: 50 }).toMatch(/"effectiveAt":\d/)
  kv.values.set(
    'rollouts',
    published().replace(/"effectiveAt":\d+/, `"effectiveAt":${Date.now() - 1_000}`),
  )
  await untilBoth('new')
}

describe('a rollback', () => {
  it('is on every isolate though KV shows the old value for ever', async () => {
    await risen()
    const old = String(kv.values.get('rollouts'))
    kv.fault = (key) => (key === 'rollouts' ? { instead: old } : 'sound')
    expect(await act('abort')).toBe(200)
    await untilBoth('old')
    // what KV shows is read again and again meanwhile
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await both()).toEqual(['old', 'old'])
    kv.fault = () => 'sound'
  })

  it('is on every isolate though KV can neither be written nor read', async () => {
    await risen()
    kv.fault = () => 'error'
    kv.writeFault = () => 'error'
    expect(await act('abort')).toBe(200)
    await untilBoth('old')
    kv.fault = () => 'sound'
    kv.writeFault = () => 'sound'
  })
})
