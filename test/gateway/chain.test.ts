/** Several plugins around one request: their order, what each may do, and what one does for another. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, pluginPolicy, probe, upstream, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const settled = (roots: number) =>
  gateway.until('without stream contexts', ({ vms }) => vms.contexts === roots)
/** A callout's answer comes to the root context; what is asked for then is meant for who called. */
const FOR_CALLER = { call: 'set_effective_context', issuer: true }
const PAUSE = { call: 'return', action: 1 }
const callTo = (upstreamName: string, fields: object = {}) => ({
  call: 'http_call',
  upstream: upstreamName,
  headers: [
    [':method', 'GET'],
    [':path', '/check'],
    [':authority', upstreamName],
  ],
  ...fields,
})

describe('the order', () => {
  it('is phase, then priority, and backwards for the response', async () => {
    const mark = (name: string, spec: object) =>
      headerProbe(
        name,
        {
          request_headers: [{ call: 'add_header', name: 'x-order', value: name }],
          response_headers: [{ call: 'add_header', name: 'x-order', value: name }],
        },
        spec,
      )
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      mark('e', {}),
      mark('a', { phase: 'AUTHN', priority: 10 }),
      mark('f', { priority: -5 }),
      mark('c', { phase: 'AUTHZ' }),
      mark('b', { phase: 'AUTHN', priority: 9 }),
      mark('d', { phase: 'STATS', priority: 100 }),
    )
    const reply = await send(`${gateway.url}/`)
    expect(gateway.origin.last.header('x-order')).toBe('a, b, c, d, e, f')
    expect(reply.header('x-order')).toBe('f, e, d, c, b, a')
    await settled(6)
  })

  it('lets each plugin see what those before it made of the message', async () => {
    const step = (name: string, from: string, to: string, priority: number) =>
      headerProbe(
        name,
        {
          request_headers: [
            { call: 'get_header', name: from, save: 'v' },
            { call: 'set_header', name: to, value: { concat: [{ saved: 'v' }, name] } },
          ],
        },
        { priority },
      )
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      step('1', 'x-0', 'x-1', 2),
      step('2', 'x-1', 'x-2', 1),
    )
    await send(`${gateway.url}/`, { headers: [['x-0', '0']] })
    expect(gateway.origin.last.header('x-2')).toBe('012')
  })
})

describe('a local reply', () => {
  const reply = { call: 'local_reply', status: 418, body: 'tea', headers: [['x-tea', '1']] }
  it.each([
    ['request_headers', { request_headers: [reply] }, false],
    ['request_body', { request_body: [reply] }, false],
    ['response_headers', { response_headers: [reply] }, true],
  ])('from %s goes to the client', async (_phase, steps, reached) => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), probe('p', steps))
    const answer = await send(`${gateway.url}/`, { method: 'POST', body: 'abc' })
    expect([answer.status, answer.text, answer.header('x-tea')]).toEqual([418, 'tea', '1'])
    if (reached) expect(gateway.origin.requests).toHaveLength(1)
    await settled(1)
  })

  it('of a callout’s answer goes to the client, the upstream is not asked', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
      headerProbe('p', {
        request_headers: [callTo('authz'), PAUSE],
        http_call_response: [FOR_CALLER, reply],
      }),
    )
    const answer = await send(`${gateway.url}/`)
    expect([answer.status, answer.text]).toEqual([418, 'tea'])
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/check'])
    await settled(1)
  })

  it('in the middle of a response that has begun can only break it off', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('p', { response_body: [reply] }),
    )
    gateway.origin.answer((exchange) => exchange.start(200))
    const sending = begin(`${gateway.url}/`)
    sending.request.end()
    const response = await sending.response
    const exchange = await gateway.origin.request()
    exchange.chunk('x')
    await expect(response.next()).rejects.toThrow()
    await settled(1)
  })
})

describe('a pause', () => {
  it('of the request ends with the answer to a callout, body and all', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
      probe('p', {
        request_headers: [callTo('authz'), PAUSE],
        http_call_response: [
          { call: 'get_header', map: 'call', name: 'x-user', save: 'user' },
          FOR_CALLER,
          { call: 'set_header', map: 'request', name: 'x-user', value: { saved: 'user' } },
          { call: 'continue_request' },
        ],
      }),
    )
    gateway.origin.answer((exchange) => exchange.reply(200, [['x-user', 'ann']], 'ok'))
    const reply = await send(`${gateway.url}/x`, { method: 'POST', body: 'whole body' })
    expect([reply.status, reply.text]).toEqual([200, 'ok'])
    const { last } = gateway.origin
    expect([last.target, last.header('x-user')]).toEqual(['/x', 'ann'])
    expect((await last.body()).toString()).toBe('whole body')
  })

  it('of the response ends with the answer to a callout', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
      headerProbe('p', {
        response_headers: [callTo('authz'), PAUSE],
        http_call_response: [
          FOR_CALLER,
          { call: 'set_header', map: 'response', name: 'x-checked', value: '1' },
          { call: 'continue_response' },
        ],
      }),
    )
    const reply = await send(`${gateway.url}/x`)
    expect([reply.status, reply.text, reply.header('x-checked')]).toEqual([200, 'ok', '1'])
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/x', '/check'])
  })

  it.each([
    ['FAIL_CLOSE', 503],
    ['FAIL_OPEN', 200],
  ])('that nobody ends is ended by its limit: %s', async (failStrategy, status) => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('p', { request_headers: [PAUSE] }, { failStrategy }),
      pluginPolicy('p', { limits: { pauseMs: 100 } }),
    )
    expect((await send(`${gateway.url}/`)).status).toBe(status)
    await settled(1)
  })
})

// a vm outlives the configuration of its plugins: names of their own give these tests vms of their own
describe('one request for another', () => {
  const other = { call: 'set_effective_context', remembered: 'first' }

  it('a callback in one resumes the other’s stream', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('resumes', {
        request_headers: [
          { call: 'remember_context', as: 'first', if: { total: 1 } },
          { ...PAUSE, if: { total: 1 } },
          { ...other, if: { total: 2 } },
          { call: 'continue_request', if: { total: 2 } },
        ],
      }),
    )
    const waiting = send(`${gateway.url}/first`)
    await gateway.until('holding', ({ vms }) => vms.contexts === 2)
    expect((await send(`${gateway.url}/second`)).status).toBe(200)
    const reply = await waiting
    expect([reply.status, reply.text]).toEqual([200, 'ok'])
    expect(gateway.origin.requests.map(({ target }) => target).toSorted()).toEqual([
      '/first',
      '/second',
    ])
    await settled(1)
  })

  it('a callback in one answers the other’s stream', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('answers', {
        request_headers: [
          { call: 'remember_context', as: 'first', if: { total: 1 } },
          { ...PAUSE, if: { total: 1 } },
          { ...other, if: { total: 2 } },
          { call: 'local_reply', status: 418, body: 'by second', if: { total: 2 } },
        ],
      }),
    )
    const waiting = send(`${gateway.url}/first`)
    await gateway.until('holding', ({ vms }) => vms.contexts === 2)
    await send(`${gateway.url}/second`)
    expect([(await waiting).status, (await waiting).text]).toEqual([418, 'by second'])
    await settled(1)
  })

  const waitsOnCall = {
    request_headers: [
      { ...callTo('authz', { timeout_ms: 500 }), if: { path: '/caller' } },
      { call: 'remember_context', as: 'first', if: { path: '/waits' } },
      PAUSE,
    ],
    http_call_response: [other, { call: 'continue_request' }],
  }

  it.each([
    ['answers', true],
    ['does not answer', false],
  ])(
    'a call whose client has left lets go of who waits on it, when the upstream %s',
    async (_how, answers) => {
      await gateway.policy(
        upstreamAndRoute(gateway.origin.url),
        upstream('authz', { url: gateway.origin.url }),
        headerProbe('p', waitsOnCall),
        pluginPolicy('p', { limits: { pauseMs: 5_000 } }),
      )
      gateway.origin.answer((exchange) => {
        if (exchange.target !== '/check') exchange.reply(200, [], 'ok')
      })
      const caller = begin(`${gateway.url}/caller`)
      caller.request.end()
      const call = await gateway.origin.request()
      const waiting = send(`${gateway.url}/waits`)
      await gateway.until('both holding', ({ vms }) => vms.contexts === 3)
      caller.leave()
      await gateway.until('the caller gone', ({ vms }) => vms.contexts === 2)
      if (answers) call.reply(200)
      const started = Date.now()
      expect((await waiting).status).toBe(200)
      expect(Date.now() - started).toBeLessThan(3_000)
      await settled(1)
    },
  )
})
