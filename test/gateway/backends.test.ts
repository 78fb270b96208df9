/** Several backends, time limits, retries, and upstreams that are left alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { begin, open, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { httpRoute, probe, toUpstream, upstream } from '../support/policy.ts'

let gateway: TestGateway
let other: Origin
beforeAll(async () => {
  gateway = await startGateway()
  other = await startOrigin((exchange) => exchange.reply(200, [], 'other'))
})
afterAll(async () => {
  await gateway.stop()
  await other.stop()
})
beforeEach(() => {
  gateway.origin.reset()
  other.reset()
})

/** One route of this rule to upstreams `origin` and `other`. */
function rule(more: object, spec: object = {}, ...others: object[]): Promise<number> {
  return gateway.policy(
    upstream('origin', { url: gateway.origin.url, ...spec }),
    upstream('other', { url: other.url }),
    httpRoute('r', [{ backendRefs: [toUpstream('origin')], ...more }]),
    others,
  )
}

const errorOf = (reply: { json(): unknown; status: number }): unknown[] => [
  reply.status,
  (reply.json() as { error: { code: string } }).error.code,
]

describe('backends', () => {
  it('share requests by weight', async () => {
    const backendRefs = [
      toUpstream('origin', { weight: 3 }),
      toUpstream('other', { weight: 1 }),
      toUpstream('never', { weight: 0 }),
    ]
    await rule({ backendRefs }, {}, upstream('never', { url: 'http://127.0.0.1:9' }))
    for (let i = 0; i < 200; i++) expect((await send(`${gateway.url}/`)).status).toBe(200)
    expect(gateway.origin.requests.length + other.requests.length).toBe(200)
    // eight standard deviations around 50
    expect(other.requests.length).toBeGreaterThan(1)
    expect(other.requests.length).toBeLessThan(100)
  })

  it.each([
    ['none', []],
    ['none with a weight', [toUpstream('origin', { weight: 0 })]],
  ])('%s answers 500', async (_what, backendRefs) => {
    await rule({ backendRefs })
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([500, 'route.no_backend'])
    expect(gateway.origin.requests).toHaveLength(0)
  })

  it('are chosen before plugins see the request, and named to them', async () => {
    await rule(
      { backendRefs: [toUpstream('origin'), toUpstream('other')] },
      {},
      probe('p', {
        request_headers: [
          { call: 'get_property', path: ['cluster_name'], save: 'cluster' },
          { call: 'set_header', name: 'x-cluster', value: { saved: 'cluster' } },
        ],
      }),
    )
    for (let i = 0; i < 10; i++) await send(`${gateway.url}/`)
    const seen = (one: Origin): unknown[] => one.requests.map((each) => each.header('x-cluster'))
    expect(new Set(seen(gateway.origin))).toEqual(
      gateway.origin.requests.length > 0 ? new Set(['origin']) : new Set(),
    )
    expect(new Set(seen(other))).toEqual(other.requests.length > 0 ? new Set(['other']) : new Set())
  })
})

describe('a timeout', () => {
  it('of the request ends it, whatever its upstream would wait', async () => {
    await rule({ timeouts: { request: '100ms' } })
    gateway.origin.answer(() => undefined)
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([504, 'upstream.timeout'])
  })

  it('of the request breaks off a body that takes longer', async () => {
    await rule({ timeouts: { request: '300ms' } })
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first')
    })
    const response = await open(`${gateway.url}/`)
    expect([response.status, (await response.next())?.toString()]).toEqual([200, 'first'])
    await expect(response.next()).rejects.toThrow()
  })

  it('of a backend request is in place of the upstream’s', async () => {
    await rule({ timeouts: { backendRequest: '100ms' } }, { timeoutMs: 60_000 })
    gateway.origin.answer(() => undefined)
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([504, 'upstream.timeout'])
  })

  it('of 0s is none', async () => {
    await rule({ timeouts: { backendRequest: '0s' } }, { timeoutMs: 50 })
    gateway.origin.answer((exchange) => void setTimeout(() => exchange.reply(200), 400))
    expect((await send(`${gateway.url}/`)).status).toBe(200)
  })
})

/** Answers each of the next requests with one of these; the last one goes on. */
function statuses(...list: readonly (number | 'reset' | 'silence')[]): void {
  let at = 0
  gateway.origin.answer((exchange) => {
    const status = list[Math.min(at++, list.length - 1)]
    if (status === 'reset') exchange.reset()
    else if (status !== 'silence') exchange.reply(status ?? 200, [], `${at}`)
  })
}

describe('a retry', () => {
  const retry = { codes: [503], attempts: 2, backoff: '1ms' }

  it.each([
    ['by status', [503, 503, 200], 200, 3],
    ['that do not help', [503], 503, 3],
    ['not by other statuses', [500], 500, 1],
    // the runtime tries a connection that was kept open a second time by itself
    ['after connections that fail', ['reset', 'reset', 'reset', 200], 200, 4],
    ['after a timeout of one attempt', ['silence', 200], 200, 2],
  ] as const)('%s', async (_what, list, status, count) => {
    await rule({ retry, timeouts: { backendRequest: '200ms' } })
    statuses(...list)
    expect((await send(`${gateway.url}/`)).status).toBe(status)
    expect(gateway.origin.requests).toHaveLength(count)
  })

  it('sends the body again', async () => {
    await rule({ retry })
    statuses(503, 200)
    await send(`${gateway.url}/`, { method: 'POST', body: 'abc' })
    const bodies = await Promise.all(gateway.origin.requests.map((one) => one.body()))
    expect(bodies.map(String)).toEqual(['abc', 'abc'])
  })

  it('does not happen where the body streams', async () => {
    await rule({ retry })
    statuses(503, 200)
    const sending = begin(`${gateway.url}/`, { method: 'POST' })
    sending.request.write('a')
    sending.request.end('b')
    expect((await sending.response).status).toBe(503)
    expect(gateway.origin.requests).toHaveLength(1)
  })

  it('takes another backend where there is one', async () => {
    await rule({ retry, backendRefs: [toUpstream('origin'), toUpstream('other')] })
    statuses(503)
    for (let i = 0; i < 20; i++) expect((await send(`${gateway.url}/`)).text).toBe('other')
  })

  it('is what an upstream says where the rule says nothing', async () => {
    await rule({}, { retries: { codes: [503], attempts: 1, backoffMs: 1 } })
    statuses(503, 200)
    expect((await send(`${gateway.url}/`)).status).toBe(200)
    await rule({ retry: { attempts: 0 } }, { retries: { codes: [503], backoffMs: 1 } })
    statuses(503, 200)
    expect((await send(`${gateway.url}/`)).status).toBe(503)
  })

  it('ends with the time of the request', async () => {
    await rule({
      retry: { codes: [503], attempts: 10, backoff: '10s' },
      timeouts: { request: '300ms' },
    })
    statuses(503)
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([504, 'upstream.timeout'])
    expect(gateway.origin.requests).toHaveLength(1)
  })
})

describe('an upstream that fails again and again', () => {
  const spec = {
    outlierDetection: { consecutive5xxErrors: 3, baseEjectionMs: 500, maxEjectionMs: 500 },
  }

  it('is left alone for a while', async () => {
    await rule({}, spec)
    statuses(500)
    for (let i = 0; i < 3; i++) expect((await send(`${gateway.url}/`)).status).toBe(500)
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([503, 'upstream.ejected'])
    expect(gateway.origin.requests).toHaveLength(3)
    statuses(200)
    await expect
      .poll(async () => (await send(`${gateway.url}/`)).status, { timeout: 10_000 })
      .toBe(200)
  })

  it.each([
    ['silence', 504],
    ['reset', 502],
  ] as const)('is left alone also for %s', async (failure, status) => {
    const long = { ...spec.outlierDetection, baseEjectionMs: 60_000, maxEjectionMs: 60_000 }
    await rule({}, { timeoutMs: 200, outlierDetection: long })
    statuses(failure)
    for (let i = 0; i < 3; i++) expect((await send(`${gateway.url}/`)).status).toBe(status)
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([503, 'upstream.ejected'])
    // forgets it for the next test
    await rule({})
  })

  it('stays so over a change of something else', async () => {
    const long = { outlierDetection: { consecutive5xxErrors: 1, baseEjectionMs: 60_000 } }
    await rule({}, long)
    statuses(500)
    await send(`${gateway.url}/`)
    await rule({}, long, upstream('more', { service: 'SHOP' }))
    expect(errorOf(await send(`${gateway.url}/`))).toEqual([503, 'upstream.ejected'])
    await rule({}, {})
    statuses(200)
    expect((await send(`${gateway.url}/`)).status).toBe(200)
  })

  it('leaves its requests to another backend', async () => {
    const long = { outlierDetection: { consecutive5xxErrors: 1, baseEjectionMs: 60_000 } }
    await rule({ backendRefs: [toUpstream('origin'), toUpstream('other')] }, long)
    statuses(500)
    const replies = []
    for (let i = 0; i < 40; i++) replies.push((await send(`${gateway.url}/`)).status)
    expect(replies.filter((status) => status === 500)).toHaveLength(1)
    expect(replies.filter((status) => status === 200)).toHaveLength(39)
  })

  it('is not called by plugins meanwhile', async () => {
    const long = { outlierDetection: { consecutive5xxErrors: 1, baseEjectionMs: 60_000 } }
    await gateway.policy(
      upstream('origin', { url: other.url }),
      upstream('authz', { url: gateway.origin.url, ...long }),
      httpRoute('r', [{ backendRefs: [toUpstream('origin')] }]),
      callout('/'),
    )
    statuses(500)
    expect((await send(`${gateway.url}/`)).header('x-call')).toBe('500')
    expect((await send(`${gateway.url}/`)).header('x-call')).toBe('503')
    expect(gateway.origin.requests).toHaveLength(1)
  })
})

/** A plugin that asks the upstream `authz` and tells its status; a call that fails has 503, as in Envoy. */
function callout(path: string): object {
  return probe('caller', {
    request_headers: [
      {
        call: 'http_call',
        upstream: 'authz',
        headers: [
          [':method', 'GET'],
          [':path', path],
          [':authority', 'authz'],
        ],
      },
      { call: 'return', action: 1 },
    ],
    http_call_response: [
      { call: 'get_header', map: 'call', name: ':status', save: 'status' },
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
    ],
    response_headers: [{ call: 'set_header', name: 'x-call', value: { saved: 'status' } }],
  })
}

describe('allowed paths', () => {
  const allowed = { allowedPaths: ['/v1', '/health'] }

  it('bound what routes ask for', async () => {
    await rule({}, allowed)
    expect((await send(`${gateway.url}/v1/a?b`)).status).toBe(200)
    expect((await send(`${gateway.url}/health`)).status).toBe(200)
    for (const path of ['/', '/v2', '/v10', '/v1/..%2fadmin', '/v1/%2e%2e/admin']) {
      expect(errorOf(await send(`${gateway.url}${path}`))).toEqual([403, 'upstream.path_denied'])
    }
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/v1/a?b', '/health'])
  })

  it('bound what plugins ask for', async () => {
    for (const [path, seen] of [
      ['/v1/check', '200'],
      ['/admin', '503'],
      ['/v1/../admin', '503'],
    ] as const) {
      await gateway.policy(
        upstream('origin', { url: other.url }),
        upstream('authz', { url: gateway.origin.url, ...allowed }),
        httpRoute('r', [{ backendRefs: [toUpstream('origin')] }]),
        callout(path),
      )
      expect((await send(`${gateway.url}/`)).header('x-call')).toBe(seen)
    }
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/v1/check'])
  })
})

describe('an address inside', () => {
  it('is refused when it is applied, unless it is meant', async () => {
    const inside = (spec: object): object => ({
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Upstream',
      metadata: { name: 'inside' },
      spec: { url: 'http://0x7f.1:8080', ...spec },
    })
    const apply = async (resource: object) =>
      gateway.apply({ resources: [resource], base: (await gateway.status()).revision, prune: true })
    const { status, result } = await apply(inside({}))
    expect([status, JSON.stringify(result)]).toEqual([
      422,
      expect.stringContaining('config.private_address'),
    ])
    expect((await apply(inside({ allowPrivate: true }))).status).toBe(200)
  })
})
