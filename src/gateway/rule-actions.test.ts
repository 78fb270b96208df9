/** Which rules cost something, and which backend takes a request. */
import { describe, expect, it } from 'vitest'
import type { Backend, RouteRule, SnapshotUpstream } from '../config/snapshot.ts'
import type { Choice } from './attempts.ts'
import { Meters } from './meters.ts'
import { RuleActions } from './rule-actions.ts'
import type { Reachable } from './upstream.ts'
import { UpstreamTable } from './upstream-table.ts'

/** Upstreams `a`, `b` and `c`; what they answer. */
function tableOf(
  spec: Partial<SnapshotUpstream> = {},
  fetch: () => Promise<Response> = async () => new Response(),
): UpstreamTable {
  const reachable: Reachable = { network: { fetch }, service: () => ({ fetch }) }
  const one = (name: string): SnapshotUpstream => ({
    name,
    url: `http://${name}.test`,
    aliases: [],
    timeoutMs: 1_000,
    ...(name === 'a' ? spec : {}),
  })
  return new UpstreamTable({ a: one('a'), b: one('b'), c: one('c') }, reachable, new Meters())
}

const to = (upstream: string, more: Partial<Backend> = {}): Backend => ({
  upstream,
  weight: 1,
  ...more,
})
const ruleOf = (more: Partial<RouteRule> = {}): RouteRule => ({
  matches: [{ path: { type: 'PathPrefix', value: '/' } }],
  backends: [to('a')],
  ...more,
})

describe('a rule', () => {
  it('that sends its requests to one upstream has nothing to do', () => {
    expect(RuleActions.of(ruleOf(), tableOf())).toBeUndefined()
    expect(RuleActions.of(ruleOf({ name: 'all' }), tableOf())).toBeUndefined()
  })

  it.each<[string, Partial<RouteRule>]>([
    ['no backend', { backends: [] }],
    ['no weight', { backends: [to('a', { weight: 0 })] }],
    ['two backends', { backends: [to('a'), to('b')] }],
    ['headers of a backend', { backends: [to('a', { requestHeaders: { remove: ['x'] } })] }],
    ['headers of its answers', { backends: [to('a', { responseHeaders: { remove: ['x'] } })] }],
    ['headers', { requestHeaders: {} }],
    ['headers of answers', { responseHeaders: {} }],
    ['a redirect', { redirect: { status: 302 } }],
    ['a rewrite', { rewrite: {} }],
    ['a mirror', { mirrors: [{ upstream: 'b', numerator: 1, denominator: 1 }] }],
    ['a time limit', { requestTimeoutMs: 1 }],
    ['one for attempts', { backendTimeoutMs: 0 }],
    ['retries', { retry: { attempts: 0, codes: [], backoffMs: 0 } }],
  ])('with %s has', (_what, more) => {
    expect(RuleActions.of(ruleOf(more), tableOf())).toBeDefined()
  })

  it('whose upstream retries has', () => {
    const retry = { attempts: 1, codes: [], backoffMs: 1 }
    expect(RuleActions.of(ruleOf(), tableOf({ retry }))).toBeDefined()
  })
})

describe('the backend of a request', () => {
  const names = (actions: RuleActions | undefined, tried?: ReadonlySet<Choice>): string[] => {
    const all = Array.from({ length: 200 }, () => actions?.pick(tried)?.upstream.name ?? 'none')
    return [...new Set(all)].sort()
  }
  const backends = [to('a'), to('b', { weight: 3 }), to('c', { weight: 0 })]

  it('is one with a weight', () => {
    expect(names(RuleActions.of(ruleOf({ backends }), tableOf()))).toEqual(['a', 'b'])
    expect(
      names(RuleActions.of(ruleOf({ backends: [to('c', { weight: 0 })] }), tableOf())),
    ).toEqual(['none'])
  })

  it('is one that was not tried, as long as there is one', () => {
    const actions = RuleActions.of(ruleOf({ backends }), tableOf())
    const tried = new Set<Choice>()
    for (let i = 0; i < 2; i++) {
      const choice = actions?.pick(tried)
      if (choice !== undefined) tried.add(choice)
    }
    expect([...tried].map(({ upstream }) => upstream.name).sort()).toEqual(['a', 'b'])
    expect(names(actions, tried)).toEqual(['a', 'b'])
  })

  it('is one that is well, as long as there is one', async () => {
    const outlier = { consecutive5xx: 1, baseEjectionMs: 60_000, maxEjectionMs: 60_000 }
    const table = tableOf({ outlier }, async () => new Response(null, { status: 500 }))
    const actions = RuleActions.of(ruleOf({ backends }), table)
    await table.get('a')?.forward('/', {}, undefined)
    expect(names(actions)).toEqual(['b'])
    const alone = RuleActions.of(ruleOf({ backends: [to('a'), to('c', { weight: 0 })] }), table)
    expect(names(alone)).toEqual(['a'])
  })
})
