/** Shadow rollouts in the built Worker: the stable version serves, the candidate runs behind the response. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pluginVersion } from '../../src/config/plugin-version.ts'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { set } from '../support/log-only.ts'
import { callout, PAUSE, type Steps } from '../support/play.ts'
import { pluginPolicy, probe, upstream, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
let kv: KvFiles
let run = 0
beforeAll(async () => {
  gateway = await startGateway({ vars: { REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' } })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

const plugin = (steps: Steps): object => probe('mark', steps)

/** Both versions run, the candidate as a shadow of all requests; counts are this run's own. */
async function shadow(
  stable: Steps,
  candidate: Steps,
  policy: object = {},
  mode = 'shadow',
): Promise<void> {
  const marked = (steps: Steps, ...more: unknown[]): object => {
    const mark = [set('x-mark', `${run + 1}`), ...(steps['response_headers'] ?? []), ...more]
    return plugin({ ...steps, response_headers: mark })
  }
  const { pluginConfig } = (
    marked(candidate, { call: 'nothing' }) as { spec: { pluginConfig: object } }
  ).spec
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    upstream('authz', { url: gateway.origin.url }),
    marked(stable),
    pluginPolicy('mark', policy),
    {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'PluginRollout',
      metadata: { name: 'next' },
      spec: {
        targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'mark' },
        candidate: { pluginConfig },
        mode,
        key: { type: 'header', name: 'x-user' },
        steps: [{ weight: 100, pause: '1h' }],
      },
    },
  )
  run += 1
  const { snapshot } = JSON.parse(kv.read('active')) as { snapshot: string }
  const { rollouts } = JSON.parse(kv.read(`snapshot.${snapshot}`)) as {
    rollouts: [{ candidate: { module: string; configuration: string } }]
  }
  const state = {
    run,
    candidate: await pluginVersion(rollouts[0].candidate),
    phase: 'running',
    reason: 'by hand',
    moves: [{ effectiveAt: Date.now() - 1000, weight: 100, mode: 'shadow' }],
  }
  kv.put(
    'rollouts',
    JSON.stringify({ version: 1000 + run, rollouts: { 'default.next': state }, kills: [] }),
  )
  if (mode !== 'shadow') return
  // weights are read in the background, by requests
  await expect
    .poll(
      async () => {
        await (await gateway.fetch('/')).arrayBuffer()
        return metrics()
      },
      { timeout: 15_000, interval: 200 },
    )
    .toMatch(new RegExp(`postern_shadow_runs_total\\{.*run="${run}"`))
  gateway.origin.reset()
}

const metrics = async (): Promise<string> => (await gateway.admin('/-/metrics')).text()

/** Series of this run, by the one label that differs. */
async function counted(name: string, label: string): Promise<Record<string, number>> {
  const lines = (await metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(`run="${run}"`))
  return Object.fromEntries(
    lines.map((line) => [
      new RegExp(`${label}="([^"]*)"`).exec(line)?.[1] ?? '',
      Number(line.split(' ').at(-1)),
    ]),
  )
}
const results = (): Promise<Record<string, number>> =>
  counted('postern_shadow_runs_total', 'result')
const differences = (): Promise<Record<string, number>> =>
  counted('postern_shadow_differences_total', 'class')
const eventually = (ask: () => Promise<unknown>): ReturnType<typeof expect.poll> =>
  expect.poll(ask, { timeout: 10_000, interval: 100 })

async function get(path = '/', init: RequestInit = {}): Promise<Response> {
  const response = await gateway.fetch(path, init)
  await response.clone().arrayBuffer()
  return response
}

describe('a shadow', () => {
  it('that does the same is equal', async () => {
    const steps: Steps = { request_headers: [set('x-a', '1')] }
    await shadow(steps, steps)
    const before = (await results())['equal'] ?? 0
    await get()
    await eventually(async () => (await results())['equal']).toBeGreaterThan(before)
    expect(await differences()).toEqual({})
  })

  it.each<[string, Steps, string]>([
    ['sets another header', { request_headers: [set('x-a', 'trial')] }, 'request-headers'],
    ['sets another status', { response_headers: [set(':status', '500')] }, 'status'],
    [
      'denies',
      { request_headers: [{ call: 'local_reply', status: 403, body: 'no' }] },
      'local-reply',
    ],
    ['edits a body', { response_body: [{ call: 'set_body', value: 'trial' }] }, 'response-body'],
    ['traps', { request_headers: [{ call: 'trap', kind: 'unreachable' }] }, 'trap'],
    ['never resumes', { request_headers: [PAUSE] }, 'held'],
  ])('that %s is told, and nobody else sees it', async (_, candidate, expected) => {
    await shadow({}, candidate)
    const response = await get()
    expect([response.status, await response.text(), gateway.origin.last.header('x-a')]).toEqual([
      200,
      'ok',
      undefined,
    ])
    expect(gateway.origin.requests).toHaveLength(1)
    await eventually(async () => (await differences())[expected]).toBeGreaterThan(0)
    expect(Object.keys(await differences())).toEqual([expected])
  })

  it('is what the analysis sees: both sides of the same requests', async () => {
    await shadow({}, { request_headers: [{ call: 'local_reply', status: 403 }] })
    await get()
    await eventually(() => counted('postern_rollout_denials_total', 'side')).toMatchObject({
      candidate: expect.any(Number),
    })
    const requests = await counted('postern_rollout_requests_total', 'side')
    expect(requests['stable']).toBe(requests['candidate'])
    expect(await counted('postern_rollout_denials_total', 'side')).not.toHaveProperty('stable')
  })

  it('is in the decision log, without values of headers', async () => {
    await shadow({}, { request_headers: [set('x-secret', 'hidden-value')] })
    await get()
    await eventually(async () => gateway.output()).toMatch(
      /"decision":"shadow".*"mode":"shadow".*"x-secret":"\*\*\*"/,
    )
    expect(gateway.output()).not.toContain('"hidden-value"')
  })
})

describe('callouts of a shadow', () => {
  const asks: Steps = {
    request_headers: [callout(), PAUSE],
    http_call_response: [
      { call: 'get_header', name: ':status', save: 'status' },
      { call: 'set_effective_context', issuer: true },
      { call: 'set_header', map: 'request', name: 'x-status', value: { saved: 'status' } },
      { call: 'continue_request' },
    ],
  }
  const declared = { upstreams: ['authz'] }

  it('are answered from the record: the origin is asked once', async () => {
    await shadow(asks, asks, declared)
    const before = (await results())['equal'] ?? 0
    expect((await get()).status).toBe(200)
    await eventually(async () => (await results())['equal']).toBeGreaterThan(before)
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/check', '/'])
    expect(await differences()).toEqual({})
  })

  it('that the plugin makes none of reach nobody', async () => {
    await shadow({}, asks, declared)
    await get()
    await eventually(async () => (await differences())['request-headers']).toBeGreaterThan(0)
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/'])
  })
})

describe('what is not compared', () => {
  it('are bodies beyond what is kept, which go on whole', async () => {
    await shadow({}, { request_body: [{ call: 'set_body', value: 'x' }] })
    gateway.origin.answer(async (exchange) => {
      await exchange.body()
      exchange.reply(200)
    })
    const body = 'x'.repeat(300_000)
    expect((await send(`${gateway.url}/`, { method: 'POST', body })).status).toBe(200)
    await eventually(results).toMatchObject({ 'too-large': 1 })
    expect((await gateway.origin.last.body()).length).toBe(body.length)
  })

  it('are requests whose client leaves', async () => {
    await shadow({}, {})
    gateway.origin.answer(() => undefined)
    const client = begin(`${gateway.url}/`)
    client.request.end()
    const exchange = await gateway.origin.request()
    client.leave()
    await exchange.closed()
    gateway.origin.reset()
    // the isolate tells of it with the next request
    await eventually(async () => (await get(), results())).toMatchObject({ incomplete: 1 })
  })
})

describe('weights of a shadow', () => {
  it('do not count for its candidate once that is to take part', async () => {
    const deny: Steps = { request_headers: [{ call: 'local_reply', status: 403 }] }
    await shadow({}, deny)
    await shadow({}, deny, {}, 'enforce')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect((await get()).status).toBe(200)
  })
})
