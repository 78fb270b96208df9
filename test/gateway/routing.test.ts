/** Which route a request belongs to, and where that sends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerProbe, probe, route, upstream, upstreamAndRoute } from '../support/policy.ts'

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

type Match = Readonly<Record<string, unknown>>

/** Routes named after themselves: each marks its requests, so that an answer says which one it was. */
async function routes(
  specs: Readonly<Record<string, { hostnames?: readonly string[]; matches?: readonly Match[] }>>,
): Promise<void> {
  const names = Object.keys(specs)
  await gateway.policy(
    upstream('origin', { url: gateway.origin.url }),
    Object.entries(specs).map(([name, { hostnames, matches }]) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name },
      spec: {
        ...(hostnames && { hostnames }),
        rules: [
          {
            ...(matches && { matches }),
            backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'origin' }],
          },
        ],
      },
    })),
    names.map((name) =>
      probe(
        `mark-${name}`,
        { response_headers: [{ call: 'set_header', name: 'x-route', value: name }] },
        {},
        [name],
      ),
    ),
  )
}

async function routed(host: string, path = '/', options: object = {}): Promise<string> {
  const reply = await send(`${gateway.url}${path}`, { headers: [['host', host]], ...options })
  return reply.status === 404 ? 'none' : (reply.header('x-route') ?? 'unmarked')
}

describe('by host', () => {
  beforeAll(() =>
    routes({
      exact: { hostnames: ['shop.example'] },
      wildcard: { hostnames: ['*.shop.example'] },
      deeper: { hostnames: ['*.eu.shop.example'] },
    }),
  )

  it.each([
    ['shop.example', 'exact'],
    ['SHOP.example:8080', 'exact'],
    ['a.shop.example', 'wildcard'],
    ['a.b.shop.example', 'wildcard'],
    ['a.eu.shop.example', 'deeper'],
    ['eu.shop.example', 'wildcard'],
    ['notshop.example', 'none'],
    ['shop.example.evil', 'none'],
    ['.shop.example', 'none'],
    ['[::1]:80', 'none'],
  ])('%s takes %s', async (host, name) => expect(await routed(host)).toBe(name))
})

describe('by path', () => {
  beforeAll(() =>
    routes({
      exact: { matches: [{ path: { type: 'Exact', value: '/shop' } }] },
      prefix: { matches: [{ path: { type: 'PathPrefix', value: '/shop' } }] },
      longer: { matches: [{ path: { type: 'PathPrefix', value: '/shop/cart' } }] },
      slash: { matches: [{ path: { type: 'Exact', value: '/exact/' } }] },
    }),
  )

  it.each([
    ['/shop', 'exact'],
    ['/shop?a=1', 'exact'],
    ['/shop/', 'prefix'],
    ['/shop/x', 'prefix'],
    ['/shopping', 'none'],
    ['/shop/cart', 'longer'],
    ['/shop/cart/1?x', 'longer'],
    ['/shop/cartoon', 'prefix'],
    ['/Shop', 'none'],
    ['/exact/', 'slash'],
    ['/exact', 'none'],
    ['/', 'none'],
  ])('%s takes %s', async (path, name) => expect(await routed('a', path)).toBe(name))
})

describe('by method and headers', () => {
  const path = { type: 'PathPrefix', value: '/' }
  beforeAll(() =>
    routes({
      any: { matches: [{ path }] },
      post: { matches: [{ path, method: 'POST' }] },
      one: { matches: [{ path, headers: [{ name: 'X-Beta', value: 'yes' }] }] },
      two: {
        matches: [
          {
            path,
            headers: [
              { name: 'x-beta', value: 'yes' },
              { name: 'x-store', value: '042' },
            ],
          },
        ],
      },
      either: {
        matches: [
          { path, headers: [{ name: 'x-a', value: '1' }] },
          { path, headers: [{ name: 'x-b', value: '1' }] },
        ],
      },
    }),
  )

  it.each([
    ['GET', [], 'any'],
    ['POST', [], 'post'],
    ['GET', [['x-beta', 'yes']], 'one'],
    ['GET', [['x-beta', 'YES']], 'any'],
    ['GET', [['x-beta', '']], 'any'],
    [
      'GET',
      [
        ['x-store', '042'],
        ['x-beta', 'yes'],
      ],
      'two',
    ],
    // a method counts for more than headers
    ['POST', [['x-beta', 'yes']], 'post'],
    ['GET', [['x-b', '1']], 'either'],
  ] as const)('%s with %j takes %s', async (method, headers, name) => {
    expect(await routed('a', '/', { method, headers: [['host', 'a'], ...headers] })).toBe(name)
  })
})

describe('precedence', () => {
  it('puts host before path, and path before method', async () => {
    await routes({
      host: { hostnames: ['shop.example'] },
      path: { matches: [{ path: { type: 'Exact', value: '/a' } }] },
      method: { matches: [{ path: { type: 'PathPrefix', value: '/' }, method: 'GET' }] },
    })
    expect(await routed('shop.example', '/a')).toBe('host')
    expect(await routed('other.example', '/a')).toBe('path')
    expect(await routed('other.example', '/b')).toBe('method')
  })

  it('falls back to a wider host when no rule of the narrower one holds', async () => {
    await routes({
      narrow: {
        hostnames: ['shop.example'],
        matches: [{ path: { type: 'PathPrefix', value: '/a' } }],
      },
      wide: {},
    })
    expect(await routed('shop.example', '/b')).toBe('wide')
  })
})

describe('an upstream', () => {
  it('is chosen by route', async () => {
    await gateway.policy(
      upstream('origin', { url: gateway.origin.url }),
      upstream('other', { url: other.url }),
      route('a', '/a', 'origin'),
      route('b', '/b', 'other'),
    )
    expect((await send(`${gateway.url}/a`)).text).toBe('ok')
    expect((await send(`${gateway.url}/b`)).text).toBe('other')
  })

  it('may have a path of its own, put before the request’s', async () => {
    await gateway.policy(
      upstream('origin', { url: `${gateway.origin.url}/base/` }),
      route('all', '/', 'origin'),
    )
    await send(`${gateway.url}/x?y=1`)
    expect(gateway.origin.last.target).toBe('/base/x?y=1')
  })

  it('may be a service binding', async () => {
    await gateway.policy(upstream('shop', { service: 'SHOP' }), route('all', '/', 'shop'))
    const reply = await send(`${gateway.url}/items?x=1`, { method: 'POST', body: 'abc' })
    expect(reply.header('x-shop')).toBe('yes')
    const seen = reply.json() as { method: string; url: string; body: string; headers: string[][] }
    expect(seen).toMatchObject({ method: 'POST', url: 'http://shop/items?x=1', body: 'abc' })
    expect(seen.headers).toContainEqual(['x-forwarded-for', '127.0.0.1'])
  })

  it('that is a service binding runs behind plugins as well', async () => {
    await gateway.policy(
      upstream('shop', { service: 'SHOP' }),
      route('all', '/', 'shop'),
      probe('p', {
        request_headers: [{ call: 'set_header', name: 'x-from-plugin', value: '1' }],
        response_headers: [{ call: 'set_header', name: 'x-shop', value: 'edited' }],
      }),
    )
    const reply = await send(`${gateway.url}/`)
    expect(reply.header('x-shop')).toBe('edited')
    expect(reply.text).toContain('x-from-plugin')
  })

  it('whose binding the Worker lacks is refused when it is applied', async () => {
    const { status, result } = await gateway.apply({
      resources: [upstream('x', { service: 'MISSING' }), route('all', '/', 'x')],
      base: (await gateway.status()).revision,
      prune: true,
    })
    expect(status).toBe(422)
    expect(JSON.stringify(result)).toContain('MISSING')
  })

  it('is chosen again when a plugin asks for it, with the headers as they are then', async () => {
    await gateway.policy(
      upstream('origin', { url: gateway.origin.url }),
      upstream('other', { url: other.url }),
      route('a', '/a', 'origin'),
      route('b', '/b', 'other'),
      probe(
        'reroute',
        {
          request_headers: [
            { call: 'set_header', name: ':path', value: '/b/x', if: { path: '/a/moved' } },
            { call: 'set_header', name: ':path', value: '/none', if: { path: '/a/lost' } },
            { call: 'clear_route_cache' },
          ],
        },
        {},
        ['a'],
        '0.1.0',
      ),
    )
    expect((await send(`${gateway.url}/a`)).text).toBe('ok')
    expect((await send(`${gateway.url}/a/moved`)).text).toBe('other')
    expect(other.last.target).toBe('/b/x')
    const lost = await send(`${gateway.url}/a/lost`)
    expect([lost.status, lost.json()]).toMatchObject([404, { error: { code: 'route.none' } }])
  })
})

describe('without a route', () => {
  it('runs the plugins of the Gateway, then answers 404 through their response callbacks', async () => {
    const seen = [
      { call: 'get_header', name: ':status', save: 'status' },
      { call: 'set_header', name: 'x-seen', value: { saved: 'status' } },
    ]
    await gateway.policy(
      upstream('origin', { url: gateway.origin.url }),
      route('a', '/a', 'origin'),
      headerProbe('gateway-wide', { response_headers: seen }),
      probe('of-the-route', { request_headers: [{ call: 'panic' }] }, {}, ['a']),
    )
    const reply = await send(`${gateway.url}/b`)
    expect([reply.status, reply.header('content-type')]).toEqual([404, 'application/json'])
    expect(reply.json()).toEqual({
      error: { code: 'route.none', message: 'No route matches this request.' },
    })
    expect(reply.header('x-seen')).toBe('404')
  })

  it('answers 404 where the Gateway has no plugins', async () => {
    await gateway.policy(
      upstream('origin', { url: gateway.origin.url }),
      route('a', '/a', 'origin'),
    )
    const reply = await send(`${gateway.url}/b`)
    expect([reply.status, reply.json()]).toMatchObject([404, { error: { code: 'route.none' } }])
    expect((await send(`${gateway.url}/b`, { method: 'HEAD' })).text).toBe('')
  })

  it('a plugin of the Gateway may answer itself', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('p', {
        request_headers: [{ call: 'local_reply', status: 418, body: 'tea' }],
      }),
    )
    const reply = await send(`${gateway.url}/anything`)
    expect([reply.status, reply.text]).toEqual([418, 'tea'])
  })
})

it('answers 503 as long as there is no configuration', async () => {
  const cold = await startGateway()
  try {
    const reply = await send(`${cold.url}/`)
    expect([reply.status, reply.json()]).toMatchObject([503, { error: { code: 'config.none' } }])
    expect(cold.origin.requests).toHaveLength(0)
  } finally {
    await cold.stop()
  }
})
