/** What an operator is told about a change, and what is never told. */
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.ts'
import type { Resource } from '../resources/kinds.ts'
import type { Snapshot } from '../snapshot.ts'
import {
  CATALOG,
  plugin,
  policy,
  rollout,
  route,
  toUpstream,
  upstream,
} from '../testing/resources.ts'
import { diffSnapshots } from './diff.ts'

type Listener = Extract<Resource, { kind: 'Gateway' }>['spec']['listeners'][number]

function snapshotOf(resources: readonly Resource[]): Snapshot {
  const { snapshot, problems } = compile({ resources, catalog: CATALOG })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return snapshot
}

/** A line per change and detail. */
function lines(before: readonly Resource[], after: readonly Resource[]): string[] {
  return diffSnapshots(snapshotOf(before), snapshotOf(after)).flatMap((change) =>
    [`${change.how} ${change.what} ${change.name}`].concat(
      change.details.map((detail) => `  ${detail}`),
    ),
  )
}

const shop = upstream('shop')

describe('the difference of two snapshots', () => {
  it('is nothing for the same resources', () => {
    expect(lines([shop, route('r'), plugin('p')], [plugin('p'), route('r'), shop])).toEqual([])
  })

  it('tells versions, old and new values, and where a configuration differs', () => {
    const before = plugin('p', {
      pluginConfig: { keys: [{ hash: 's3cret' }], mode: 'a', old: 's3cret', limit: 1, on: true },
      vmConfig: { env: [{ name: 'TOKEN', value: 's3cret' }] },
    })
    const after = plugin('p', {
      url: 'oci://r.test/header-policy:1.1.0',
      pluginConfig: {
        keys: [{ hash: 'other' }, { hash: 'x' }],
        mode: 'a',
        limit: 20,
        on: 's3cret',
      },
      vmConfig: { env: [{ name: 'TOKEN', value: 's3cret2' }] },
      priority: 5,
      failStrategy: 'FAIL_OPEN',
    })
    const limits = policy('x', 'p', { limits: { bodyBytes: 1 }, vmConfiguration: 's3cret' })
    const found = lines([before], [after, limits])
    expect(found).toEqual([
      'changed plugin default.p',
      '  module header-policy 1.0.0 (aaaaaaaaaaaa) → header-policy 1.1.0 (bbbbbbbbbbbb)',
      '  configuration.keys[0].hash changed',
      '  configuration.keys[1] added',
      '  configuration.limit 1 → 20',
      '  configuration.old removed',
      '  configuration.on changed',
      '  env.TOKEN changed',
      '  failStrategy FAIL_CLOSE → FAIL_OPEN',
      '  limits.bodyBytes unset → 1',
      '  priority 0 → 5',
      '  vmConfiguration changed',
    ])
    expect(found.join()).not.toContain('s3cret')
  })

  it('tells what was added and removed, and the chains that follow', () => {
    const found = lines([shop, route('r'), plugin('p')], [shop, route('r'), plugin('q')])
    expect(found).toEqual([
      'removed plugin default.p',
      'added plugin default.q',
      '  module header-policy 1.0.0 (aaaaaaaaaaaa)',
      '  phase UNSPECIFIED_PHASE, priority 0, FAIL_CLOSE',
      'changed route default/r',
      '  chain: default.p → default.q',
      'changed gateway default',
      '  chain without a route: default.p → default.q',
    ])
  })

  it('tells which rules of a route go and come', () => {
    const matches = [{ path: { type: 'Exact', value: '/a' }, method: 'GET' } as const]
    const after = route('r', {
      hostnames: ['a.test'],
      rules: [{ matches, backendRefs: [toUpstream('shop')] }],
    })
    expect(lines([shop, route('r')], [shop, after])).toEqual([
      'changed route default/r',
      '  hosts: every host → a.test',
      '  no longer any method PathPrefix / to shop',
      '  now GET Exact /a to shop',
    ])
  })

  it('tells what a rule does otherwise than before, and no value of a header it sets', () => {
    const matches = [{ path: { type: 'Exact', value: '/a' } } as const]
    const filter = (value: string) =>
      ({
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [{ name: 'x-key', value }] },
      }) as const
    const rule = { matches, backendRefs: [toUpstream('shop')] }
    const before = route('r', { rules: [{ ...rule, filters: [filter('s3cret')] }] })
    const backendRefs = [
      { ...toUpstream('shop'), weight: 9 },
      { ...toUpstream('next'), weight: 1 },
    ]
    const after = route('r', {
      rules: [{ ...rule, backendRefs, filters: [filter('s3cret2')], timeouts: { request: '5s' } }],
    })
    const next = upstream('next')
    const found = lines([shop, next, before], [shop, next, after])
    expect(found).toEqual([
      'changed route default/r',
      '  any method Exact /a to shop → to shop (9), next (1)',
      '  any method Exact /a: headers.request.set.x-key changed',
      '  any method Exact /a: requestTimeoutMs unset → 5000',
    ])
  })

  it('tells of a new route all that is done with a request, and no value of a header it sets', () => {
    const added = route('r', {
      rules: [
        {
          backendRefs: [
            {
              ...toUpstream('shop'),
              filters: [
                { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['x-o'] } },
              ],
            },
          ],
          filters: [
            {
              type: 'RequestHeaderModifier',
              requestHeaderModifier: { set: [{ name: 'X-Key', value: 's3cret' }] },
            },
            { type: 'RequestMirror', requestMirror: { backendRef: toUpstream('next') } },
            {
              type: 'URLRewrite',
              urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' } },
            },
          ],
          timeouts: { request: '5s', backendRequest: '1s' },
          retry: { attempts: 2 },
        },
        {
          matches: [{ path: { type: 'PathPrefix', value: '/old' } }],
          filters: [
            {
              type: 'RequestRedirect',
              requestRedirect: {
                scheme: 'https',
                hostname: 'a.test',
                port: 8443,
                path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
              },
            },
          ],
        },
      ],
    })
    const found = lines([shop, upstream('next')], [shop, upstream('next'), added])
    expect(found.slice(0, 4)).toEqual([
      'added route default/r',
      '  hosts: every host',
      '  any method PathPrefix / to shop, path /new, headers x-key x-o, mirrored to next, within 5000 ms, each attempt within 1000 ms, retries 2',
      '  any method PathPrefix /old redirects with 302, scheme https, host a.test, port 8443, prefix /',
    ])
    expect(found.join()).not.toContain('s3cret')
  })

  it('tells that a match asks for another secret, and not for which', () => {
    const asking = (value: string) =>
      route('r', {
        rules: [
          {
            matches: [
              {
                headers: [{ name: 'X-Api-Key', value }],
                queryParams: [{ name: 'token', value }],
              },
            ],
            backendRefs: [toUpstream('shop')],
          },
        ],
      })
    expect(lines([shop, asking('s3cret')], [shop, asking('s3cret2')])).toEqual([
      'changed route default/r',
      '  no longer any method PathPrefix / with x-api-key: *** with query token= *** to shop',
      '  now any method PathPrefix / with x-api-key: *** with query token= *** to shop',
    ])
    expect(lines([shop], [shop, asking('s3cret')]).join()).not.toContain('s3cret')
  })

  it('tells when only the order of rules is another', () => {
    const rule = (value: string) => ({
      matches: [{ path: { type: 'Exact', value } } as const],
      backendRefs: [toUpstream('shop')],
    })
    const both = [rule('/a'), rule('/b')]
    expect(
      lines([shop, route('r', { rules: both })], [shop, route('r', { rules: both.toReversed() })]),
    ).toEqual(['changed route default/r', '  order or names of rules'])
  })

  it('tells what listeners a Gateway has', () => {
    const gateway = (...listeners: readonly Listener[]): Resource => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge' },
      spec: { listeners },
    })
    const http: Listener = { name: 'http', port: 80, protocol: 'HTTP' }
    const tls: Listener = { name: 'tls', port: 443, protocol: 'HTTPS', hostname: '*.a.test' }
    expect(lines([], [gateway(http)])).toEqual([
      'added gateway default/edge',
      '  listener http HTTP 80 for every host',
      '  chain without a route: no plugins',
    ])
    expect(lines([gateway(http)], [gateway(tls)])).toEqual([
      'changed gateway default/edge',
      '  no longer listener http HTTP 80 for every host',
      '  now listener tls HTTPS 443 for *.a.test',
    ])
  })

  it('tells a route at two Gateways apart', () => {
    const at = (name: string) =>
      ({ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }) as const
    const gateway = (name: string): Resource => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name },
      spec: {
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      },
    })
    const both = [shop, gateway('one'), gateway('two')]
    const parentRefs = [at('one'), at('two')]
    expect(
      lines(
        [...both, route('r', { parentRefs })],
        [...both, route('r', { parentRefs, hostnames: ['a.test'] })],
      ),
    ).toEqual([
      'changed route default/r at default/one',
      '  hosts: every host → a.test',
      'changed route default/r at default/two',
      '  hosts: every host → a.test',
    ])
  })

  it('tells of a rollout, and of what its candidate is configured with where it differs alone', () => {
    const all = [shop, route('r'), plugin('p')]
    const candidate = { pluginConfig: { key: 's3cret', limit: 1 } }
    const other = { pluginConfig: { key: 'other', limit: 2 } }
    const added = lines(all, [...all, rollout('out', 'p', { candidate })])
    expect(added).toEqual([
      'added rollout default.out',
      '  of plugin default.p to module header-policy 1.0.0 (aaaaaaaaaaaa)',
      '  steps 5 %',
    ])
    const steps = [{ weight: 7, pause: '10m' }]
    const changed = lines(
      [...all, rollout('out', 'p', { candidate })],
      [...all, rollout('out', 'p', { candidate: other, steps })],
    )
    expect(changed.slice(0, 1)).toEqual(['changed rollout default.out'])
    expect(changed).toContain('  configuration.limit 1 → 2')
    expect(changed).toContain('  steps[0].weight 5 → 7')
    expect(changed.join()).not.toMatch(/s3cret|other/)
  })

  it('tells where an upstream leads', () => {
    expect(
      lines([shop], [upstream('shop', { service: 'SHOP', timeoutMs: 5, aliases: ['s'] })]),
    ).toEqual([
      'changed upstream shop',
      '  http://shop.test → service SHOP',
      '  aliases: s',
      '  timeoutMs 15000 → 5',
    ])
  })
})
