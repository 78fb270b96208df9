/** Which routes and Gateways a plugin is for: by its namespace, or by its targets. */
import { describe, expect, it } from 'vitest'
import { formatPath } from '../problem.ts'
import type { PluginResource } from '../resources/kinds.ts'
import { envoyPolicy, extension, plugin, sha } from '../testing/resources.ts'
import { declaredPlugins } from './declared-plugin.ts'
import { type Attachable, DEFAULT_GATEWAY, reachOf, ROOT_NAMESPACE } from './plugin-reach.ts'
import type { Problem } from '../problem.ts'
import { reportInto } from './report.ts'

const edge = { namespace: 'infra', name: 'edge' }
const shop = { namespace: 'team-a', name: 'shop' }
const pay = { namespace: 'team-b', name: 'pay' }
const world: Attachable = {
  gateways: [edge],
  routes: [shop, pay],
  rootNamespace: ROOT_NAMESPACE,
}

/** The places where a plugin runs, of all there are, and what was found. */
function reach(
  resource: PluginResource,
  attachable: Attachable = world,
  overridden: readonly string[] = [],
): { places: string[]; found: string[] } {
  const problems: Problem[] = []
  const [declared] = declaredPlugins(resource)
  if (declared === undefined) throw new Error('no plugin')
  const runsAt = reachOf(declared, attachable, new Set(overridden), reportInto(problems))
  const places = {
    'edge shop': { gateway: edge, route: shop },
    'edge pay': { gateway: edge, route: pay },
    'default pay': { gateway: DEFAULT_GATEWAY, route: pay },
    edge: { gateway: edge },
    default: { gateway: DEFAULT_GATEWAY },
  }
  return {
    places: Object.entries(places).flatMap(([name, place]) => (runsAt(place) ? [name] : [])),
    found: problems.map(
      ({ code, path, message }) => `${code} ${formatPath(path)}: ${message.split(';')[0]}`,
    ),
  }
}

const group = 'gateway.networking.k8s.io'
const to = (kind: 'Gateway' | 'HTTPRoute', name: string) => ({
  targetRefs: [{ group, kind, name } as const],
})

describe('without targets a plugin is for', () => {
  it.each([
    [
      'everything, from the root namespace',
      ROOT_NAMESPACE,
      ['edge shop', 'edge pay', 'default pay', 'edge', 'default'],
    ],
    ['the routes of its namespace', 'team-a', ['edge shop']],
    ['what is attached to a Gateway of its namespace', 'infra', ['edge shop', 'edge pay', 'edge']],
    ['what is attached to the default Gateway', 'default', ['default pay', 'default']],
  ])('%s', (_what, namespace, places) => {
    expect(reach(plugin('p', {}, namespace))).toEqual({ places, found: [] })
    expect(reach(plugin('p', { targetRefs: [] }, namespace)).places).toEqual(places)
    expect(reach(extension('p', {}, namespace)).places).toEqual(places)
  })

  it('nothing where its namespace has nothing, and is told what to do', () => {
    expect(reach(plugin('p', {}, 'istio-ingress'))).toEqual({
      places: [],
      found: [
        'config.no_effect metadata.namespace: has no effect here: namespace istio-ingress has neither routes nor a Gateway. Declare the Gateway there, name targetRefs, or move the plugin to istio-system, whose plugins are for all namespaces',
      ],
    })
  })

  it('everything from whatever the root namespace is called', () => {
    const renamed = { ...world, rootNamespace: 'platform' }
    expect(reach(plugin('p', {}, 'platform'), renamed).places).toHaveLength(5)
    expect(reach(plugin('p', {}, ROOT_NAMESPACE), renamed).places).toEqual([])
  })
})

describe('with targets a plugin is for', () => {
  it('one route, wherever that is attached', () => {
    expect(reach(plugin('p', to('HTTPRoute', 'pay'), 'team-b'))).toEqual({
      places: ['edge pay', 'default pay'],
      found: [],
    })
  })

  it('a Gateway: its routes of all namespaces, and its requests without one', () => {
    const { targetRefs } = to('Gateway', 'edge')
    const places = ['edge shop', 'edge pay', 'edge']
    expect(reach(plugin('p', { targetRefs }, 'infra'))).toEqual({ places, found: [] })
    const targetRef = { group, kind: 'Gateway', name: 'edge' } as const
    expect(reach(plugin('p', { targetRef }, 'infra')).places).toEqual(places)
  })

  it('a Gateway by the label that a cluster puts on what runs it', () => {
    const selects = (label: string, name: string) => ({
      selector: { matchLabels: { [label]: name } },
    })
    const places = ['edge shop', 'edge pay', 'edge']
    for (const label of ['gateway.networking.k8s.io/gateway-name', 'istio.io/gateway-name']) {
      expect(reach(plugin('p', selects(label, 'edge'), 'infra'))).toEqual({ places, found: [] })
      expect(reach(plugin('p', selects(label, 'edge'), ROOT_NAMESPACE)).places).toEqual(places)
      expect(reach(plugin('p', selects(label, 'gone'), 'infra'))).toEqual({
        places: ['default pay', 'default'],
        found: [
          `config.no_effect spec.selector.matchLabels["${label}"]: has no effect here: there is no Gateway gone`,
        ],
      })
    }
  })

  it('the default Gateway by its name, and in place of one that is not there', () => {
    const places = ['default pay', 'default']
    expect(reach(plugin('p', to('Gateway', 'default')))).toEqual({ places, found: [] })
    expect(reach(plugin('p', to('Gateway', 'edge')))).toEqual({
      places,
      found: [
        'config.no_effect spec.targetRefs[0].name: has no effect here: there is no Gateway edge',
      ],
    })
  })

  it('all of several', () => {
    const targetRefs = [...to('Gateway', 'edge').targetRefs, ...to('HTTPRoute', 'x').targetRefs]
    const more = { ...world, routes: [...world.routes, { namespace: 'infra', name: 'x' }] }
    expect(reach(plugin('p', { targetRefs }, 'infra'), more).places).toEqual([
      'edge shop',
      'edge pay',
      'edge',
    ])
  })

  it('none of another namespace, also from the root namespace', () => {
    const targetRefs = [{ group, kind: 'HTTPRoute', name: 'pay', namespace: 'team-b' }] as const
    expect(reach(plugin('p', { targetRefs }, ROOT_NAMESPACE)).found).toEqual([
      'config.unsupported spec.targetRefs[0].namespace: another namespace is outside the supported subset: write the plugin in team-b',
    ])
    expect(reach(plugin('p', to('HTTPRoute', 'pay'), 'team-a'), world).found).toEqual([
      'config.dangling_reference spec.targetRefs[0].name: there is no HTTPRoute pay in namespace team-a',
    ])
  })
})

describe('an EnvoyExtensionPolicy for a Gateway', () => {
  const image = { url: 'a/b:1', sha256: sha('1') }
  const wasm = [{ code: { type: 'Image', image } }] as const
  const policy = envoyPolicy('x', { ...to('Gateway', 'edge'), wasm }, 'infra')

  it('is for its routes, but for those with a policy of their own', () => {
    expect(reach(policy).places).toEqual(['edge shop', 'edge pay', 'edge'])
    expect(reach(policy, world, ['team-a/shop']).places).toEqual(['edge pay', 'edge'])
  })

  it('is for a route that it names itself', () => {
    const own = envoyPolicy('x', { ...to('HTTPRoute', 'shop'), wasm }, 'team-a')
    expect(reach(own, world, ['team-a/shop']).places).toEqual(['edge shop'])
  })
})
