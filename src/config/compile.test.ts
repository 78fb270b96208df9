/** Resources in, a snapshot or problems out: bytes, chains, last good versions, references. */
import { describe, expect, it } from 'vitest'
import { compile, nameSnapshot } from './compile.ts'
import { readSnapshot } from './read-snapshot.ts'
import { formatPath } from './problem.ts'
import type { Resource } from './resources/kinds.ts'
import type { Snapshot } from './snapshot.ts'
import { CATALOG, plugin, policy, route, sha, toUpstream, upstream } from './testing/resources.ts'

function snapshotOf(resources: readonly Resource[], previous?: Snapshot): Snapshot {
  const { snapshot, problems } = compile({ resources, catalog: CATALOG, previous })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return snapshot
}

function problems(resources: readonly Resource[], services?: readonly string[]): string[] {
  return compile({ resources, catalog: CATALOG, services }).problems.map(
    ({ code, resource, path, message }) => `${code} ${resource} ${formatPath(path)}: ${message}`,
  )
}

const shop = upstream('shop', { aliases: ['shop.default:8080'] })

describe('a snapshot', () => {
  it('has the same bytes whatever order resources and keys came in', async () => {
    const config = { b: 1, a: { d: [2], c: 3 } }
    const swapped = { a: { c: 3, d: [2] }, b: 1 }
    const one = [shop, route('r'), plugin('p', { pluginConfig: config }), plugin('q')]
    const two = [plugin('q'), plugin('p', { pluginConfig: swapped }), route('r'), shop]
    const first = await nameSnapshot(snapshotOf(one))
    const second = await nameSnapshot(snapshotOf(two))
    expect(second.text).toBe(first.text)
    expect(second.hash).toBe(first.hash)
    expect(first.snapshot.plugins['default.p']?.configuration).toBe('{"a":{"c":3,"d":[2]},"b":1}')
  })

  it('is what a gateway accepts when it reads it back', async () => {
    const full = [
      shop,
      route('r', { hostnames: ['a.test'] }),
      plugin('p', { vmConfig: { env: [{ name: 'A', value: '1' }] } }),
      policy('x', 'p', { limits: { bodyBytes: 1 }, upstreams: ['shop'], allowedCapabilities: [] }),
    ]
    const { hash, text, snapshot } = await nameSnapshot(snapshotOf(full, snapshotOf([plugin('p')])))
    expect(await readSnapshot(text, hash)).toEqual({ found: snapshot })
  })

  it('has an empty configuration for a plugin without one, as Istio has', () => {
    const snapshot = snapshotOf([plugin('p', { pluginConfig: {} })])
    expect(snapshot.plugins['default.p']).toMatchObject({ configuration: '', rootId: '' })
  })

  it('has a singleton in no chain, and warns of routes named for it', async () => {
    const named = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'r' }] as const
    const resources = [
      shop,
      route('r'),
      plugin('p', { targetRefs: named }),
      plugin('q'),
      policy('x', 'p', { singleton: true }),
    ]
    const { snapshot, hash, text } = await nameSnapshot(snapshotOf(resources))
    expect(snapshot.plugins['default.p']?.singleton).toBe(true)
    expect([snapshot.gatewayPlugins, snapshot.routes[0]?.plugins]).toEqual([
      ['default.q'],
      ['default.q'],
    ])
    expect(await readSnapshot(text, hash)).toEqual({ found: snapshot })
    expect(problems(resources)).toEqual([
      'config.no_effect WasmPlugin default/p spec.targetRefs: has no effect here: a singleton is on no route',
    ])
  })

  it('joins a plugin with its policy', () => {
    const snapshot = snapshotOf([
      shop,
      plugin('p'),
      policy('x', 'p', {
        limits: { bodyBytes: 10 },
        upstreams: ['shop.default:8080', 'shop'],
        vmId: 'v',
        shareVm: true,
        vmConfiguration: '{}',
        allowedCapabilities: ['proxy_log'],
        allowOnHeadersStopIteration: true,
      }),
    ])
    expect(snapshot.plugins['default.p']).toMatchObject({
      limits: { bodyBytes: 10 },
      upstreams: ['shop'],
      vmId: 'v',
      shareVm: true,
      vmConfiguration: '{}',
      allowedCapabilities: ['proxy_log'],
      allowOnHeadersStopIteration: true,
    })
  })

  it('fills in what a route leaves out and writes paths in one form', () => {
    const match = {
      path: { value: '/shop/' },
      headers: [
        { name: 'X-A', value: '1' },
        { name: 'x-a', value: '2' },
      ],
    }
    const rules = [
      { backendRefs: [{ name: 'shop', port: 8080 }] },
      {
        matches: [match, { path: { type: 'Exact', value: '/shop/' } } as const],
        backendRefs: [toUpstream('shop')],
      },
    ]
    expect(snapshotOf([shop, route('r', { rules })]).routes[0]?.rules).toEqual([
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backends: [{ upstream: 'shop', weight: 1 }],
      },
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/shop' },
            headers: [{ name: 'x-a', value: '1' }],
          },
          { path: { type: 'Exact', value: '/shop/' } },
        ],
        backends: [{ upstream: 'shop', weight: 1 }],
      },
    ])
  })
})

describe('the chain', () => {
  it('goes by phase, then descending priority, then name and namespace', () => {
    const snapshot = snapshotOf([
      plugin('late'),
      plugin('stats', { phase: 'STATS' }),
      plugin('authz-low', { phase: 'AUTHZ', priority: 10 }),
      plugin('authz-high', { phase: 'AUTHZ', priority: 1000 }),
      plugin('b', { phase: 'AUTHN' }),
      plugin('a', { phase: 'AUTHN' }, 'istio-system'),
      plugin('a', { phase: 'AUTHN' }),
    ])
    expect(snapshot.gatewayPlugins).toEqual([
      'default.a',
      'istio-system.a',
      'default.b',
      'default.authz-high',
      'default.authz-low',
      'default.stats',
      'default.late',
    ])
  })

  it('holds a plugin of one route on that route alone, in its place', () => {
    const group = 'gateway.networking.k8s.io'
    const snapshot = snapshotOf([
      shop,
      route('one'),
      route('two'),
      plugin('all', { phase: 'AUTHZ' }),
      plugin('only', { phase: 'AUTHN', targetRefs: [{ group, kind: 'HTTPRoute', name: 'one' }] }),
      plugin('edge', { targetRefs: [{ group, kind: 'Gateway', name: 'edge' }] }),
    ])
    expect(snapshot.routes.map(({ name, plugins }) => [name, plugins])).toEqual([
      ['one', ['default.only', 'default.all', 'default.edge']],
      ['two', ['default.all', 'default.edge']],
    ])
    expect(snapshot.gatewayPlugins).toEqual(['default.all', 'default.edge'])
  })
})

const version = (number: string) => plugin('p', { url: `oci://r.test/header-policy:${number}` })

describe('the last good version', () => {
  it('is what ran before', () => {
    const next = snapshotOf([version('1.1.0')], snapshotOf([version('1.0.0')]))
    expect(next.plugins['default.p']?.lastGood).toEqual([{ module: sha('a'), configuration: '' }])
  })

  it('stays while nothing changes, so that the same resources are the same snapshot', () => {
    const second = snapshotOf([version('1.1.0')], snapshotOf([version('1.0.0')]))
    expect(snapshotOf([version('1.1.0')], second)).toEqual(second)
  })

  it('is none for a plugin that is new', () => {
    expect(snapshotOf([version('1.0.0')]).plugins['default.p']).not.toHaveProperty('lastGood')
  })
})

describe('what is refused', () => {
  it('names a reference that leads nowhere, and what was probably meant', () => {
    const group = 'gateway.networking.k8s.io'
    const found = problems([
      shop,
      upstream('pay', {}, 'money'),
      route('r', { rules: [{ backendRefs: [toUpstream('shpo')] }] }),
      route('s', { rules: [{ backendRefs: [{ name: 'shop', port: 81 }] }] }),
      route('t', { rules: [{ backendRefs: [toUpstream('pay')] }] }),
      plugin('p', { targetRefs: [{ group, kind: 'HTTPRoute', name: 'rr' }] }),
      policy('x', 'q', { upstreams: ['nowhere'] }),
    ])
    expect(found).toEqual([
      'config.dangling_reference HTTPRoute default/r spec.rules[0].backendRefs[0].name: there is no Upstream shpo; did you mean shop?',
      'config.dangling_reference HTTPRoute default/s spec.rules[0].backendRefs[0].name: no Upstream has the alias "shop.default:81"; add it to the Upstream that stands for this Service',
      'config.dangling_reference HTTPRoute default/t spec.rules[0].backendRefs[0].name: the Upstream pay is in namespace money; write namespace: money',
      'config.dangling_reference PluginPolicy default/x spec.targetRefs[0].name: there is no WasmPlugin q in namespace default; did you mean p?',
      'config.dangling_reference PluginPolicy default/x spec.upstreams[0]: there is no Upstream nowhere; add it',
      'config.dangling_reference WasmPlugin default/p spec.targetRefs[0].name: there is no HTTPRoute rr in namespace default; did you mean r?',
    ])
  })

  it('names a service binding the Worker does not have', () => {
    expect(problems([upstream('u', { service: 'SHOP' })], ['SHOPS'])).toEqual([
      'config.dangling_reference Upstream default/u spec.service: the Worker has no service binding SHOP; did you mean SHOPS?',
    ])
  })

  it('names two upstreams of one name or alias', () => {
    const other = upstream('other', { aliases: ['shop', 'shop.default:8080'] })
    expect(problems([shop, other]).map((line) => line.split(': ')[0])).toEqual([
      'config.duplicate Upstream default/shop metadata.name',
      'config.duplicate Upstream default/shop spec.aliases[0]',
    ])
  })

  it('names a second policy for a plugin and a variable set twice', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ]
    const found = problems([
      shop,
      route('r'),
      plugin('p', { vmConfig: { env } }),
      policy('x', 'p'),
      policy('y', 'p'),
    ])
    expect(found.map((line) => line.split(': ')[0])).toEqual([
      'config.duplicate PluginPolicy default/y spec.targetRefs[0].name',
      'config.duplicate WasmPlugin default/p spec.vmConfig.env[1].name',
    ])
  })

  it('warns that a parent is the default Gateway', () => {
    const { snapshot, problems: found } = compile({
      resources: [shop, route('r', { parentRefs: [{ name: 'edge' }] })],
      catalog: [],
    })
    expect(snapshot?.routes).toHaveLength(1)
    expect(found.map(({ severity, code }) => [severity, code])).toEqual([
      ['warning', 'config.no_effect'],
    ])
  })
})
