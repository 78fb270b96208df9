/**
 * Routes and requests at random: the tables take the match that Gateway API's text says, walked naively,
 * and an explanation names the same one and no other.
 */
import {
  array,
  assert,
  constantFrom,
  type Arbitrary,
  integer,
  option,
  property,
  record,
  uniqueArray,
} from 'fast-check'
import { expect, it } from 'vitest'
import { compile } from '../config/compile.ts'
import type { Gateway } from '../config/resources/gateway.ts'
import type { HttpRoute } from '../config/resources/http-route.ts'
import { route, toUpstream, upstream } from '../config/testing/resources.ts'
import { candidateViews } from './explain/candidates.ts'
import type { RouteKey } from './route-key.ts'
import { RouteTable } from './route-table.ts'

const HOSTS = ['a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test']
const rarely = <T>(one: Arbitrary<T>): Arbitrary<T | undefined> =>
  option(one, { nil: undefined, freq: 2 })

const values = (names: readonly string[]) =>
  uniqueArray(
    record({
      name: constantFrom(...names),
      type: constantFrom('Exact' as const, 'RegularExpression' as const),
      value: constantFrom('1', '2', '.', '1|2'),
    }),
    { maxLength: 2, selector: ({ name }) => name },
  )

const match = record({
  path: record({
    type: constantFrom('Exact' as const, 'PathPrefix' as const, 'RegularExpression' as const),
    value: constantFrom('/', '/a', '/a/', '/a/b', '/ab', '/a/.*', '/.+'),
  }).filter(({ type, value }) => type === 'RegularExpression' || !/[.*+]/.test(value)),
  method: rarely(constantFrom('GET' as const, 'POST' as const)),
  headers: values(['x', 'y']),
  queryParams: values(['p', 'q']),
})

type Match = typeof match extends Arbitrary<infer T> ? T : never

const routes = array(
  record({
    hosts: uniqueArray(constantFrom(...HOSTS), { maxLength: 2 }),
    atEdge: constantFrom(false, true),
    age: rarely(integer({ min: 1, max: 3 })),
    rules: array(array(match, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 6 },
)
type Routes = typeof routes extends Arbitrary<infer T> ? T : never

const lines = (names: readonly string[]) =>
  uniqueArray(record({ name: constantFrom(...names), value: constantFrom('1', '2', '12') }), {
    selector: ({ name }) => name,
  })

const requests = record({
  host: constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'c.test', 'test'),
  path: constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/ab/c', '/c'),
  method: constantFrom('GET', 'POST', 'PUT'),
  headers: lines(['x', 'y']),
  query: lines(['p', 'q']),
})
type Asked = typeof requests extends Arbitrary<infer T> ? T : never

/** What is undefined is not there. */
function without<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

const holdsHost = (name: string | undefined, host: string): boolean =>
  name === undefined || name === host || (name.startsWith('*.') && host.endsWith(name.slice(1)))

/** The narrower of the two; null when they have nothing in common. */
function common(one: string | undefined, other: string | undefined): string | null | undefined {
  if (one === undefined || (other !== undefined && holdsHost(one, other))) return other
  return other === undefined || holdsHost(other, one) ? one : null
}

function holdsPath({ type, value }: { type: string; value: string }, path: string): boolean {
  if (type === 'Exact') return path === value
  if (type === 'RegularExpression') return new RegExp(`^(?:${value})$`).test(path)
  const elements = value.split('/').filter((element) => element !== '')
  return elements.every((element, index) => path.split('/')[index + 1] === element)
}

function holdsValues(wanted: Match['headers'], found: Asked['headers']): boolean {
  return wanted.every(({ name, type, value }) => {
    const line = found.find((one) => one.name === name)?.value
    if (line === undefined) return false
    return type === 'Exact' ? line === value : new RegExp(`^(?:${value})$`).test(line)
  })
}

/** What makes a match come first, largest first. */
function rank(
  hostname: string | undefined,
  { path, method, headers, queryParams }: Match,
): readonly number[] {
  const { type, value } = path
  const plain = type === 'PathPrefix' && value !== '/' ? value.replace(/\/$/, '') : value
  const kinds = ['Exact', 'PathPrefix', 'RegularExpression', '/']
  return [
    hostname === undefined ? 0 : hostname.length + (hostname.startsWith('*') ? 0 : 1_000),
    -kinds.indexOf(type === 'PathPrefix' && value === '/' ? '/' : type),
    plain.length,
    method === undefined ? 0 : 1,
    headers.length,
    queryParams.length,
  ]
}

/** @returns `route rule match` of the winner, worked out the slow way */
function winner(all: Routes, edge: string | undefined, asked: Asked): string | undefined {
  // a request belongs to the listener with the most specific host; of every host there are two
  const atEdge = holdsHost(edge, asked.host)
  const shared = edge === undefined
  const found = all.flatMap((one, number) => {
    if (!shared && one.atEdge !== atEdge) return []
    const hosts = one.hosts.length === 0 ? [undefined] : one.hosts
    return hosts.flatMap((host) => {
      const both = common(one.atEdge ? edge : undefined, host)
      if (both === null || !holdsHost(both, asked.host)) return []
      return one.rules.flatMap((matches, rule) =>
        matches.flatMap((wanted, position) => {
          const holds =
            holdsPath(wanted.path, asked.path) &&
            (wanted.method ?? asked.method) === asked.method &&
            holdsValues(wanted.headers, asked.headers) &&
            holdsValues(wanted.queryParams, asked.query)
          const order = [...rank(both, wanted), -(one.age ?? 9), -number, -rule, -position]
          return holds ? [{ name: `r${number} ${rule} ${position}`, order }] : []
        }),
      )
    })
  })
  found.sort((a, b) => {
    const at = a.order.findIndex((value, index) => value !== b.order[index])
    return at < 0 ? 0 : (b.order[at] ?? 0) - (a.order[at] ?? 0)
  })
  return found[0]?.name
}

function resourcesOf(all: Routes, edge: string | undefined): (HttpRoute | Gateway)[] {
  const listener = without({ name: 'http', port: 80, protocol: 'HTTP' as const, hostname: edge })
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge' },
      spec: { listeners: [listener] },
    } as Gateway,
    ...all.map(({ hosts, atEdge, age, rules }, number) => ({
      ...route(`r${number}`, {
        hostnames: hosts,
        ...(atEdge && { parentRefs: [{ name: 'edge' }] }),
        rules: rules.map((matches) => ({
          matches: matches.map((one) => without(one)),
          backendRefs: [toUpstream('shop')],
        })),
      }),
      metadata: without({
        name: `r${number}`,
        creationTimestamp: age === undefined ? undefined : `2026-01-0${age}T00:00:00Z`,
      }),
    })),
  ]
}

it('the match that Gateway API says takes a request, and is the one explained', () => {
  let taken = 0
  const holds = property(routes, rarely(constantFrom(...HOSTS)), requests, (all, edge, asked) => {
    const { snapshot, problems } = compile({
      resources: [upstream('shop'), ...resourcesOf(all, edge)],
      catalog: [],
    })
    if (snapshot === undefined) throw new Error(JSON.stringify(problems))
    const query = asked.query.map(({ name, value }) => `${name}=${value}`).join('&')
    const key: RouteKey = {
      host: asked.host,
      scheme: 'http',
      authority: asked.host,
      path: query === '' ? asked.path : `${asked.path}?${query}`,
      method: asked.method,
      header: (name) => asked.headers.find((line) => line.name === name)?.value,
    }
    const won = new RouteTable(snapshot).match(key)
    const name =
      won &&
      `${won.route.name} ${won.route.rules.indexOf(won.rule)} ${won.rule.matches.indexOf(won.match)}`
    expect(name).toBe(winner(all, edge, asked))
    const explained = candidateViews(snapshot, key, won).candidates.filter(
      ({ failed }) => failed === undefined,
    )
    expect(explained.map((view) => `${view.route} ${view.rule}`)).toEqual(
      won === undefined ? [] : [`default/${won.route.name} ${won.route.rules.indexOf(won.rule)}`],
    )
    if (won !== undefined) taken += 1
  })
  assert(holds, { numRuns: 2_000 })
  expect(taken).toBeGreaterThan(200)
})
