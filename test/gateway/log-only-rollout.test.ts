/** Log-only rollouts in the built Worker: the stable version serves, the candidate runs beside it in the request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { set } from '../support/log-only.ts'
import { callout, PAUSE, type Steps } from '../support/play.ts'
import { pluginPolicy, probe, upstream, upstreamAndRoute } from '../support/policy.ts'
import { weigh } from '../support/rollouts.ts'

let gateway: TestGateway
let kv: KvFiles
let run = 0
beforeAll(async () => {
  gateway = await startGateway({ vars: { REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' } })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())

/** The candidate runs beside the plugin, in all requests of a run of its own. */
async function logOnly(candidate: Steps, spec: object = {}, stable: Steps = {}): Promise<void> {
  run += 1
  const { pluginConfig } = (
    probe('mark', { ...candidate, done: [{ call: 'log', message: `run ${run}` }] }) as {
      spec: { pluginConfig: object }
    }
  ).spec
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    upstream('authz', { url: gateway.origin.url }),
    probe('mark', stable),
    pluginPolicy('mark', { upstreams: ['authz'] }),
    {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'PluginRollout',
      metadata: { name: 'next' },
      spec: {
        targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'mark' },
        candidate: { pluginConfig },
        mode: 'log-only',
        steps: [{ weight: 100, pause: '1h' }],
        ...spec,
      },
    },
  )
  await weigh(kv, 100, { run })
  await eventually(async () => (await get(), counted('postern_log_only_runs_total'))).not.toEqual(
    {},
  )
  gateway.origin.reset()
}

async function get(): Promise<Response> {
  const response = await gateway.fetch('/')
  await response.clone().arrayBuffer()
  return response
}

/** Series of this run, by what tells them apart. */
async function counted(name: string): Promise<Record<string, number>> {
  const text = await (await gateway.admin('/-/metrics')).text()
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(`run="${run}"`))
  const own = /(?:result|class|side)="([^"]*)"/
  return Object.fromEntries(
    lines
      .filter((line) => !line.includes('mode="enforce"'))
      .map((line) => [own.exec(line)?.[1] ?? '', Number(line.split(' ').at(-1))]),
  )
}
const eventually = (ask: () => Promise<unknown>): ReturnType<typeof expect.poll> =>
  expect.poll(ask, { timeout: 10_000, interval: 100 })

describe('a log-only candidate', () => {
  it.each<[string, Steps, string]>([
    ['sets a header', { request_headers: [set('x-a', 'trial')] }, 'request-headers'],
    ['denies', { request_headers: [{ call: 'local_reply', status: 403 }] }, 'local-reply'],
    ['traps', { request_headers: [{ call: 'trap', kind: 'unreachable' }] }, 'trap'],
  ])('that %s is told and counted, and nobody else sees it', async (_, candidate, expected) => {
    await logOnly(candidate)
    const response = await get()
    expect([response.status, await response.text(), gateway.origin.last.header('x-a')]).toEqual([
      200,
      'ok',
      undefined,
    ])
    await eventually(async () =>
      Object.keys(await counted('postern_log_only_differences_total')),
    ).toEqual([expected])
    const requests = await counted('postern_rollout_requests_total')
    expect(requests['stable']).toBe(requests['candidate'])
    expect(gateway.output()).toMatch(/"decision":"log-only".*"mode":"log-only"/)
  })

  const ASKS: Steps = {
    request_headers: [callout(), PAUSE],
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
    ],
  }

  it('makes the calls that it makes, unless they are blocked', async () => {
    await logOnly(ASKS)
    expect((await get()).status).toBe(200)
    await eventually(async () =>
      gateway.origin.requests.map(({ target }) => target).sort(),
    ).toEqual(['/', '/check'])
    await logOnly(ASKS, { logOnly: { callouts: 'block' } })
    expect((await get()).status).toBe(200)
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/'])
  })

  it('is called before the stable version with what a request begins with, and behind it from then on', async () => {
    const says = (who: string): Steps => ({
      request_headers: [
        { call: 'log', message: `${who}: request` },
        ...(who === 'stable' ? [{ call: 'set_property', path: ['trial'], value: 'set' }] : []),
      ],
      response_headers: [
        { call: 'log', message: `${who}: response` },
        { call: 'get_property', path: ['trial'], save: 'trial', quiet: true },
        { call: 'log', message: { concat: [`${who}: `, { saved: 'trial' }] } },
      ],
    })
    await logOnly(says('candidate'), {}, says('stable'))
    const before = gateway.output().length
    expect((await get()).status).toBe(200)
    const told = async (): Promise<string[]> =>
      [
        ...gateway
          .output()
          .slice(before)
          .matchAll(/(?:stable|candidate): \w+/g),
      ].map(([text]) => text)
    await eventually(told).toEqual([
      'candidate: request',
      'stable: request',
      'stable: response',
      'stable: set',
      'candidate: response',
      'candidate: set',
    ])
  })
})
