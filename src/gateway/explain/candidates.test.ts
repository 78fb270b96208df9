/** Why a match is not the one, by the tables that requests are matched with. */
import { describe, expect, it } from 'vitest'
import type { RouteMatch, Snapshot, SnapshotListener } from '../../config/snapshot.ts'
import type { RouteKey } from '../route-key.ts'
import { RouteTable } from '../route-table.ts'
import { candidateViews } from './candidates.ts'

const HTTP: SnapshotListener = { name: 'http' }

interface Route {
  readonly name: string
  readonly hostnames?: readonly string[]
  readonly matches: readonly RouteMatch[]
  readonly listeners?: readonly string[]
}

function snapshot(
  routes: readonly Route[],
  listeners: readonly SnapshotListener[] = [HTTP],
): Snapshot {
  return {
    schema: 2,
    gateways: [{ name: 'edge', namespace: 'default', listeners, plugins: [] }],
    routes: routes.map(({ name, hostnames = [], matches, listeners: attached }) => ({
      name,
      namespace: 'default',
      gateway: 'default/edge',
      hostnames,
      ...(attached && { listeners: attached }),
      // a rule for each match, so that rules are told apart
      rules: matches.map((match) => ({ matches: [match], backends: [] })),
      plugins: [],
    })),
    gatewayPlugins: [],
    plugins: {},
    upstreams: {},
  } as unknown as Snapshot
}

function why(compiled: Snapshot, request: Partial<RouteKey> & { readonly headers?: object } = {}) {
  const headers = new Headers(request.headers as HeadersInit)
  const key: RouteKey = {
    host: 'shop.example',
    path: '/',
    method: 'GET',
    header: (name) => headers.get(name),
    ...request,
  }
  const won = new RouteTable(compiled).match(key)
  const { candidates, more } = candidateViews(compiled, key, won)
  return { why: candidates.map(({ route, rule, failed }) => [`${route}#${rule}`, failed]), more }
}

const prefix = (value: string, more: Partial<RouteMatch> = {}): RouteMatch => ({
  path: { type: 'PathPrefix', value },
  ...more,
})

describe('a match that is not the one', () => {
  it.each([
    [
      'host',
      { hostnames: ['other.example'], matches: [prefix('/')] },
      {},
      'host: shop.example is not other.example',
    ],
    [
      'host below a wildcard',
      { hostnames: ['*.other.example'], matches: [prefix('/')] },
      { host: 'other.example' },
      'host: other.example is not *.other.example',
    ],
    [
      'prefix, by elements',
      { matches: [prefix('/shop')] },
      { path: '/shopping?a=/shop' },
      'path: /shopping is not PathPrefix /shop',
    ],
    [
      'exact path',
      { matches: [{ path: { type: 'Exact', value: '/a' } }] },
      { path: '/a/' },
      'path: /a/ is not Exact /a',
    ],
    [
      'expression',
      { matches: [{ path: { type: 'RegularExpression', value: '/a[0-9]+' } }] },
      { path: '/a1b' },
      'path: /a1b is not RegularExpression /a[0-9]+',
    ],
    ['method', { matches: [prefix('/', { method: 'POST' })] }, {}, 'method POST does not hold'],
    [
      'header',
      { matches: [prefix('/', { headers: [{ name: 'x-a', value: 'b' }] })] },
      { headers: { 'x-a': 'c' } },
      'header x-a does not hold',
    ],
    [
      'query',
      { matches: [prefix('/', { query: [{ name: 'page', value: '1' }] })] },
      { path: '/?page=2' },
      'query parameter page does not hold',
    ],
    [
      'the first of several',
      { hostnames: ['other.example'], matches: [prefix('/x', { method: 'POST' })] },
      {},
      'host: shop.example is not other.example',
    ],
    [
      'the second of several',
      { matches: [prefix('/', { method: 'POST', headers: [{ name: 'x-a', value: 'b' }] })] },
      { method: 'POST' },
      'header x-a does not hold',
    ],
  ] as const)('says which condition fails: %s', (_what, route, request, failed) => {
    expect(why(snapshot([{ name: 'r', ...route }]), request).why).toEqual([['default/r#0', failed]])
  })

  it('says that another one comes before it', () => {
    const routes = [{ name: 'r', matches: [prefix('/'), prefix('/a')] }]
    expect(why(snapshot(routes), { path: '/a/b' }).why).toEqual([
      ['default/r#1', undefined],
      ['default/r#0', 'it holds, and the match that won comes before it'],
    ])
  })

  it('says that the request belongs to a more specific listener', () => {
    const listeners = [HTTP, { name: 'shop', hostname: 'shop.example' }]
    const routes = [{ name: 'r', matches: [prefix('/')], listeners: ['http'] }]
    expect(why(snapshot(routes, listeners)).why).toEqual([
      ['default/r#0', 'listener: the request belongs to another one, of Gateway default/edge'],
    ])
  })
})

it('lists two hundred, those of the own host first', () => {
  const others = Array.from({ length: 300 }, (_, i) => ({
    name: `r${i}`,
    hostnames: [`h${i}.example`],
    matches: [prefix('/')],
  }))
  const { why: listed, more } = why(snapshot([...others, { name: 'z', matches: [prefix('/')] }]))
  expect([listed.length, more, listed[0]]).toEqual([200, 101, ['default/z#0', undefined]])
})
