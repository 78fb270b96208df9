/** Which rule a request takes: Gateway API's order of precedence, hosts and listeners. */
import { describe, expect, it } from 'vitest'
import { compile } from '../config/compile.ts'
import type { Gateway, Listener } from '../config/resources/gateway.ts'
import type { HttpRoute, HttpRouteMatch } from '../config/resources/http-route.ts'
import { route, toUpstream, upstream } from '../config/testing/resources.ts'
import { hostOf, type RouteKey } from './route-key.ts'
import { RouteTable } from './route-table.ts'

function tableOf(...resources: readonly (HttpRoute | Gateway)[]): RouteTable {
  const { snapshot, problems } = compile({
    resources: [upstream('shop'), ...resources],
    catalog: [],
  })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return new RouteTable(snapshot)
}

/** `METHOD scheme://authority/path?query` and headers. */
function keyOf(line: string, headers: Readonly<Record<string, string>> = {}): RouteKey {
  const found = /^(\w+) (\w+):\/\/([^/]*)(\/.*)$/.exec(line)
  if (found === null) throw new Error(line)
  const [, method = '', scheme = '', authority = '', path = ''] = found
  return {
    method,
    scheme,
    authority,
    host: hostOf(authority),
    path,
    header: (name) => headers[name],
  }
}

const rulesOf = (...lists: readonly (readonly HttpRouteMatch[])[]) =>
  lists.map((matches, index) => ({
    name: `${index}`,
    matches,
    backendRefs: [toUpstream('shop')],
  }))

const path = (
  type: 'Exact' | 'PathPrefix' | 'RegularExpression',
  value: string,
): Pick<HttpRouteMatch, 'path'> => ({ path: { type, value } })

describe('of two matches that hold wins', () => {
  const key = (url = '/a/b?x=1&y=2', headers = { 'x-a': '1', 'x-b': '2' }): RouteKey =>
    keyOf(`GET http://h.test${url}`, headers)
  const header = (name: string, value: string) => ({ name, value })

  it.each<[string, HttpRouteMatch, HttpRouteMatch]>([
    ['an exact path before a prefix', path('Exact', '/a/b'), path('PathPrefix', '/a/b')],
    [
      'an exact path before a prefix with everything else',
      path('Exact', '/a/b'),
      { ...path('PathPrefix', '/a/b'), method: 'GET', headers: [header('x-a', '1')] },
    ],
    ['the longer prefix', path('PathPrefix', '/a/b'), path('PathPrefix', '/a')],
    [
      'the longer prefix before a method',
      path('PathPrefix', '/a/b'),
      { ...path('PathPrefix', '/a'), method: 'GET' },
    ],
    [
      'any prefix before a regular expression',
      path('PathPrefix', '/a'),
      path('RegularExpression', '/a/[a-z]'),
    ],
    [
      'a regular expression before the prefix /',
      path('RegularExpression', '/a/.'),
      path('PathPrefix', '/'),
    ],
    [
      'the longer regular expression',
      path('RegularExpression', '/a/[ab]'),
      path('RegularExpression', '/.*'),
    ],
    [
      'a method before headers',
      { method: 'GET' },
      { headers: [header('x-a', '1'), header('x-b', '2')] },
    ],
    [
      'more headers',
      { headers: [header('x-a', '1'), header('x-b', '2')] },
      { headers: [header('x-a', '1')] },
    ],
    [
      'headers before query parameters',
      { headers: [header('x-a', '1')] },
      { queryParams: [header('x', '1'), header('y', '2')] },
    ],
    [
      'more query parameters',
      { queryParams: [header('x', '1'), header('y', '2')] },
      { queryParams: [header('x', '1')] },
    ],
    ['the rule that stands first', path('PathPrefix', '/a'), path('PathPrefix', '/a')],
  ])('%s', (what, winner, loser) => {
    const first = tableOf(route('r', { rules: rulesOf([winner], [loser]) }))
    expect(first.match(key())?.rule.name).toBe('0')
    if (what === 'the rule that stands first') return
    const last = tableOf(route('r', { rules: rulesOf([loser], [winner]) }))
    expect(last.match(key())?.rule.name).toBe('1')
  })

  it('the exact host before a wildcard, the longer wildcard, then every host', () => {
    const hosts = ['a.b.test', '*.b.test', '*.test', undefined]
    const routes = hosts.map((host, index) =>
      // names that sort the other way round
      route(`r${9 - index}`, host === undefined ? {} : { hostnames: [host] }),
    )
    for (const [index] of hosts.entries()) {
      const found = tableOf(...routes.slice(index)).match(keyOf('GET http://a.b.test/'))
      expect(found?.route.name).toBe(`r${9 - index}`)
    }
  })

  it('the route whose namespace and name come first', () => {
    const rules = [{ backendRefs: [{ ...toUpstream('shop'), namespace: 'default' }] }]
    const table = tableOf(route('b'), route('a'), route('z', { rules }, 'area'))
    expect(table.match(key())?.route.name).toBe('z')
  })
})

describe('a condition', () => {
  it.each<[HttpRouteMatch, string, Record<string, string>, boolean]>([
    [path('PathPrefix', '/a'), '/a', {}, true],
    [path('PathPrefix', '/a/'), '/a', {}, true],
    [path('PathPrefix', '/a'), '/a/?x', {}, true],
    [path('PathPrefix', '/a'), '/ab', {}, false],
    [path('PathPrefix', '/a/b/c'), '/a/b', {}, false],
    [path('Exact', '/a'), '/a?x', {}, true],
    [path('Exact', '/a'), '/a/', {}, false],
    [path('RegularExpression', '/v[0-9]+(/.*)?'), '/v12/x?y', {}, true],
    [path('RegularExpression', '/v[0-9]+'), '/v12/x', {}, false],
    [path('RegularExpression', 'v[0-9]+'), '/v1', {}, false],
    [{ method: 'POST' }, '/', {}, false],
    [{ headers: [{ name: 'X-A', value: '1' }] }, '/', { 'x-a': '1' }, true],
    [{ headers: [{ name: 'x-a', value: '1' }] }, '/', { 'x-a': '11' }, false],
    [{ headers: [{ name: 'x-a', value: '' }] }, '/', {}, false],
    [
      { headers: [{ type: 'RegularExpression', name: 'x-a', value: 'a|b+' }] },
      '/',
      { 'x-a': 'bb' },
      true,
    ],
    [
      { headers: [{ type: 'RegularExpression', name: 'x-a', value: 'a|b+' }] },
      '/',
      { 'x-a': 'ab' },
      false,
    ],
    [{ headers: [{ type: 'RegularExpression', name: 'x-a', value: '.*' }] }, '/', {}, false],
    [{ queryParams: [{ name: 'q', value: 'a b' }] }, '/?q=a%20b', {}, true],
    [{ queryParams: [{ name: 'q', value: 'a b' }] }, '/?q=a+b&q=c', {}, true],
    [{ queryParams: [{ name: 'q', value: 'c' }] }, '/?q=a&q=c', {}, false],
    [{ queryParams: [{ name: 'Q', value: 'a' }] }, '/?q=a', {}, false],
    [{ queryParams: [{ name: 'q', value: '' }] }, '/?q', {}, true],
    [{ queryParams: [{ name: 'q', value: '' }] }, '/', {}, false],
    [
      { queryParams: [{ type: 'RegularExpression', name: 'q', value: '[0-9]+' }] },
      '/?q=12',
      {},
      true,
    ],
    [
      { queryParams: [{ type: 'RegularExpression', name: 'q', value: '[0-9]+' }] },
      '/?q=x1',
      {},
      false,
    ],
  ])('%j on %s with %j: %s', (match, url, headers, holds) => {
    const table = tableOf(route('r', { rules: rulesOf([match]) }))
    const found = table.match(keyOf(`GET http://h.test${url}`, headers))
    expect(found !== undefined).toBe(holds)
  })

  it('that fails leaves the request to the next rule, path and host', () => {
    const post = { method: 'POST' }
    const table = tableOf(
      route('a', {
        hostnames: ['h.test'],
        rules: rulesOf(
          [{ ...path('Exact', '/a/b'), ...post }],
          [{ ...path('PathPrefix', '/a/b'), ...post }],
          [{ ...path('RegularExpression', '/a/.'), ...post }],
        ),
      }),
      route('b', { hostnames: ['*.test'], rules: rulesOf([path('PathPrefix', '/a')]) }),
    )
    expect(table.match(keyOf('GET http://h.test/a/b'))?.route.name).toBe('b')
    expect(table.match(keyOf('POST http://h.test/a/b'))?.rule.name).toBe('0')
  })
})

describe('a listener', () => {
  const gateway = (name: string, ...listeners: readonly Partial<Listener>[]): Gateway => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name },
    spec: {
      listeners: listeners.map((listener, index) =>
        Object.assign({ name: `l${index}`, port: 80, protocol: 'HTTP' as const }, listener),
      ),
    },
  })
  const at = (name: string, parent: string, sectionName?: string, hostnames?: string[]) =>
    route(name, {
      parentRefs: [{ name: parent, ...(sectionName && { sectionName }) }],
      ...(hostnames && { hostnames }),
    })
  const taken = (table: RouteTable, url: string): string | undefined =>
    table.match(keyOf(`GET ${url}`))?.route.name

  it('of a host takes its requests, also where only a wider one has a route', () => {
    const table = tableOf(
      gateway('edge', { hostname: '*.shop.test' }, { hostname: 'a.shop.test' }),
      at('wide', 'edge', 'l0'),
      at('narrow', 'edge', 'l1', ['a.shop.test', 'b.shop.test']),
      route('rest'),
    )
    expect(taken(table, 'http://a.shop.test/')).toBe('narrow')
    expect(taken(table, 'http://b.shop.test/')).toBe('wide')
    expect(taken(table, 'http://other.test/')).toBe('rest')
    const without = tableOf(
      gateway('edge', { hostname: '*.shop.test' }, { hostname: 'a.shop.test' }),
      at('wide', 'edge', 'l0'),
    )
    expect(taken(without, 'http://a.shop.test/')).toBeUndefined()
    expect(without.gatewayOf(keyOf('GET http://a.shop.test/'))?.name).toBe('edge')
    expect(without.gatewayOf(keyOf('GET http://other.test/'))?.name).toBe('default')
  })

  it('is chosen by port, then by scheme', () => {
    const table = tableOf(
      gateway('edge', {}, { port: 443, protocol: 'HTTPS' }, { port: 8443, protocol: 'HTTPS' }),
      at('redirects', 'edge', 'l0'),
      at('serves', 'edge', 'l1'),
      at('serves-more', 'edge', 'l2'),
    )
    expect(taken(table, 'http://a.test/')).toBe('redirects')
    expect(taken(table, 'https://a.test/')).toBe('serves')
    expect(taken(table, 'https://a.test:8443/')).toBe('serves-more')
    expect(taken(table, 'http://a.test:8787/')).toBe('redirects')
    expect(taken(table, 'https://a.test:9999/')).toBe('serves')
  })

  it('of every host shares it with the default Gateway', () => {
    const table = tableOf(
      gateway('edge', {}),
      at('named', 'edge', undefined, ['a.test']),
      route('r'),
    )
    expect(taken(table, 'http://a.test/')).toBe('named')
    expect(taken(table, 'http://b.test/')).toBe('r')
    expect(table.gatewayOf(keyOf('GET http://b.test/'))?.name).toBe('edge')
  })
})
