/** Plugins on trial, and what is told of decisions, in the built Worker. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Explanation } from '../../src/gateway/explain/explanation.ts'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import {
  headerProbe,
  pluginPolicy,
  probe,
  type ProbeSteps,
  upstream,
  upstreamAndRoute,
  wasmPlugin,
} from '../support/policy.ts'

let gateway: TestGateway
let printed = 0
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
beforeEach(() => {
  gateway.origin.reset()
  printed = gateway.output().length
})

type Line = Readonly<Record<string, unknown>>

/** The decisions that were written in this test. */
const written = (): Line[] =>
  gateway
    .output()
    .slice(printed)
    .split('\n')
    .filter((line) => line.includes('"decision"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1)) as Line)

const until = async (count: number): Promise<Line[]> => {
  await expect.poll(() => written().length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count)
  return written()
}

const trial = (
  name: string,
  steps: ProbeSteps,
  policy: object = {},
  spec: object = {},
): object[] => [probe(name, steps, spec), pluginPolicy(name, { mode: 'log-only', ...policy })]
const DENY = [
  {
    call: 'local_reply',
    status: 403,
    details: 'no key',
    headers: [
      ['content-type', 'text/plain'],
      ['x-secret', 's3cret'],
    ],
    body: 'denied',
  },
  { call: 'return', action: 1 },
]

describe('a log-only plugin', () => {
  it('denies nobody: the line, the metric and the status say that it would have', async () => {
    const revision = await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...trial('denies', { request_headers: DENY }),
    )
    const reply = await send(`${gateway.url}/a?key=s3cret`, {
      headers: [
        ['x-request-id', 'r-17'],
        ['authorization', 'Bearer s3cret'],
      ],
    })
    expect([reply.status, reply.text]).toEqual([200, 'ok'])
    const [line] = await until(1)
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      decision: 'local-reply',
      plugin: 'default.denies',
      version: '0.2.1',
      mode: 'log-only',
      revision,
      route: 'default/all',
      status: 403,
      details: 'no_key',
      added: { 'content-type': 'text/plain', 'x-secret': '***' },
      bytes: { before: 0, after: 6 },
      requestId: 'r-17',
    })
    expect(gateway.output().slice(printed)).not.toContain('s3cret')
    const { plugins } = await gateway.status()
    expect(plugins.find(({ id }) => id === 'default.denies')).toMatchObject({
      mode: 'log-only',
      wouldBe: { 'local-reply': 1 },
      failOpen: null,
    })
    const metrics = await (await gateway.admin('/-/metrics')).text()
    const labels = 'class="local-reply",plugin_name="default.denies"'
    expect(metrics).toContain(`postern_plugin_would_be_total{${labels}} 1\n`)
    expect(metrics).not.toContain('postern_plugin_local_replies_total{plugin_name="default.denies"')
  })

  it('is shown at work by an explanation, which it changes as little', async () => {
    const steps = { request_headers: [{ call: 'set_header', name: 'x-new', value: '1' }, ...DENY] }
    await gateway.policy(upstreamAndRoute(gateway.origin.url), ...trial('explained', steps))
    const answer = await gateway.admin('/-/explain', {
      method: 'POST',
      body: JSON.stringify({ url: 'https://shop.example/', run: true }),
    })
    const { chain, run } = (await answer.json()) as Explanation
    expect(chain).toMatchObject([{ plugin: 'default.explained', mode: 'log-only' }])
    expect(run?.response.status).toBe(200)
    expect(run?.steps[0]).toMatchObject({
      plugin: 'default.explained',
      replied: true,
      requestHeaders: [{ name: 'x-new', after: ['1'] }],
    })
    expect(written()).toEqual([])
  })

  it('then enforces, when its policy says so no more, in a vm of its own', async () => {
    const steps = {
      request_headers: [
        { call: 'shared_data_get', key: 'k', save: 'k' },
        { call: 'set_header', name: 'x-was', value: { saved: 'k' } },
        { call: 'shared_data_set', key: 'k', value: 'kept' },
      ],
    }
    const resources = upstreamAndRoute(gateway.origin.url)
    await gateway.policy(resources, ...trial('promoted', steps))
    await send(gateway.url)
    expect(gateway.origin.last.header('x-was')).toBeUndefined()
    await until(1)
    await gateway.policy(resources, probe('promoted', steps))
    await send(gateway.url)
    expect(gateway.origin.last.header('x-was')).toBe('')
    await send(gateway.url)
    expect(gateway.origin.last.header('x-was')).toBe('kept')
  })

  it.each([10, -10])('with priority %i changes nothing for one that enforces', async (priority) => {
    const edits = {
      request_headers: [{ call: 'set_header', name: 'x-seen', value: 'trial' }],
      request_body: [{ call: 'set_body', value: 'trial' }],
      response_headers: [{ call: 'set_header', name: 'x-answer', value: 'trial' }],
      response_body: [{ call: 'set_body', value: 'trial' }],
    }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...trial('edits', edits, {}, { priority }),
      probe('enforces', {
        request_headers: [{ call: 'add_header', name: 'x-seen', value: 'enforced' }],
        response_headers: [{ call: 'add_header', name: 'x-answer', value: 'enforced' }],
      }),
    )
    const reply = await send(gateway.url, { method: 'POST', body: 'abc' })
    const { last } = gateway.origin
    expect([last.header('x-seen'), (await last.body()).toString()]).toEqual(['enforced', 'abc'])
    expect(last.header('content-length')).toBe('3')
    expect([reply.header('x-answer'), reply.text]).toEqual(['enforced', 'ok'])
    const classes = (await until(4)).map(({ decision }) => decision)
    expect(classes).toEqual([
      'request-headers',
      'request-body',
      'response-headers',
      'response-body',
    ])
  })

  it('sees chunks as they pass, and holds none of them back', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...trial('gathers', {
        response_body: [{ call: 'return', action: 1 }],
        request_body: [{ call: 'return', action: 1 }],
      }),
    )
    gateway.origin.answer((exchange) => exchange.start(200))
    const client = begin(gateway.url, { method: 'POST' })
    client.request.write('one')
    const exchange = await gateway.origin.request()
    await exchange.until(() => exchange.received > 0)
    expect(exchange.complete).toBe(false)
    client.request.end('two')
    expect((await exchange.body()).toString()).toContain('two')
    const response = await client.response
    exchange.chunk('first')
    expect((await response.next())?.toString()).toBe('first')
    exchange.chunk('second')
    expect((await response.next())?.toString()).toBe('second')
    exchange.finish()
    expect(await response.next()).toBeUndefined()
    // told of when nobody waits for it any more
    const [line] = await until(1)
    expect(line).toMatchObject({ decision: 'paused', details: 'request', resumed: false })
  })

  it('that pauses for a callout delays nobody, and is told of when the callout ends', async () => {
    const call = {
      call: 'http_call',
      upstream: 'authz',
      headers: [
        [':method', 'GET'],
        [':path', '/check'],
        [':authority', 'authz'],
      ],
    }
    const steps = {
      request_headers: [call, { call: 'return', action: 1 }],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'local_reply', status: 401 },
      ],
    }
    const resources = [
      ...upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
    ]
    await gateway.policy(resources, ...trial('asks', steps))
    gateway.origin.answer((exchange) => {
      if (exchange.target !== '/check') exchange.reply(200, [], 'ok')
    })
    const reply = await send(`${gateway.url}/page`)
    expect([reply.status, reply.text, written()]).toEqual([200, 'ok', []])
    const check = gateway.origin.requests.find(({ target }) => target === '/check')
    check?.reply(200)
    const lines = await until(2)
    expect(lines.map(({ decision }) => decision)).toEqual(['local-reply', 'paused'])
    expect(lines[1]).toMatchObject({ details: 'request', resumed: true })

    gateway.origin.reset()
    await gateway.policy(resources, ...trial('asks', steps, { logOnly: { callouts: 'block' } }))
    expect((await send(`${gateway.url}/page`)).status).toBe(200)
    await until(3)
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/page'])
  })

  it('that traps, or does not start, stops nothing', async () => {
    const trap = { request_headers: [{ call: 'trap', kind: 'unreachable' }] }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...trial('traps', trap, {}, { failStrategy: 'FAIL_CLOSE' }),
      wasmPlugin('shipped', 'oci://ghcr.io/postern/header-policy:1.0.0', {
        request: { set: { 'x-shipped': '1' } },
      }),
    )
    for (let i = 0; i < 3; i++) expect((await send(gateway.url)).status).toBe(200)
    expect(gateway.origin.last.header('x-shipped')).toBe('1')
    const lines = await until(3)
    expect(lines[0]).toMatchObject({ decision: 'trap', failStrategy: 'FAIL_CLOSE' })
    expect(lines[1]).toMatchObject({ decision: 'unavailable', plugin: 'default.traps' })
  })

  it('of the shipped ones, in Rust, Go and AssemblyScript, is one like any other', async () => {
    const shipped = {
      'api-key': { keys: [{ consumer: 'shop', sha256: 'ab'.repeat(32) }] },
      'mask-card-numbers': { direction: 'both' },
      'request-id': {},
      'ab-cookie': { experiment: 'home', variants: [{ name: 'a', weight: 1 }] },
    }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...Object.entries(shipped).flatMap(([name, config]) => [
        wasmPlugin(name, `oci://ghcr.io/postern/${name}:1.0.0`, config),
        pluginPolicy(name, { mode: 'log-only' }),
      ]),
    )
    const card = 'card 4111111111111111'
    gateway.origin.answer((exchange) => exchange.reply(200, [['content-type', 'text/plain']], card))
    const reply = await send(gateway.url, { headers: [['accept-encoding', 'gzip']] })
    expect([reply.status, reply.text, reply.header('set-cookie')]).toEqual([200, card, undefined])
    const { last } = gateway.origin
    expect([last.header('x-request-id'), last.header('accept-encoding')]).toEqual([
      undefined,
      'gzip',
    ])
    const lines = await until(4)
    const of = (plugin: string): Line[] =>
      lines.filter((line) => line['plugin'] === `default.${plugin}`)
    expect(of('api-key')).toMatchObject([{ decision: 'local-reply', status: 401 }])
    expect(of('mask-card-numbers').at(-1)).toMatchObject({
      decision: 'response-body',
      bytes: { before: card.length, after: card.length },
    })
    expect(of('request-id')[0]).toMatchObject({
      decision: 'request-headers',
      added: { 'x-request-id': '***' },
    })
    expect(of('ab-cookie').at(-1)).toMatchObject({
      decision: 'response-headers',
      added: { 'set-cookie': '***' },
    })
  })
})

describe('the decision log of a plugin that enforces', () => {
  const policy = (name: string, spec: object): object => pluginPolicy(name, spec)

  it('has its answers and its failures, if it is asked for', async () => {
    const steps = {
      request_headers: [
        { call: 'trap', kind: 'unreachable', if: { path: '/trap' } },
        ...DENY.map((step) => ({ ...step, if: { path: '/deny' } })),
      ],
    }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('told', steps, { failStrategy: 'FAIL_OPEN' }),
      policy('told', { decisionLog: {} }),
    )
    expect((await send(`${gateway.url}/deny`)).status).toBe(403)
    expect((await send(`${gateway.url}/trap`)).status).toBe(200)
    expect(await until(2)).toMatchObject([
      { decision: 'local-reply', mode: 'enforce', status: 403 },
      { decision: 'fail-open', mode: 'enforce', details: expect.stringContaining('unreachable') },
    ])
  })

  it('is empty where it is not asked for', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('quiet', { request_headers: DENY }),
    )
    expect((await send(gateway.url)).status).toBe(403)
    // a line that comes later says that none is to come
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      ...trial('loud', { request_headers: DENY }),
    )
    await send(gateway.url)
    expect((await until(1)).map(({ plugin }) => plugin)).toEqual(['default.loud'])
  })

  it('is bounded in a second, and a flood is counted', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('flooded', { request_headers: DENY }),
      policy('flooded', { decisionLog: {} }),
    )
    const sent = 400
    await Promise.all(Array.from({ length: sent }, () => send(gateway.url)))
    const dropped = async (): Promise<number> => {
      const metrics = await (await gateway.admin('/-/metrics')).text()
      return Number(/^postern_decision_lines_dropped_total (\d+)$/m.exec(metrics)?.[1] ?? 0)
    }
    await expect.poll(async () => written().length + (await dropped())).toBe(sent)
    const bySecond = Object.groupBy(written(), ({ time }) => String(time).slice(0, 19))
    for (const lines of Object.values(bySecond)) expect(lines?.length).toBeLessThanOrEqual(100)
  })
})

describe('a budget for failing open', () => {
  it('closes when it is used up, and says so', async () => {
    const trap = { request_headers: [{ call: 'trap', kind: 'unreachable' }] }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('fails', trap, { failStrategy: 'FAIL_OPEN' }),
      pluginPolicy('fails', { failOpenBudget: { percent: 0, minimum: 2 } }),
    )
    const statuses = []
    let last = ''
    for (let i = 0; i < 4; i++) {
      const { status, text } = await send(gateway.url)
      statuses.push(status)
      last = text
    }
    expect(statuses).toEqual([200, 200, 503, 503])
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'plugin.fail_open_budget' } })
    const { plugins } = await gateway.status()
    expect(plugins.find(({ id }) => id === 'default.fails')?.failOpen).toEqual({
      percent: 0,
      minimum: 2,
      came: 4,
      passed: 2,
      refused: 2,
    })
    const metrics = await (await gateway.admin('/-/metrics')).text()
    const labels = '{plugin_name="default.fails"}'
    expect(metrics).toContain(`postern_plugin_fail_open_budget_exceeded_total${labels} 2\n`)
    expect(metrics).toContain(`postern_plugin_failed_open_total${labels} 2\n`)
  })
})
