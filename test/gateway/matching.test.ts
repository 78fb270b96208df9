/** What requests are matched by beside host and path prefix, and the Gateways that they come through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, httpRoute, toUpstream, upstream } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

/** A rule that marks its answers with its name. */
const marking = (name: string, match: object = {}): object => ({
  matches: [match],
  filters: [
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: { set: [{ name: 'x-rule', value: name }] },
    },
  ],
  backendRefs: [toUpstream('origin')],
})

const origin = (): object => upstream('origin', { url: gateway.origin.url })

async function taken(
  path: string,
  headers: readonly (readonly [string, string])[] = [],
  host = 'a.test',
): Promise<string> {
  const reply = await send(`${gateway.url}${path}`, { headers: [['host', host], ...headers] })
  return reply.status === 404 ? 'none' : (reply.header('x-rule') ?? 'unmarked')
}

describe('a request is matched by', () => {
  beforeAll(() =>
    gateway.policy(
      origin(),
      httpRoute('r', [
        marking('exact', { path: { type: 'Exact', value: '/v1' } }),
        marking('images', { path: { type: 'RegularExpression', value: '/.*\\.(png|jpe?g)' } }),
        marking('versions', { path: { type: 'RegularExpression', value: '(?i)/v[0-9]+(/.*)?' } }),
        marking('header', {
          path: { value: '/h' },
          headers: [{ type: 'RegularExpression', name: 'X-Store', value: '0[0-9]{2}' }],
        }),
        marking('query', {
          path: { value: '/h' },
          queryParams: [{ name: 'lang', value: 'de at' }],
        }),
        marking('query-regex', {
          path: { value: '/h' },
          queryParams: [{ type: 'RegularExpression', name: 'page', value: '[1-9][0-9]*' }],
        }),
      ]),
    ),
  )

  it.each<[string, [string, string][], string]>([
    ['/v1', [], 'exact'],
    ['/v1?x', [], 'exact'],
    ['/V12/items', [], 'versions'],
    ['/v', [], 'none'],
    ['/v12x', [], 'none'],
    ['/a/b.png', [], 'images'],
    ['/a/b.jpg?c=.gif', [], 'images'],
    ['/a/b.pngx', [], 'none'],
    ['/h', [['x-store', '042']], 'header'],
    ['/h', [['x-store', '0421']], 'none'],
    ['/h', [], 'none'],
    ['/h?lang=de%20at', [], 'query'],
    ['/h?lang=de+at&x', [], 'query'],
    ['/h?Lang=de+at', [], 'none'],
    ['/h?page=10', [], 'query-regex'],
    ['/h?page=010', [], 'none'],
    // of the two that hold, the header counts for more
    ['/h?page=1', [['x-store', '001']], 'header'],
  ])('%s with %j takes %s', async (path, headers, rule) => {
    expect(await taken(path, headers)).toBe(rule)
  })

  it('patterns that would take for ever elsewhere', async () => {
    const rule = marking('slow', { path: { type: 'RegularExpression', value: '/(a+)+(a|aa)*b' } })
    await gateway.policy(origin(), httpRoute('r', [rule]))
    expect(await taken(`/${'a'.repeat(4_000)}`)).toBe('none')
    expect(await taken(`/${'a'.repeat(4_000)}b`)).toBe('slow')
  })
})

describe('a Gateway', () => {
  const edge = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: {
      listeners: [
        { name: 'shops', hostname: '*.shop.test', port: 80, protocol: 'HTTP' },
        { name: 'one', hostname: 'one.shop.test', port: 80, protocol: 'HTTP' },
      ],
    },
  }
  const plugin = (name: string): object =>
    headerProbe(name, {
      response_headers: [{ call: 'add_header', name: 'x-seen', value: name }],
    })
  const ofEdge = (name: string): object => {
    const one = plugin(name) as { readonly spec: object }
    const group = 'gateway.networking.k8s.io'
    return { ...one, spec: { ...one.spec, targetRefs: [{ group, kind: 'Gateway', name: 'edge' }] } }
  }

  it('has the hosts of its listeners, and plugins of its own', async () => {
    await gateway.policy(
      origin(),
      edge,
      httpRoute('shops', [marking('shops', { path: { value: '/in' } })], {
        parentRefs: [{ name: 'edge', sectionName: 'shops' }],
      }),
      httpRoute('rest', [marking('rest')]),
      ofEdge('edge-only'),
    )
    expect(await taken('/in', [], 'a.shop.test')).toBe('shops')
    expect(await taken('/out', [], 'a.shop.test')).toBe('none')
    // its own listener has no route, and takes the requests all the same
    expect(await taken('/in', [], 'one.shop.test')).toBe('none')
    expect(await taken('/in', [], 'other.test')).toBe('rest')
    const seen = async (path: string, host: string): Promise<string | undefined> =>
      (await send(`${gateway.url}${path}`, { headers: [['host', host]] })).header('x-seen')
    expect(await seen('/in', 'a.shop.test')).toBe('edge-only')
    expect(await seen('/out', 'a.shop.test')).toBe('edge-only')
    expect(await seen('/out', 'one.shop.test')).toBe('edge-only')
    expect(await seen('/in', 'other.test')).toBeUndefined()
  })

  it('keeps a route to the hosts that both have', async () => {
    await gateway.policy(
      origin(),
      edge,
      httpRoute('r', [marking('r')], {
        parentRefs: [{ name: 'edge' }],
        hostnames: ['a.shop.test', 'b.elsewhere.test', '*.test'],
      }),
    )
    expect(await taken('/', [], 'a.shop.test')).toBe('r')
    expect(await taken('/', [], 'x.shop.test')).toBe('r')
    expect(await taken('/', [], 'one.shop.test')).toBe('r')
    expect(await taken('/', [], 'b.elsewhere.test')).toBe('none')
    expect(await taken('/', [], 'y.test')).toBe('none')
  })

  it('tells listeners of one host apart by port', async () => {
    const listeners = [
      { name: 'plain', port: 80, protocol: 'HTTP' },
      { name: 'other', port: 8080, protocol: 'HTTP' },
    ]
    await gateway.policy(
      origin(),
      { ...edge, spec: { listeners } },
      httpRoute('plain', [marking('plain')], {
        parentRefs: [{ name: 'edge', sectionName: 'plain' }],
      }),
      httpRoute('other', [marking('other')], { parentRefs: [{ name: 'edge', port: 8080 }] }),
    )
    expect(await taken('/', [], 'a.test')).toBe('plain')
    expect(await taken('/', [], 'a.test:8080')).toBe('other')
    expect(await taken('/', [], 'a.test:9')).toBe('plain')
  })
})
