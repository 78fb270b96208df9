/**
 * What finding a request's rule costs among ten routes and among a thousand, and what it takes to bring a
 * large snapshot up: its text read, checked and made into tables. Inside workerd.
 */
import { compile, nameSnapshot } from '../../src/config/compile.ts'
import { readSnapshot } from '../../src/config/read-snapshot.ts'
import type { Resource } from '../../src/config/resources/kinds.ts'
import { hostOf, type RouteKey } from '../../src/gateway/route-key.ts'
import { RouteTable } from '../../src/gateway/route-table.ts'
import { median } from '../statistics.ts'

export interface RouteFigures {
  readonly nanosOfTen: number
  readonly nanosOfThousand: number
  /** Median of the rounds' ratios. */
  readonly ratio: number
  /** With 200 plugins beside a thousand routes: milliseconds, and bytes of the text. */
  readonly loadMs: number
  readonly tableMs: number
  readonly bytes: number
}

const HOSTS = 50
const ROUNDS = 31
const MATCHES = 200_000
const LOADS = 9
const MODULE = 'a'.repeat(64)

/** A team's routes: a prefix and an exact path, on a host it shares with others. */
function routeOf(index: number): Resource {
  const team = `/team-${String(index).padStart(4, '0')}`
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `team-${index}` },
    spec: {
      hostnames: [`shop-${index % HOSTS}.example`],
      rules: [
        {
          matches: [
            { path: { type: 'PathPrefix', value: `${team}/api` } },
            { path: { type: 'Exact', value: `${team}/health` }, method: 'GET' },
          ],
          backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'shop' }],
        },
      ],
    },
  }
}

function pluginOf(index: number): Resource {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: `plugin-${index}` },
    spec: {
      url: 'oci://bench/headers:1.0.0',
      pluginConfig: { response: { set: { 'x-plugin': `${index}`, 'x-frame-options': 'DENY' } } },
      targetRefs: [
        { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: `team-${index}` },
      ],
    },
  }
}

async function snapshotText(
  routes: number,
  plugins: number,
): Promise<{ text: string; hash: string }> {
  const upstream: Resource = {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Upstream',
    metadata: { name: 'shop' },
    spec: { url: 'https://shop.example' },
  }
  const { snapshot, problems } = compile({
    resources: [
      upstream,
      ...Array.from({ length: routes }, (_, index) => routeOf(index)),
      ...Array.from({ length: plugins }, (_, index) => pluginOf(index)),
    ],
    catalog: [{ name: 'headers', version: '1.0.0', sha256: MODULE, urls: [] }],
  })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return nameSnapshot(snapshot)
}

async function load({ text, hash }: { text: string; hash: string }): Promise<RouteTable> {
  const read = await readSnapshot(text, hash)
  if (!('found' in read)) throw new Error(read.message)
  return new RouteTable(read.found)
}

/** Requests that ten routes have and a thousand have as well: below a prefix, an exact path, no route. */
function keys(): readonly RouteKey[] {
  return Array.from({ length: 30 }, (_, index) => {
    const team = index % 10
    const authority = `shop-${team}.example`
    const path = [`/api/items/${index}?page=2`, '/health', '/none/of/these'][index % 3]
    return {
      host: hostOf(authority),
      authority,
      scheme: 'https',
      path: `/team-000${team}${path}`,
      method: 'GET',
      header: () => undefined,
    }
  })
}

function nanosPerMatch(table: RouteTable, requests: readonly RouteKey[]): number {
  let found = 0
  const start = performance.now()
  for (let i = 0; i < MATCHES; i++) {
    if (table.match(requests[i % requests.length] as RouteKey) !== undefined) found += 1
  }
  const nanos = ((performance.now() - start) * 1e6) / MATCHES
  if (found < MATCHES / 2) throw new Error(`only ${found} of ${MATCHES} requests found their route`)
  return nanos
}

async function measure(): Promise<RouteFigures> {
  const ten = await load(await snapshotText(10, 0))
  const large = await snapshotText(1_000, 200)
  const thousand = await load(large)
  const requests = keys()
  const small: number[] = []
  const big: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    small.push(nanosPerMatch(ten, requests))
    big.push(nanosPerMatch(thousand, requests))
  }
  const loads: number[] = []
  const tables: number[] = []
  for (let round = 0; round < LOADS; round++) {
    const start = performance.now()
    const read = await readSnapshot(large.text, large.hash)
    if (!('found' in read)) throw new Error(read.message)
    const middle = performance.now()
    const table = new RouteTable(read.found)
    const end = performance.now()
    if (table.match(requests[0] as RouteKey) === undefined) throw new Error('no route')
    loads.push(end - start)
    tables.push(end - middle)
  }
  return {
    nanosOfTen: median(small),
    nanosOfThousand: median(big),
    ratio: median(big.map((nanos, round) => nanos / (small[round] ?? nanos))),
    loadMs: median(loads),
    tableMs: median(tables),
    bytes: new TextEncoder().encode(large.text).length,
  }
}

const worker = {
  fetch: async (): Promise<Response> => Response.json(await measure()),
}

export default worker
