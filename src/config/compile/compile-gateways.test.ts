/** Gateways in a snapshot, and which of them routes are attached to. */
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.ts'
import { formatPath } from '../problem.ts'
import type { Gateway, Listener } from '../resources/gateway.ts'
import type { Resource } from '../resources/kinds.ts'
import type { Snapshot } from '../snapshot.ts'
import { route, upstream } from '../testing/resources.ts'

const shop = upstream('shop')

function snapshotOf(...resources: readonly Resource[]): Snapshot {
  const { snapshot, problems } = compile({ resources, catalog: [] })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return snapshot
}

/** `severity code path: message` of every problem. */
function problems(...resources: readonly Resource[]): string[] {
  return compile({ resources, catalog: [] }).problems.map(
    ({ severity, code, path, message }) => `${severity} ${code} ${formatPath(path)}: ${message}`,
  )
}

const gateway = (
  name: string,
  listeners: readonly Partial<Listener>[],
  namespace = 'default',
): Gateway => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace },
  spec: {
    listeners: listeners.map((listener, index) =>
      Object.assign({ name: `l${index}`, port: 80 + index, protocol: 'HTTP' as const }, listener),
    ),
  },
})

describe('a route', () => {
  const attached = (...resources: readonly Resource[]) =>
    snapshotOf(shop, ...resources).routes.map(({ gateway, listeners }) => [gateway, listeners])

  it('is the default Gateway’s when it names none, or one that is not there', () => {
    const resources = [shop, route('r'), route('s', { parentRefs: [{ name: 'edge' }] })]
    expect(snapshotOf(...resources)).toMatchObject({
      gateways: [
        { name: 'default', namespace: 'default', listeners: [{ name: 'default' }], plugins: [] },
      ],
      routes: [{ gateway: 'default/default' }, { gateway: 'default/default' }],
    })
    expect(problems(...resources)).toEqual([
      'warning config.no_effect spec.parentRefs[0]: has no effect here: there is no Gateway edge; the default Gateway takes the route',
    ])
  })

  it('is attached to all listeners, to one, or to those of a port', () => {
    const edge = gateway('edge', [{}, {}, { port: 80, hostname: 'a.test' }])
    const parents = (parent: object) => route('r', { parentRefs: [{ name: 'edge', ...parent }] })
    expect(attached(edge, parents({}))).toEqual([['default/edge', undefined]])
    expect(attached(edge, parents({ sectionName: 'l1' }))).toEqual([['default/edge', ['l1']]])
    expect(attached(edge, parents({ port: 80 }))).toEqual([['default/edge', ['l0', 'l2']]])
  })

  it('is in the snapshot once for each of its Gateways', () => {
    const parentRefs = [{ name: 'b' }, { name: 'a' }, { name: 'a', sectionName: 'l0' }]
    const resources = [gateway('a', [{}]), gateway('b', [{ port: 81 }]), route('r', { parentRefs })]
    expect(attached(...resources)).toEqual([
      ['default/b', undefined],
      ['default/a', undefined],
    ])
  })

  it('may be in another namespace where the listener says so', () => {
    const parentRefs = [{ name: 'edge', namespace: 'infra' }]
    const open = gateway('edge', [{ allowedRoutes: { namespaces: { from: 'All' } } }], 'infra')
    const same = gateway('edge', [{}], 'infra')
    expect(attached(open, route('r', { parentRefs }))).toEqual([['infra/edge', undefined]])
    expect(attached(same, route('r', { parentRefs }))).toEqual([])
    expect(problems(shop, same, route('r', { parentRefs }))).toEqual([
      'warning config.no_effect spec.parentRefs[0]: has no effect here: the route attaches nowhere on the Gateway edge, as its allowedRoutes keep routes of default out',
    ])
  })

  it('without a host in common attaches nowhere', () => {
    const edge = gateway('edge', [{ hostname: '*.a.test' }])
    const other = route('r', { parentRefs: [{ name: 'edge' }], hostnames: ['b.test'] })
    expect(attached(edge, other)).toEqual([])
    expect(problems(shop, edge, other)[0]).toContain(
      'attaches nowhere on the Gateway edge, as its hosts',
    )
  })

  it('of the default Gateway is told when another one takes its hosts', () => {
    const found = problems(
      shop,
      gateway('edge', [{ hostname: '*.a.test' }]),
      route('r', { hostnames: ['x.a.test', 'b.test'] }),
    )
    expect(found).toEqual([
      'warning config.no_effect spec.hostnames[0]: has no effect here: requests for x.a.test go to the listener l0 of the Gateway default/edge; name it in parentRefs',
    ])
  })

  it.each([
    [{ sectionName: 'l' }, 'sectionName: the Gateway edge has no listener l; did you mean l0?'],
    [{ port: 99 }, 'port: no listener of the Gateway edge asked for has port 99'],
    [{ sectionName: 'l0', port: 99 }, 'no listener of the Gateway edge asked for has port 99'],
    [{ kind: 'Service' }, 'kind: kind Service is outside the supported subset'],
  ])('is refused with the parent %j', (parent, expected) => {
    const parentRefs = [{ name: 'edge', ...parent }]
    const found = problems(shop, gateway('edge', [{}]), route('r', { parentRefs }))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })
})

describe('Gateways', () => {
  it('may not have two listeners of one name, or of one place', () => {
    const found = problems(gateway('a', [{ name: 'x' }, { name: 'x' }, { port: 80 }]))
    expect(found).toEqual([
      'error config.duplicate spec.listeners[1].name: there is another listener x',
      'error config.duplicate spec.listeners[2]: another listener has the same host, port and protocol (every host, port 80, HTTP)',
    ])
  })

  it('that share a place are warned', () => {
    expect(problems(gateway('a', [{}]), gateway('b', [{}]))).toEqual([
      expect.stringContaining('has no effect on requests that match no route: Gateway default/a'),
    ])
  })

  it('may take the place of the default one', () => {
    const { gateways, routes } = snapshotOf(
      shop,
      gateway('default', [{ hostname: 'a.test' }]),
      route('r'),
    )
    expect(gateways.map(({ listeners }) => listeners)).toEqual([
      [{ name: 'l0', hostname: 'a.test', port: 80, protocol: 'HTTP' }],
    ])
    expect(routes.map((one) => one.gateway)).toEqual(['default/default'])
  })
})
