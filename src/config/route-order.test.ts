/** Gateway API's order of precedence, case by case. */
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import type { HttpRoute, HttpRouteMatch } from './resources/http-route.ts'
import { orderedCandidates } from './route-order.ts'
import { route, toUpstream, upstream } from './testing/resources.ts'

/** The order of matches, each shown as `route host path method headers`. */
function order(
  routes: Readonly<Record<string, { hosts?: string[]; matches: HttpRouteMatch[] }>>,
): string[] {
  const resources = Object.entries(routes).map(([name, { hosts, matches }]) =>
    route(name, {
      ...(hosts === undefined ? {} : { hostnames: hosts }),
      rules: [{ matches, backendRefs: [toUpstream('shop')] }],
    }),
  )
  const { snapshot } = compile({ resources: [upstream('shop'), ...resources], catalog: [] })
  if (snapshot === undefined) throw new Error('does not compile')
  return orderedCandidates(snapshot).map(({ hostname, match, route: { name } }) =>
    [
      name,
      hostname ?? '-',
      `${match.path.type}:${match.path.value}`,
      match.method ?? '-',
      match.headers?.length ?? 0,
    ].join(' '),
  )
}

const header = (name: string) => ({ name, value: '1' })

const prefix = (value: string): HttpRouteMatch => ({ path: { type: 'PathPrefix', value } })

describe('the order of matches', () => {
  it('puts the most specific host first', () => {
    const matches = [prefix('/')]
    const found = order({
      a: { matches },
      b: { hosts: ['*.example.com'], matches },
      c: { hosts: ['*.shop.example.com'], matches },
      d: { hosts: ['x.io', 'www.example.com'], matches },
    })
    expect(found.map((line) => line.split(' ')[1])).toEqual([
      'www.example.com',
      'x.io',
      '*.shop.example.com',
      '*.example.com',
      '-',
    ])
  })

  it('goes by exact path, longest prefix, method and number of headers', () => {
    const found = order({
      a: {
        matches: [
          prefix('/'),
          prefix('/shop'),
          { ...prefix('/shop'), headers: [header('a')] },
          { ...prefix('/shop'), headers: [header('a'), header('b')] },
          { ...prefix('/shop'), method: 'GET' },
          { path: { type: 'Exact', value: '/s' } },
          prefix('/shopping/cart'),
        ],
      },
    })
    expect(found.map((line) => line.split(' ').slice(2).join(' '))).toEqual([
      'Exact:/s - 0',
      'PathPrefix:/shopping/cart - 0',
      'PathPrefix:/shop GET 0',
      'PathPrefix:/shop - 2',
      'PathPrefix:/shop - 1',
      'PathPrefix:/shop - 0',
      'PathPrefix:/ - 0',
    ])
  })

  it('settles ties by the name of the route', () => {
    const found = order({ b: { matches: [prefix('/')] }, a: { matches: [prefix('/')] } })
    expect(found.map((line) => line.split(' ')[0])).toEqual(['a', 'b'])
  })

  it('settles ties by the age that a cluster gave the routes, before their names', () => {
    const made = (name: string, creationTimestamp?: string): HttpRoute => ({
      ...route(name),
      metadata: { name, ...(creationTimestamp && { creationTimestamp }) },
    })
    const resources = [
      upstream('shop'),
      made('a'),
      made('b', '2026-01-02T00:00:00Z'),
      made('c', '2026-01-01T00:00:00Z'),
      made('d', '2026-01-02T00:00:00Z'),
    ]
    const { snapshot } = compile({ resources, catalog: [] })
    const names = snapshot && orderedCandidates(snapshot).map(({ route: { name } }) => name)
    expect(names).toEqual(['c', 'b', 'd', 'a'])
  })
})
