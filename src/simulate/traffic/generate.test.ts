import { describe, expect, it } from 'vitest'
import type { Snapshot, SnapshotRoute } from '../../config/snapshot.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import { RouteTable, type RouteKey } from '../../gateway/route-table.ts'
import { compile } from '../../config/compile.ts'
import { readDocuments } from '../../config/documents.ts'
import { type Generated, TrafficGenerator } from './generate.ts'

const POLICY = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: postern
  listeners:
    - { name: web, port: 80, protocol: HTTP }
    - { name: safe, port: 8443, protocol: HTTPS, hostname: "*.safe.example", tls: { mode: Terminate } }
---
apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: shop }
spec: { service: SHOP }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: all }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }] }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: narrow }
spec:
  parentRefs: [{ name: edge }]
  hostnames: [shop.example, "*.shop.example", "a.safe.example"]
  rules:
    - matches:
        - { path: { type: Exact, value: /cart }, method: POST }
        - { path: { type: PathPrefix, value: /api }, headers: [{ name: x-beta, value: "1" }] }
        - { path: { type: PathPrefix, value: /api }, queryParams: [{ name: "v v", value: "a&b" }] }
        - { path: { type: RegularExpression, value: "/v[0-9]+/(items|orders)/[a-z]{2,}" } }
        - path: { type: PathPrefix, value: /files }
          headers: [{ name: x-id, type: RegularExpression, value: "[0-9a-f]{8}(-[0-9a-f]{4}){3}" }]
      backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }]
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: one }
spec:
  url: oci://r.test/one:1.0.0
  pluginConfig: { paths: [/api/items], header: x-plan, type: image/png }
---
apiVersion: postern.dev/v1alpha1
kind: PluginRollout
metadata: { name: next }
spec:
  targetRef: { group: extensions.istio.io, kind: WasmPlugin, name: one }
  candidate: { pluginConfig: { header: x-tier } }
  key: { type: KEY, name: session }
  audience: { matches: [{ path: { type: PathPrefix, value: /api } }] }
  steps: [{ weight: 100, pause: 1m }]
`

function compiled(key = 'cookie'): { snapshot: Snapshot; rollout: SnapshotRollout } {
  const { resources, problems } = readDocuments([
    { name: 'p.yaml', text: POLICY.replace('KEY', key) },
  ])
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  const catalog = [{ name: 'one', version: '1.0.0', sha256: 'a'.repeat(64), urls: [] }]
  const all = resources.map(({ resource }) => resource)
  const { snapshot, problems: found } = compile({ resources: all, catalog })
  expect(found.filter(({ severity }) => severity === 'error')).toEqual([])
  return { snapshot: snapshot as Snapshot, rollout: snapshot?.rollouts?.[0] as SnapshotRollout }
}

function made(count: number, key?: string, seed = 1): Generated[] {
  const { snapshot, rollout } = compiled(key)
  const generator = new TrafficGenerator(snapshot, rollout, seed)
  return Array.from({ length: count }, (_one, at) => generator.make(at + 1)).filter(
    (one) => one !== undefined,
  )
}

function keyOf({ exchange }: Generated): RouteKey {
  const { host, hostname, pathname, search, protocol } = new URL(exchange.url)
  const headers = new Headers(exchange.headers.map(([name, value]) => [name, value]))
  return {
    host: hostname,
    authority: host,
    scheme: protocol.slice(0, -1),
    path: pathname + search,
    method: exchange.method,
    header: (name) => headers.get(name),
  }
}

describe('generated traffic', () => {
  const all = made(1_000)

  it('is routed to the match that it was made for, and leaves none out', () => {
    const routes = new RouteTable(compiled().snapshot)
    const wrong = all.filter((one) => {
      const found = routes.match(keyOf(one))
      return JSON.stringify(found?.match) !== JSON.stringify(one.candidate.match)
    })
    expect([all.length, wrong.map(({ exchange }) => exchange.url)]).toEqual([1_000, []])
    const names = new Set(
      all.map(({ candidate: { route, match, listener } }) =>
        JSON.stringify([route.name, match, listener.name]),
      ),
    )
    // the wide route on both listeners, five matches on the hosts that each has
    expect(names.size).toBe(12)
  })

  it('is the same for the same seed, whatever the number of requests', () => {
    expect(made(50)).toEqual(all.slice(0, 50))
    expect(made(50, 'cookie', 2)).not.toEqual(all.slice(0, 50))
  })

  it('is in and out of the audience, with many keys and none', () => {
    const cookies = all.map((one) => keyOf(one).header('cookie'))
    const inside = all.filter((one) => keyOf(one).path.startsWith('/api'))
    expect(inside.length).toBeGreaterThan(300)
    expect(inside.length).toBeLessThan(900)
    expect(new Set(cookies).size).toBeGreaterThan(700)
    expect(cookies.filter((one) => one === null).length).toBeGreaterThan(50)
  })

  it.each<[string, RegExp]>([
    ['header', /"session","client-\d+"/],
    ['query', /session=client-\d+/],
    ['jwtClaim', /Bearer [\w-]+\.[\w-]+\.c2ln/],
  ])('has the key where a rollout looks for it: %s', (key, where) => {
    const texts = made(50, key).map(({ exchange }) =>
      JSON.stringify([exchange.headers, exchange.url]),
    )
    expect(texts.filter((one) => where.test(one)).length).toBeGreaterThan(35)
  })

  it('has what both versions are configured with, and shapes that plugins get wrong', () => {
    const some = (test: (one: Generated) => boolean): number => all.filter(test).length
    const has = (name: string): number => some((one) => keyOf(one).header(name) !== null)
    expect([has('x-plan') > 100, has('x-tier') > 100]).toEqual([true, true])
    expect(some(({ exchange }) => exchange.url.includes('/api/items'))).toBeGreaterThan(10)
    expect(some((one) => keyOf(one).path.includes('%'))).toBeGreaterThan(50)
    expect(some(({ exchange }) => (exchange.body?.length ?? 0) > 65_536)).toBeGreaterThan(5)
    expect(some((one) => (keyOf(one).header('x-long')?.length ?? 0) > 7_000)).toBeGreaterThan(5)
    expect(new Set(all.map(({ exchange }) => exchange.method)).size).toBeGreaterThan(8)
    const types = all.flatMap(({ exchange }) => exchange.answer?.headers ?? [])
    expect(types).toContainEqual(['content-type', 'image/png'])
  })
})

describe('a match that a more specific one takes all requests from', () => {
  it('is told, and gets none', () => {
    const { snapshot, rollout } = compiled()
    const route = snapshot.routes.find(({ name }) => name === 'narrow')
    const twice = { ...(route as SnapshotRoute), name: 'zz-same' }
    const generator = new TrafficGenerator(
      { ...snapshot, routes: [...snapshot.routes, twice] },
      rollout,
      1,
    )
    for (let number = 1; number <= 100; number++) generator.make(number)
    expect([...generator.unreached].every((one) => one.startsWith('default/zz-same: /'))).toBe(true)
    expect(generator.unreached.size).toBeGreaterThan(3)
  })
})
