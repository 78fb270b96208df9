/** What of the kinds that declare plugins comes into the snapshot, and that the kinds agree. */
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.ts'
import { formatPath } from '../problem.ts'
import type { Resource } from '../resources/kinds.ts'
import type { SnapshotPlugin } from '../snapshot.ts'
import {
  CATALOG,
  envoyPolicy,
  extension,
  plugin,
  policy,
  route,
  sha,
  upstream,
} from '../testing/resources.ts'
import type { NodeFacts } from './plugin-conditions.ts'

const shop = upstream('shop')

function compiled(resources: readonly Resource[], node?: NodeFacts) {
  const { snapshot, problems } = compile({ resources, catalog: CATALOG, node })
  const found = problems.map(
    ({ severity, code, resource, path, message }) =>
      `${severity} ${code} ${resource} ${formatPath(path)}: ${message}`,
  )
  return { snapshot, found }
}

function pluginOf(resource: Resource, node?: NodeFacts): SnapshotPlugin {
  const { snapshot, found } = compiled([resource], node)
  const [first] = Object.values(snapshot?.plugins ?? {})
  if (first === undefined) throw new Error(found.join('\n'))
  return first
}

const url = 'oci://registry.test/header-policy:1.0.0'
const group = 'gateway.networking.k8s.io'
const toRoute = (name: string) => ({ targetRefs: [{ group, kind: 'HTTPRoute', name } as const] })
const toGateway = { targetRefs: [{ group, kind: 'Gateway', name: 'default' } as const] }

describe('the same plugin', () => {
  it('comes out of a WasmPlugin and a TrafficExtension', () => {
    const wasm = {
      url,
      pluginName: 'root',
      pluginConfig: { b: 1, a: 2 },
      failStrategy: 'FAIL_RELOAD',
      vmConfig: { env: [{ name: 'A', value: '1' }] },
    } as const
    const where = {
      priority: 7,
      selector: { matchLabels: { store: '042' } },
      match: [{ ports: [{ number: 443 }] }],
    } as const
    const one = pluginOf(plugin('p', { ...wasm, ...where, phase: 'AUTHZ' }))
    expect(pluginOf(extension('p', { ...where, phase: 'EXECUTION_PHASE_AUTHZ', wasm }))).toEqual(
      one,
    )
    expect(one).toMatchObject({
      id: 'default.p',
      module: sha('a'),
      rootId: 'root',
      configuration: '{"a":2,"b":1}',
      failStrategy: 'FAIL_RELOAD',
      phase: 'AUTHZ',
      priority: 7,
      env: [['A', '1']],
      selector: { store: '042' },
      ports: [443],
    })
  })

  it.each([
    ['UNSPECIFIED', 'UNSPECIFIED_PHASE'],
    ['EXECUTION_PHASE_UNSPECIFIED', 'UNSPECIFIED_PHASE'],
    ['UNSPECIFIED_PHASE', 'UNSPECIFIED_PHASE'],
    ['STATS', 'STATS'],
  ] as const)('has the phase of a TrafficExtension: %s', (word, phase) => {
    expect(pluginOf(extension('p', { phase })).phase).toBe(phase)
    expect(pluginOf(extension('p', { phase: word })).phase).toBe(phase)
  })

  it('comes out of an entry of an EnvoyExtensionPolicy', () => {
    const entry = {
      name: 'auth',
      rootID: 'root',
      code: { type: 'Image', image: { url: 'registry.test/header-policy:1.0.0' } },
      config: { b: 1, a: 2 },
      failOpen: true,
      env: { hostKeys: ['TOKEN'] },
    } as const
    expect(pluginOf(envoyPolicy('x', { ...toGateway, wasm: [entry] }))).toMatchObject({
      id: 'default.x.auth',
      name: 'x.auth',
      module: sha('a'),
      rootId: 'root',
      configuration: '{"a":2,"b":1}',
      failStrategy: 'FAIL_OPEN',
      phase: 'UNSPECIFIED_PHASE',
      priority: 0,
      env: [['TOKEN']],
    })
  })

  it.each([
    [undefined, ''],
    [{}, '{}'],
    ['text', '"text"'],
    [null, 'null'],
    [[1, { b: 1, a: 2 }], '[1,{"a":2,"b":1}]'],
  ])('has any JSON as configuration there: %j', (config, configuration) => {
    const code = { type: 'HTTP', http: { url: 'https://plugins.test/api-key.wasm' } } as const
    const wasm = [{ code, ...(config === undefined ? {} : { config }) }]
    const compiledPlugin = pluginOf(envoyPolicy('x', { ...toGateway, wasm }))
    expect(compiledPlugin).toMatchObject({ id: 'default.x.0', module: sha('c'), configuration })
  })
})

describe('the order', () => {
  const at = (name: string, creationTimestamp?: string, namespace = 'default'): Resource => ({
    ...plugin(name),
    metadata: { name, namespace, ...(creationTimestamp && { creationTimestamp }) },
  })

  it('of ties is by creation time, then name, then namespace', () => {
    const { snapshot } = compiled([
      at('a'),
      at('c', '2024-05-01T10:00:00Z'),
      at('b', '2024-05-01T10:00:00+02:00'),
      at('z', undefined, 'istio-system'),
      at('a', undefined, 'istio-system'),
    ])
    expect(snapshot?.gatewayPlugins).toEqual([
      'default.b',
      'default.c',
      'default.a',
      'istio-system.a',
      'istio-system.z',
    ])
  })

  it('of the entries of one policy is theirs, also beyond ten', () => {
    const code = { type: 'Image', image: { url } } as const
    const wasm = Array.from({ length: 12 }, () => ({ code }))
    const { snapshot } = compiled([
      envoyPolicy('x', { ...toGateway, wasm }),
      plugin('a'),
      plugin('y', { priority: -1 }),
    ])
    expect(snapshot?.gatewayPlugins).toEqual([
      'default.a',
      ...wasm.map((_, index) => `default.x.${index}`),
      'default.y',
    ])
  })
})

describe('a policy of Envoy Gateway', () => {
  const entry = (name: string) => ({ name, code: { type: 'Image', image: { url } } }) as const

  it('for a route stands in place of that for its Gateway, also without plugins', () => {
    const { snapshot } = compiled([
      shop,
      route('one'),
      route('two'),
      route('three'),
      plugin('p', { phase: 'AUTHN' }),
      envoyPolicy('all', { ...toGateway, wasm: [entry('a'), entry('b')] }),
      envoyPolicy('own', { ...toRoute('two'), wasm: [entry('c')] }),
      envoyPolicy('none', toRoute('three')),
    ])
    const chains = snapshot?.routes.map(({ name, plugins }) => [name, plugins])
    expect(Object.fromEntries(chains ?? [])).toEqual({
      one: ['default.p', 'default.all.a', 'default.all.b'],
      two: ['default.p', 'default.own.c'],
      three: ['default.p'],
    })
  })

  it('is the only one of its target', () => {
    const { found } = compiled([
      shop,
      route('r'),
      envoyPolicy('x', toRoute('r')),
      envoyPolicy('y', toRoute('r')),
    ])
    expect(found).toEqual([
      'error config.duplicate EnvoyExtensionPolicy default/y spec.targetRefs[0]: EnvoyExtensionPolicy default/x is for HTTPRoute default/r already; write its plugins into one policy',
    ])
  })

  it('takes a PluginPolicy for all entries or for one', () => {
    const target = {
      group: 'gateway.envoyproxy.io',
      kind: 'EnvoyExtensionPolicy',
      name: 'x',
    } as const
    const x = envoyPolicy('x', { ...toGateway, wasm: [entry('a'), entry('b')] })
    const vmIds = (sectionName?: string) => {
      const one = { ...target, ...(sectionName && { sectionName }) }
      const { snapshot, found } = compiled([x, policy('y', '', { targetRefs: [one], vmId: 'v' })])
      return [Object.values(snapshot?.plugins ?? {}).map(({ vmId }) => vmId), found]
    }
    expect(vmIds()).toEqual([['v', 'v'], []])
    expect(vmIds('b')).toEqual([['', 'v'], []])
    expect(vmIds('c')).toEqual([
      [],
      [
        'error config.dangling_reference PluginPolicy default/y spec.targetRefs[0].name: EnvoyExtensionPolicy x has no entry c; it has a, b',
      ],
    ])
  })

  it('points at the entry that is wrong', () => {
    const code = { type: 'HTTP', http: { url: 'https://nowhere.test/a.wasm' } } as const
    const { found } = compiled([envoyPolicy('x', { ...toGateway, wasm: [entry('a'), { code }] })])
    expect(found).toEqual([
      expect.stringContaining(
        'config.module_unknown EnvoyExtensionPolicy default/x spec.wasm[1].code.http.url: no module is registered under this url; run `postern add https://nowhere.test/a.wasm`, then deploy',
      ),
    ])
  })
})

it('refuses two plugins of one id, whatever their kinds', () => {
  const { found } = compiled([
    plugin('p'),
    extension('p'),
    plugin('x.0'),
    envoyPolicy('x', { ...toGateway, wasm: [{ code: { type: 'Image', image: { url } } }] }),
  ])
  expect(found.map((line) => line.split(';')[0])).toEqual([
    'error config.duplicate WasmPlugin default/p metadata.name: TrafficExtension default/p is the plugin default.p already',
    'error config.duplicate WasmPlugin default/x.0 metadata.name: EnvoyExtensionPolicy default/x is the plugin default.x.0 already',
  ])
})

describe('what the node decides', () => {
  it('is in the snapshot as it was asked for', () => {
    const match = [
      { mode: 'CLIENT', ports: [{ number: 443 }, { number: 80 }] },
      { ports: [{ number: 443 }] },
    ] as const
    expect(pluginOf(plugin('p', { match })).ports).toEqual([80, 443])
    expect(pluginOf(plugin('p', { match: [...match, { mode: 'CLIENT' }] }))).not.toHaveProperty(
      'ports',
    )
    expect(pluginOf(plugin('p', { match: [] }))).not.toHaveProperty('ports')
    expect(pluginOf(plugin('p', { selector: {} }))).not.toHaveProperty('selector')
    const ofGateway = { 'gateway.networking.k8s.io/gateway-name': 'default', store: '1' }
    const selected = pluginOf(plugin('p', { selector: { matchLabels: ofGateway } }))
    expect(selected.selector).toEqual({ store: '1' })
  })

  it('warns of a match that never holds; a plugin with no other is in no chain', () => {
    const { snapshot, found } = compiled([
      shop,
      route('r'),
      plugin('never', { match: [{ mode: 'SERVER' }] }),
      plugin('also', { match: [{ mode: 'SERVER' }, { mode: 'CLIENT_AND_SERVER' }] }),
    ])
    expect(snapshot?.routes[0]?.plugins).toEqual(['default.also'])
    expect(snapshot?.gatewayPlugins).toEqual(['default.also'])
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'warning config.no_effect WasmPlugin default/also spec.match[0].mode',
      'warning config.no_effect WasmPlugin default/never spec.match[0].mode',
    ])
  })

  it('warns when the node at hand lacks a label, and keeps the plugin for the others', () => {
    const labels = { istio: 'ingressgateway', region: 'eu' }
    const selector = { matchLabels: { region: 'eu', store: '042' } }
    const { snapshot, found } = compiled([plugin('p', { selector })], { labels })
    expect(snapshot?.gatewayPlugins).toEqual(['default.p'])
    expect(snapshot?.plugins['default.p']?.selector).toEqual(selector.matchLabels)
    expect(found).toEqual([
      'warning config.no_effect WasmPlugin default/p spec.selector.matchLabels: has no effect on this node: it lacks store=042; the plugin runs on nodes whose NODE_LABELS have it',
    ])
    expect(compiled([plugin('p', { selector })]).found).toEqual([])
  })

  const env = [
    { name: 'B', value: '1' },
    { name: 'A', valueFrom: 'HOST' },
  ] as const
  it('gives a variable of the node by its name alone', () => {
    expect(pluginOf(plugin('p', { vmConfig: { env } }), { hostEnv: ['A'] }).env).toEqual([
      ['A'],
      ['B', '1'],
    ])
  })

  it('refuses a variable that the node does not give away', () => {
    const denied = (hostEnv: readonly string[]) =>
      compiled([plugin('p', { vmConfig: { env } })], { hostEnv }).found
    expect(denied([])).toEqual([
      'error config.host_env_denied WasmPlugin default/p spec.vmConfig.env[1].name: the node does not give A to plugins; add it to ALLOWED_HOST_ENV in wrangler.toml (it lists none) and deploy, or write the value inline',
    ])
    expect(denied(['C'])[0]).toContain('it lists C')
  })

  it('leaves a variable to the node that the plugin selects, where that is another', () => {
    const elsewhere = plugin('p', { vmConfig: { env }, selector: { matchLabels: { store: '1' } } })
    const { snapshot, found } = compiled([elsewhere], { hostEnv: [], labels: { store: '2' } })
    expect(snapshot?.plugins['default.p']?.env).toEqual([['A'], ['B', '1']])
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'warning config.no_effect WasmPlugin default/p spec.selector.matchLabels',
    ])
  })
})
