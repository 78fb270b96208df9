/** The rules of routes in a snapshot: what their fields come to, and what is wrong with them together. */
import { describe, expect, it } from 'vitest'
import { compile, nameSnapshot } from '../compile.ts'
import { formatPath } from '../problem.ts'
import { readSnapshot } from '../read-snapshot.ts'
import type { HttpRouteFilter } from '../resources/http-route-filters.ts'
import type { HttpRouteRule } from '../resources/http-route.ts'
import type { Resource } from '../resources/kinds.ts'
import type { RouteRule, Snapshot } from '../snapshot.ts'
import { route, toUpstream, upstream } from '../testing/resources.ts'

const shop = upstream('shop', { aliases: ['shop.default:80'] })
const copy = upstream('copy')
const own = upstream('own', { service: 'OWN' })

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

const backendRefs = [toUpstream('shop')]
const withRule = (rule: HttpRouteRule) => [shop, copy, own, route('r', { rules: [rule] })]
const ruleOf = (rule: HttpRouteRule): RouteRule | undefined =>
  snapshotOf(...withRule(rule)).routes[0]?.rules[0]

const filters = (...list: readonly HttpRouteFilter[]) => ({ filters: list, backendRefs })
const prefix = (value: string) =>
  ({ type: 'ReplacePrefixMatch', replacePrefixMatch: value }) as const
const full = (value: string) => ({ type: 'ReplaceFullPath', replaceFullPath: value }) as const

describe('a rule in a snapshot', () => {
  it('has everything in the form in which it is run', async () => {
    const rule: HttpRouteRule = {
      name: 'all',
      matches: [
        {
          path: { type: 'RegularExpression', value: '/v[0-9]' },
          headers: [{ type: 'RegularExpression', name: 'X-A', value: 'a+' }],
          queryParams: [
            { name: 'q', value: '1' },
            { name: 'q', value: '2' },
          ],
        },
      ],
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: { set: [{ name: 'X-S', value: '1' }], remove: ['X-R'] },
        },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { add: [{ name: 'X-T', value: '2' }] },
        },
        {
          type: 'RequestMirror',
          requestMirror: {
            backendRef: toUpstream('copy'),
            fraction: { numerator: 1, denominator: 1_000 },
          },
        },
        { type: 'RequestMirror', requestMirror: { backendRef: toUpstream('own') } },
        { type: 'URLRewrite', urlRewrite: { hostname: 'shop.test', path: full('/new') } },
      ],
      backendRefs: [
        { name: 'shop', port: 80, weight: 9 },
        {
          ...toUpstream('own'),
          filters: [
            { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['X-O'] } },
          ],
        },
      ],
      timeouts: { request: '1m30s', backendRequest: '500ms' },
      retry: { codes: [503, 500, 503], attempts: 2, backoff: '1s' },
    }
    const snapshot = snapshotOf(...withRule(rule))
    expect(snapshot.routes[0]?.rules).toEqual([
      {
        name: 'all',
        matches: [
          {
            path: { type: 'RegularExpression', value: '/v[0-9]' },
            headers: [{ type: 'RegularExpression', name: 'x-a', value: 'a+' }],
            query: [{ name: 'q', value: '1' }],
          },
        ],
        backends: [
          { upstream: 'shop', weight: 9 },
          { upstream: 'own', weight: 1, responseHeaders: { remove: ['x-o'] } },
        ],
        requestHeaders: { set: [['x-s', '1']], remove: ['x-r'] },
        responseHeaders: { add: [['x-t', '2']] },
        rewrite: { hostname: 'shop.test', path: { type: 'full', value: '/new' } },
        mirrors: [
          { upstream: 'copy', numerator: 1, denominator: 1_000 },
          { upstream: 'own', numerator: 100, denominator: 100 },
        ],
        requestTimeoutMs: 90_000,
        backendTimeoutMs: 500,
        retry: { codes: [500, 503], attempts: 2, backoffMs: 1_000 },
      },
    ])
    const { hash, text } = await nameSnapshot(snapshot)
    expect(await readSnapshot(text, hash)).toEqual({ found: snapshot })
  })

  it('may redirect in place of having backends', () => {
    const redirect = {
      scheme: 'https',
      hostname: 'a.test',
      port: 8443,
      path: prefix('/x'),
    } as const
    const rule: HttpRouteRule = {
      filters: [{ type: 'RequestRedirect', requestRedirect: redirect }],
    }
    expect(ruleOf(rule)).toMatchObject({
      backends: [],
      redirect: {
        scheme: 'https',
        hostname: 'a.test',
        port: 8443,
        path: { type: 'prefix', value: '/x' },
        status: 302,
      },
    })
    expect(problems(...withRule(rule))).toEqual([])
  })

  it('that redirects warns of everything that would only concern a backend', () => {
    const rule: HttpRouteRule = {
      filters: [
        { type: 'RequestRedirect', requestRedirect: {} },
        { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } },
        { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['x'] } },
        { type: 'RequestMirror', requestMirror: { backendRef: toUpstream('copy') } },
      ],
      timeouts: { request: '1s' },
      retry: {},
    }
    expect(problems(...withRule(rule))).toEqual(
      ['filters[1]', 'filters[3]', 'timeouts', 'retry'].map(
        (field) =>
          `warning config.no_effect spec.rules[0].${field}: has no effect here: the rule redirects, and nothing is sent to an upstream`,
      ),
    )
  })

  it('has what is said by leaving things out', () => {
    expect(ruleOf({ backendRefs, matches: [], retry: {} })).toEqual({
      matches: [{ path: { type: 'PathPrefix', value: '/' } }],
      backends: [{ upstream: 'shop', weight: 1 }],
      retry: { attempts: 1, codes: [], backoffMs: 25 },
    })
  })
})

describe('a rule is refused', () => {
  const set = (name: string, value = '1') => ({ name, value })
  it.each<[string, HttpRouteRule, string]>([
    [
      'with a pattern that is not RE2',
      { matches: [{ path: { type: 'RegularExpression', value: '/(?=a)' } }], backendRefs },
      'config.invalid spec.rules[0].matches[0].path.value: expected a regular expression of RE2: look-around',
    ],
    [
      'with one in a header',
      {
        matches: [{ headers: [{ type: 'RegularExpression', name: 'x', value: '(' }] }],
        backendRefs,
      },
      'spec.rules[0].matches[0].headers[0].value: expected a regular expression',
    ],
    [
      'with one in the query',
      {
        matches: [{ queryParams: [{ type: 'RegularExpression', name: 'x', value: '(abc){900}' }] }],
        backendRefs,
      },
      'spec.rules[0].matches[0].queryParams[0].value: expected a regular expression of RE2: it has more than 1000 steps',
    ],
    [
      'with a filter twice',
      filters(
        { type: 'URLRewrite', urlRewrite: { path: full('/a') } },
        { type: 'URLRewrite', urlRewrite: { path: full('/b') } },
      ),
      'spec.rules[0].filters[1].type: there is another filter URLRewrite',
    ],
    [
      'when it redirects and rewrites',
      {
        filters: [
          { type: 'URLRewrite', urlRewrite: {} },
          { type: 'RequestRedirect', requestRedirect: {} },
        ],
      },
      'spec.rules[0].filters: a rule redirects or rewrites',
    ],
    [
      'when it redirects and has backends',
      filters({ type: 'RequestRedirect', requestRedirect: {} }),
      'spec.rules[0].backendRefs: expected none: the rule redirects',
    ],
    [
      'with a filter of another type',
      filters({ type: 'URLRewrite', urlRewrite: {}, requestRedirect: {} }),
      'spec.rules[0].filters[0].requestRedirect: expected no "requestRedirect"',
    ],
    [
      'with a filter that says nothing',
      filters({ type: 'RequestMirror' }),
      'spec.rules[0].filters[0]: expected "requestMirror"',
    ],
    [
      'with Host edited',
      filters({ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [set('Host')] } }),
      'requestHeaderModifier.set[0].name: the header host cannot be edited: write URLRewrite',
    ],
    [
      'with a length edited',
      filters({
        type: 'ResponseHeaderModifier',
        responseHeaderModifier: { remove: ['Content-Length'] },
      }),
      'responseHeaderModifier.remove[0]: the header content-length cannot be edited',
    ],
    [
      'with a header twice in a filter',
      filters({
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [set('X-A')], remove: ['x-a'] },
      }),
      'requestHeaderModifier.remove[0]: the header x-a stands in this filter twice',
    ],
    [
      'when a prefix is replaced that is none',
      {
        matches: [{ path: { type: 'Exact', value: '/a' } }],
        ...filters({ type: 'URLRewrite', urlRewrite: { path: prefix('/b') } }),
      },
      'urlRewrite.path.type: expected PathPrefix in every match',
    ],
    [
      'with a path edit that says nothing',
      filters({ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath' } } }),
      'urlRewrite.path: expected "replaceFullPath"',
    ],
    [
      'with a mirror of both shares',
      filters({
        type: 'RequestMirror',
        requestMirror: {
          backendRef: toUpstream('copy'),
          percent: 1,
          fraction: { numerator: 1 },
        },
      }),
      'requestMirror: expected one of percent and fraction',
    ],
    [
      'with more than all mirrored',
      filters({
        type: 'RequestMirror',
        requestMirror: { backendRef: toUpstream('copy'), fraction: { numerator: 101 } },
      }),
      'fraction.numerator: expected 100 at the most',
    ],
    [
      'with a mirror that is not there',
      filters({ type: 'RequestMirror', requestMirror: { backendRef: toUpstream('cpy') } }),
      'config.dangling_reference spec.rules[0].filters[0].requestMirror.backendRef.name: there is no Upstream cpy; did you mean copy?',
    ],
    [
      'when one attempt takes longer than all',
      { backendRefs, timeouts: { request: '1s', backendRequest: '2s' } },
      'timeouts.backendRequest: expected 1s at the most',
    ],
    [
      'when one of its backends is not there',
      { backendRefs: [toUpstream('shop'), toUpstream('shpo')] },
      'backendRefs[1].name: there is no Upstream shpo; did you mean shop?',
    ],
  ])('%s', (_what, rule, expected) => {
    const found = problems(...withRule(rule))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
    expect(found[0]).toMatch(/^error/)
  })
})

describe('a rule is warned of', () => {
  it.each<[string, HttpRouteRule, string]>([
    ['no backends', {}, 'warning config.no_backend spec.rules[0]: answers every request with 500'],
    ['no weights', { backendRefs: [{ ...toUpstream('shop'), weight: 0 }] }, 'config.no_backend'],
    [
      'a Host that cannot be sent',
      filters({ type: 'URLRewrite', urlRewrite: { hostname: 'other.test' } }),
      'warning config.no_effect spec.rules[0].filters[0].urlRewrite.hostname: has no effect on Host',
    ],
  ])('%s', (_what, rule, expected) => {
    expect(problems(...withRule(rule))).toEqual([expect.stringContaining(expected)])
  })
})
