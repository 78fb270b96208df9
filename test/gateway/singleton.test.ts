/** Singletons: one vm for a whole gateway in a Durable Object, fed by ticks and queues. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parsePrometheus, valueOf } from '../../src/observe/testing/prometheus-parser.ts'
import { gatewayOf, startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerProbe, pluginPolicy, type ProbeSteps, upstreamAndRoute } from '../support/policy.ts'
import { startWorkerd, type Workerd } from '../support/workerd.ts'

const VARS = { REPORT_SECONDS: '0.2' }

/** A singleton with these steps, its queues under the vm id `jobs`. */
function singleton(name: string, steps: ProbeSteps, policy: object = {}): object[] {
  return [
    headerProbe(name, steps),
    pluginPolicy(name, { singleton: true, vmId: 'jobs', ...policy }),
  ]
}

const ticker = (ms: number, message = 'a tick', more: readonly object[] = []): ProbeSteps => ({
  configure: [{ call: 'set_tick_period', ms }],
  tick: [{ call: 'log', message }, ...more],
})

const said = (workerd: Workerd, message: string): number =>
  workerd.output().split(`${message}\n`).length + workerd.output().split(`${message} `).length - 2

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

async function until(what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 10_000, interval: 20 }).toBe(true)
}

describe('a singleton', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway({ vars: VARS })
  })
  afterAll(() => gateway.stop())

  const base = (): object[] => upstreamAndRoute(gateway.origin.url)

  it('ticks by alarm with no traffic at all, once for all isolates, until it is taken out', async () => {
    await gateway.policy(base(), ...singleton('alone', ticker(100, 'alone ticks')))
    await until(() => said(gateway, 'alone ticks') > 1)
    const before = said(gateway, 'alone ticks')
    await pass(1_000)
    const grown = said(gateway, 'alone ticks') - before
    expect(grown).toBeGreaterThanOrEqual(5)
    expect(grown).toBeLessThanOrEqual(11)
    await gateway.policy(base())
    await pass(300)
    const after = said(gateway, 'alone ticks')
    await pass(500)
    expect(said(gateway, 'alone ticks')).toBe(after)
  })

  it('is in no chain, and the status says where it is', async () => {
    const blocks = { ...ticker(1_000), request_headers: [{ call: 'local_reply', status: 403 }] }
    await gateway.policy(base(), ...singleton('apart', blocks))
    expect((await gateway.fetch('/')).status).toBe(200)
    const { plugins } = await gateway.status()
    expect(plugins).toMatchObject([{ id: 'default.apart', vm: 'singleton' }])
  })

  it('calls upstreams from a tick, and hears their answers', async () => {
    gateway.origin.reset()
    const calls = ticker(200, 'calling', [
      {
        call: 'http_call',
        upstream: 'origin',
        headers: [
          [':method', 'GET'],
          [':path', '/from-singleton'],
          [':authority', 'origin'],
        ],
      },
    ])
    const answered = [{ call: 'log', message: 'the origin answered' }]
    await gateway.policy(base(), ...singleton('caller', { ...calls, http_call_response: answered }))
    await until(() => said(gateway, 'the origin answered') > 1)
    expect(gateway.origin.last.target).toBe('/from-singleton')
  })

  it('gets items from plugins of every isolate, and its metrics are with the others', async () => {
    const takes = {
      configure: [{ call: 'queue_register', name: 'orders', save: 'orders' }],
      queue_ready: [
        { call: 'queue_dequeue', queue: { saved: 'orders' }, save: 'order' },
        { call: 'metric_define', type: 'counter', name: 'taken', save: 'taken' },
        { call: 'metric_increment', metric: { saved: 'taken' } },
        { call: 'shared_data_set', key: 'last', value: { saved: 'order' } },
      ],
    }
    const gives = {
      request_headers: [
        { call: 'queue_resolve', vm: 'jobs', name: 'orders', save: 'orders' },
        { call: 'queue_enqueue', queue: { saved: 'orders' }, value: 'an order' },
      ],
    }
    await gateway.policy(base(), ...singleton('taker', takes), headerProbe('giver', gives))
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const response = await fetch(i % 2 === 0 ? gateway.url : gateway.twin)
        await response.arrayBuffer()
        return response.status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    await expect
      .poll(async () => {
        const text = await (await gateway.admin('/-/metrics')).text()
        const metrics = parsePrometheus(text)
        return [
          valueOf(metrics, 'taken'),
          valueOf(metrics, 'postern_singleton_items_dropped_total'),
        ]
      })
      .toEqual([40, undefined])
    const { nodes } = await gateway.status()
    expect(nodes?.map(({ node }) => node)).toContain('singletons')
  })

  it('is swapped when it changes, and made anew when it traps', async () => {
    await gateway.policy(base(), ...singleton('changing', ticker(100, 'first version')))
    await until(() => said(gateway, 'first version') > 1)
    const traps = ticker(100, 'second version', [
      { call: 'trap', kind: 'unreachable', if: { nth: 2 } },
    ])
    await gateway.policy(base(), ...singleton('changing', traps))
    await until(() => said(gateway, 'second version') > 1)
    const first = said(gateway, 'first version')
    // it traps at its second tick: four ticks take three vms
    await until(() => said(gateway, 'second version') >= 4)
    expect(said(gateway, 'first version')).toBe(first)
  })

  it('that refuses its next configuration goes on with the last good one', async () => {
    await gateway.policy(base(), ...singleton('steady', ticker(100, 'steady ticks')))
    await until(() => said(gateway, 'steady ticks') > 0)
    const refuses = { ...ticker(100, 'never'), configure: [{ call: 'return_false' }] }
    const { result } = await gateway.apply({
      resources: singleton('steady', refuses),
      base: (await gateway.status()).revision,
    })
    expect(result.result).toBe('refused')
    const before = said(gateway, 'steady ticks')
    await until(() => said(gateway, 'steady ticks') > before)
    expect(said(gateway, 'never')).toBe(0)
  })
})

describe('over a restart', () => {
  let folder: string
  let origin: Origin
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-singleton-'))
    origin = await startOrigin()
  })
  afterAll(async () => {
    await origin.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'it ticks again with no traffic, when it would have: %s',
    async (signal) => {
      const first = await startWorkerd({ folder, vars: VARS })
      const period = 3_000
      const began = Date.now()
      await gatewayOf(first, origin).policy(
        upstreamAndRoute(origin.url),
        ...singleton('lasting', ticker(period, `after ${signal}`)),
      )
      await pass(1_500)
      expect(said(first, `after ${signal}`)).toBe(0)
      await first.stop(signal)
      const second = await startWorkerd({ folder, vars: VARS })
      await until(() => said(second, `after ${signal}`) > 0)
      const waited = Date.now() - began
      // with the period counted anew it would have been 4.5 s
      expect(waited).toBeGreaterThan(period - 100)
      expect(waited).toBeLessThan(period + 1_400)
      await until(() => said(second, `after ${signal}`) > 1)
      await second.stop()
    },
  )
})
