/** What a scrape of a running gateway says: the gateway's own metrics and those of plugins. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type ParsedFamily,
  parsePrometheus,
  valueOf,
} from '../../src/observe/testing/prometheus-parser.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, probe, route, upstream, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  const tags = [{ tag_name: 'store', regex: '(_store_(\\d+))' }]
  gateway = await startGateway({ vars: { METRIC_TAGS: JSON.stringify(tags) } })
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

type Metrics = (name: string, labels?: Readonly<Record<string, string>>) => number

/** A scrape; series that are not there count 0. */
async function scrape(): Promise<Metrics & { readonly families: Map<string, ParsedFamily> }> {
  const response = await gateway.admin('/-/metrics')
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const families = parsePrometheus(await response.text())
  const value: Metrics = (name, labels) => valueOf(families, name, labels) ?? 0
  return Object.assign(value, { families })
}

const counted = (name: string, amount = 1, type = 'counter'): object[] => [
  { call: 'metric_define', type, name, save: name },
  {
    call: type === 'counter' ? 'metric_increment' : 'metric_record',
    metric: { saved: name },
    value: amount,
  },
]

describe('metrics of plugins', () => {
  it('are seen with labels, and go on over a trap and a swap', async () => {
    const steps = {
      request_headers: [
        { call: 'trap', kind: 'unreachable', if: { path: '/trap' } },
        ...counted('seen_store_042', 2),
        ...counted('method=.=GET;.;istio_seen'),
        ...counted('open', 7, 'gauge'),
        ...counted('size', 30, 'histogram'),
      ],
    }
    await gateway.policy(upstreamAndRoute(gateway.origin.url), probe('meter', steps))
    for (const path of ['/', '/', '/trap']) await gateway.fetch(path)
    const before = await scrape()
    expect(before('seen', { store: '042' })).toBe(4)
    expect(before('istio_seen', { method: 'GET' })).toBe(2)
    expect(before('open')).toBe(7)
    expect(before('size_bucket', { le: '50' })).toBe(2)
    expect(before('postern_plugin_traps_total', { plugin_name: 'default.meter' })).toBe(1)
    expect(before('postern_plugin_failed_closed_total', { plugin_name: 'default.meter' })).toBe(1)

    const next = probe('meter', { ...steps, response_headers: [] })
    await gateway.policy(upstreamAndRoute(gateway.origin.url), next)
    await gateway.fetch('/')
    const after = await scrape()
    expect(after('seen', { store: '042' })).toBe(6)
    expect(after('size_count')).toBe(3)
    expect(after('postern_config_revision')).toBe(before('postern_config_revision') + 1)
  })
})

describe('metrics of the gateway', () => {
  it('count answers by route and class, and those of no route', async () => {
    const refuses = headerProbe('refuses', {
      request_headers: [{ call: 'local_reply', status: 403, if: { path: '/shop/no' } }],
    })
    await gateway.policy(
      [upstream('origin', { url: gateway.origin.url }), route('shop', '/shop', 'origin')],
      refuses,
    )
    const before = await scrape()
    for (const path of ['/shop/a', '/shop/b', '/shop/no', '/elsewhere']) await gateway.fetch(path)
    const after = await scrape()
    const grown: Metrics = (name, labels) => after(name, labels) - before(name, labels)
    const route2 = { envoy_route: 'default/shop', envoy_response_code_class: '2' }
    expect(grown('envoy_vhost_route_upstream_rq_xx', route2)).toBe(2)
    expect(
      grown('envoy_vhost_route_upstream_rq_xx', { ...route2, envoy_response_code_class: '4' }),
    ).toBe(1)
    expect(grown('envoy_http_downstream_rq_xx', { envoy_response_code_class: '4' })).toBe(2)
    expect(grown('envoy_http_no_route')).toBe(1)
    expect(grown('envoy_http_downstream_rq_time_count')).toBe(4)
    expect(grown('postern_plugin_local_replies_total', { plugin_name: 'default.refuses' })).toBe(1)
    expect(
      grown('envoy_cluster_upstream_rq_xx', {
        envoy_cluster_name: 'origin',
        envoy_response_code_class: '2',
      }),
    ).toBe(2)
  })

  it('count what becomes of upstreams', async () => {
    await gateway.policy(
      upstream('slow', { url: gateway.origin.url, timeoutMs: 50 }),
      upstream('dead', { url: 'http://127.0.0.1:9' }),
      route('slow', '/slow', 'slow'),
      route('dead', '/dead', 'dead'),
    )
    gateway.origin.answer(() => undefined)
    expect((await gateway.fetch('/slow')).status).toBe(504)
    expect((await gateway.fetch('/dead')).status).toBe(502)
    const now = await scrape()
    expect(now('envoy_cluster_upstream_rq_timeout', { envoy_cluster_name: 'slow' })).toBe(1)
    expect(now('envoy_cluster_upstream_cx_connect_fail', { envoy_cluster_name: 'dead' })).toBe(1)
  })

  it('count retries, and how often an upstream was left alone', async () => {
    await gateway.policy(
      upstream('frail', {
        url: gateway.origin.url,
        retries: { codes: [503], attempts: 2, backoffMs: 1 },
        outlierDetection: { consecutive5xxErrors: 3, baseEjectionMs: 60_000 },
      }),
      route('frail', '/', 'frail'),
    )
    gateway.origin.answer((exchange) => exchange.reply(503))
    expect((await gateway.fetch('/')).status).toBe(503)
    expect((await gateway.fetch('/')).status).toBe(503)
    const now = await scrape()
    const frail = { envoy_cluster_name: 'frail' }
    expect(now('envoy_cluster_upstream_rq_retry', frail)).toBe(2)
    expect(now('envoy_cluster_outlier_detection_ejections_enforced_total', frail)).toBe(1)
    expect(now('envoy_cluster_upstream_cx_none_healthy', frail)).toBe(1)
  })

  it('show vms', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), headerProbe('one', {}))
    const before = await scrape()
    await gateway.fetch('/')
    const after = await scrape()
    const created = 'envoy_wasm_envoy_wasm_runtime_v8_created'
    expect(after(created) - before(created)).toBe(1)
    expect(after('envoy_wasm_envoy_wasm_runtime_v8_active')).toBe(1)
    expect(after('envoy_wasm_envoy_wasm_runtime_v8_memory_size')).toBeGreaterThan(65_535)
  })
})

it('needs the token', async () => {
  expect((await gateway.fetch('/-/metrics')).status).toBe(401)
})
