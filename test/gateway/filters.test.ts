/** What a rule changes of requests and responses, and what it sends elsewhere. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerProbe, httpRoute, toUpstream, upstream } from '../support/policy.ts'
import { acceptAndEcho, openWebSocket } from '../support/websocket.ts'

let gateway: TestGateway
let copy: Origin
beforeAll(async () => {
  gateway = await startGateway()
  copy = await startOrigin()
})
afterAll(async () => {
  await gateway.stop()
  await copy.stop()
})
beforeEach(() => {
  gateway.origin.reset()
  copy.reset()
})

type Filter = Readonly<Record<string, unknown>>
const origin = (): object => upstream('origin', { url: gateway.origin.url })

/** One route of one rule with these filters, and what else there is. */
function rule(filters: readonly Filter[], more: object = {}, ...others: object[]): Promise<number> {
  const redirects = filters.some(({ type }) => type === 'RequestRedirect')
  const backendRefs = redirects ? [] : [toUpstream('origin')]
  return gateway.policy(
    origin(),
    upstream('copy', { url: copy.url }),
    upstream('shop', { service: 'SHOP' }),
    httpRoute('r', [{ filters, backendRefs, ...more }]),
    others,
  )
}

const line = (name: string, value: string): object => ({ name, value })
const request = (requestHeaderModifier: object): Filter => ({
  type: 'RequestHeaderModifier',
  requestHeaderModifier,
})
const response = (responseHeaderModifier: object): Filter => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier,
})
const rewrite = (urlRewrite: object): Filter => ({ type: 'URLRewrite', urlRewrite })
const redirect = (requestRedirect: object): Filter => ({ type: 'RequestRedirect', requestRedirect })
const mirror = (more: object = {}): Filter => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: toUpstream('copy'), ...more },
})

describe('headers', () => {
  it('of a request are set, added and removed', async () => {
    await rule([
      request({
        set: [line('X-Set', 'new')],
        add: [line('x-add', 'two')],
        remove: ['X-Gone'],
      }),
    ])
    await send(`${gateway.url}/`, {
      headers: [
        ['x-set', 'old'],
        ['x-add', 'one'],
        ['x-gone', 'x'],
      ],
    })
    const { last } = gateway.origin
    expect([last.header('x-set'), last.header('x-add'), last.header('x-gone')]).toEqual([
      'new',
      'one, two',
      undefined,
    ])
  })

  it('that add a cookie leave one line of cookies', async () => {
    await rule([request({ add: [line('Cookie', 'c=3')] })])
    await send(`${gateway.url}/`, { headers: [['cookie', 'a=1; b=2']] })
    expect(gateway.origin.last.header('cookie')).toBe('a=1; b=2; c=3')
  })

  it('of a response are set, added and removed, and its body stays', async () => {
    await rule([
      response({ set: [line('x-set', 'new')], add: [line('x-add', '2')], remove: ['server'] }),
    ])
    gateway.origin.answer((exchange) =>
      exchange.reply(
        200,
        [
          ['x-set', 'old'],
          ['x-add', '1'],
          ['server', 'x'],
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
        'body',
      ),
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.header('x-set'), reply.header('x-add'), reply.header('server')]).toEqual([
      'new',
      '1, 2',
      undefined,
    ])
    expect([reply.all('set-cookie'), reply.text]).toEqual([['a=1', 'b=2'], 'body'])
  })

  it('of a response without a body are changed as well', async () => {
    await rule([response({ set: [line('x-set', 'new')] })])
    gateway.origin.answer((exchange) => exchange.reply(304, [['etag', '"1"']]))
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.header('x-set'), reply.header('etag')]).toEqual([304, 'new', '"1"'])
  })

  it('of an answer that changes protocols are changed, and the connection goes on', async () => {
    await rule([response({ set: [line('x-rule', '1')] })], { timeouts: { request: '50ms' } })
    gateway.origin.answer((exchange) => acceptAndEcho(exchange))
    const socket = await openWebSocket(`${gateway.url}/ws`)
    expect(socket.head).toMatch(/^HTTP\/1\.1 101/)
    expect(socket.head).toMatch(/\r\nx-rule: 1/i)
    await new Promise((resolve) => setTimeout(resolve, 150))
    socket.send('hello')
    expect(await socket.next()).toBe('echo hello')
    socket.socket.destroy()
  })

  it('are changed for one backend behind those of the rule', async () => {
    const filters = [
      request({ set: [line('x-by', 'backend')] }),
      response({ set: [line('x-answered', 'by backend')] }),
    ]
    await rule([request({ set: [line('x-by', 'rule'), line('x-rule', '1')] })], {
      backendRefs: [toUpstream('origin', { filters })],
    })
    const reply = await send(`${gateway.url}/`)
    const { last } = gateway.origin
    expect([last.header('x-by'), last.header('x-rule')]).toEqual(['backend', '1'])
    expect(reply.header('x-answered')).toBe('by backend')
  })

  it('are changed behind the plugins of a request, and before those of its response', async () => {
    await rule(
      [request({ set: [line('x-a', 'rule')] }), response({ set: [line('x-b', 'rule')] })],
      {},
      headerProbe('p', {
        request_headers: [
          { call: 'get_header', name: 'x-a', save: 'a' },
          { call: 'set_header', name: 'x-saw', value: { saved: 'a' } },
          { call: 'set_header', name: 'x-a', value: 'plugin' },
        ],
        response_headers: [
          { call: 'get_header', name: 'x-b', save: 'b' },
          { call: 'set_header', name: 'x-b-seen', value: { saved: 'b' } },
        ],
      }),
    )
    const reply = await send(`${gateway.url}/`, { headers: [['x-a', 'client']] })
    const { last } = gateway.origin
    expect([last.header('x-saw'), last.header('x-a')]).toEqual(['client', 'rule'])
    expect(reply.header('x-b-seen')).toBe('rule')
  })
})

describe('a rewrite', () => {
  const prefix = (value: string): object => ({
    path: { type: 'ReplacePrefixMatch', replacePrefixMatch: value },
  })
  const below = (value: string): object => ({ matches: [{ path: { value } }] })

  it('replaces the prefix that matched', async () => {
    await rule([rewrite(prefix('/api'))], below('/shop'))
    for (const [path, sent] of [
      ['/shop', '/api'],
      ['/shop/', '/api/'],
      ['/shop/items?x=/shop', '/api/items?x=/shop'],
    ] as const) {
      await send(`${gateway.url}${path}`)
      expect(gateway.origin.last.target).toBe(sent)
    }
  })

  it('replaces the whole path and keeps the query', async () => {
    await rule([rewrite({ path: { type: 'ReplaceFullPath', replaceFullPath: '/new' } })])
    await send(`${gateway.url}/a/b?c=1`)
    expect(gateway.origin.last.target).toBe('/new?c=1')
  })

  it('names the host of a service binding, and says it to an upstream with a url', async () => {
    await rule([rewrite({ hostname: 'inner.test' })], { backendRefs: [toUpstream('shop')] })
    const seen = (await send(`${gateway.url}/x`)).json() as { readonly url: string }
    expect(seen.url).toBe('http://inner.test/x')
    await rule([rewrite({ hostname: 'inner.test' })])
    await send(`${gateway.url}/x`)
    const { last } = gateway.origin
    expect(last.header('host')).toBe(`127.0.0.1:${gateway.origin.port}`)
    expect(last.header('x-forwarded-host')).toBe('inner.test')
  })

  it('sees the path as plugins have left it', async () => {
    await rule(
      [rewrite(prefix('/api'))],
      below('/shop'),
      headerProbe('p', {
        request_headers: [{ call: 'set_header', name: ':path', value: '/shop/from/plugin' }],
      }),
    )
    await send(`${gateway.url}/shop/x`)
    expect(gateway.origin.last.target).toBe('/api/from/plugin')
  })
})

describe('a redirect', () => {
  const location = async (path = '/a/b?c=1'): Promise<unknown[]> => {
    const reply = await send(`${gateway.url}${path}`, { headers: [['host', 'shop.test:8080']] })
    return [reply.status, reply.header('location')]
  }

  it.each([
    [{}, 302, 'http://shop.test:8080/a/b?c=1'],
    [{ scheme: 'https', statusCode: 301 }, 301, 'https://shop.test/a/b?c=1'],
    [{ hostname: 'new.test', port: 8443, statusCode: 307 }, 307, 'http://new.test:8443/a/b?c=1'],
    [{ port: 80, statusCode: 308 }, 308, 'http://shop.test/a/b?c=1'],
    [
      { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' }, statusCode: 303 },
      303,
      'http://shop.test:8080/x?c=1',
    ],
    [
      { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' } },
      302,
      'http://shop.test:8080/x/b?c=1',
    ],
  ])('%j answers %i with %s', async (member, status, url) => {
    await rule([redirect(member)], { matches: [{ path: { value: '/a' } }] })
    expect(await location()).toEqual([status, url])
    expect(gateway.origin.requests).toHaveLength(0)
  })

  it('comes behind the plugins of a request, and passes those of its response', async () => {
    await rule(
      [redirect({ scheme: 'https' }), response({ set: [line('x-rule', '1')] })],
      {},
      headerProbe('p', {
        request_headers: [
          { call: 'local_reply', status: 401, if: { path: '/secret' } },
          { call: 'set_header', name: ':path', value: '/plugin' },
        ],
        response_headers: [{ call: 'set_header', name: 'x-plugin', value: '1' }],
      }),
    )
    expect(await location()).toEqual([302, 'https://shop.test/plugin'])
    expect(await location('/secret')).toEqual([401, undefined])
    const reply = await send(`${gateway.url}/`)
    expect([reply.header('x-rule'), reply.header('x-plugin')]).toEqual(['1', '1'])
  })
})

describe('a mirror', () => {
  it('gets what is sent, body included, and nobody waits for it', async () => {
    await rule([mirror(), request({ set: [line('x-rule', '1')] })])
    copy.answer(() => undefined)
    const reply = await send(`${gateway.url}/a?b`, { method: 'POST', body: 'abc' })
    expect(reply.text).toBe('ok')
    const mirrored = await copy.request()
    expect([mirrored.method, mirrored.target, mirrored.header('x-rule')]).toEqual([
      'POST',
      '/a?b',
      '1',
    ])
    expect((await mirrored.body()).toString()).toBe('abc')
    expect((await gateway.origin.last.body()).toString()).toBe('abc')
  })

  it('that fails is nobody’s failure', async () => {
    await rule([mirror()])
    copy.answer((exchange) => exchange.reset())
    expect((await send(`${gateway.url}/`)).status).toBe(200)
    copy.answer((exchange) => exchange.reply(500))
    expect((await send(`${gateway.url}/`)).status).toBe(200)
  })

  it('gets its share', async () => {
    await rule([mirror({ percent: 0 })])
    for (let i = 0; i < 20; i++) await send(`${gateway.url}/`)
    expect(copy.requests).toHaveLength(0)
    await rule([mirror({ fraction: { numerator: 1, denominator: 2 } })])
    for (let i = 0; i < 100; i++) await send(`${gateway.url}/`)
    await copy.request(10)
    expect(copy.requests.length).toBeLessThan(90)
  })

  it('gets no body where that streams', async () => {
    await rule([mirror()])
    gateway.origin.answer(async (exchange) => {
      await exchange.body()
      exchange.reply(200)
    })
    const sending = begin(`${gateway.url}/`, { method: 'POST' })
    sending.request.write('a')
    const mirrored = await copy.request()
    expect((await mirrored.body()).length).toBe(0)
    sending.request.end('b')
    expect((await sending.response).status).toBe(200)
    expect((await gateway.origin.last.body()).toString()).toBe('ab')
  })
})
