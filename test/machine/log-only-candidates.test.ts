/** A log-only candidate: another version of a plugin, beside it in the same request, whose effects are dropped. */
import { describe, expect, it, vi } from 'vitest'
import { set } from '../support/log-only.ts'
import { machine, probe } from '../support/machine.ts'
import { callout, PAUSE, post, reply, type Steps } from '../support/play.ts'
import { shadowed, type Shadowed, type ShadowOptions, throughShadow } from '../support/shadow.ts'
import { get, shipped } from '../support/shipped.ts'

const EDITS: Steps = {
  request_headers: [set('x-new', 'mine'), { call: 'remove_header', name: 'x-old' }],
  request_body: [{ call: 'set_body', value: 'another' }],
  response_headers: [set('x-answer', 'mine')],
  response_body: [{ call: 'set_body', value: 'changed' }],
}
const denies = { call: 'local_reply', status: 403, body: 'no' }
const ASKS: Steps = {
  request_headers: [callout(), PAUSE],
  http_call_response: [
    { call: 'set_effective_context', issuer: true },
    { call: 'continue_request' },
  ],
}
const beside = (options: ShadowOptions): Promise<Shadowed> =>
  shadowed({ beside: 'run', ...options })
const classes = ({ differences }: Shadowed): string[] => differences.map((one) => one.class)

describe('a log-only candidate that does what the plugin does', () => {
  it.each<[string, Steps]>([
    ['nothing', {}],
    ['edits', EDITS],
    ['answers a request', { request_headers: [denies] }],
    ['answers a request by its body', { request_body: [denies] }],
    ['answers in place of a response', { response_headers: [denies] }],
    ['holds a body until its end', { request_body: [{ ...PAUSE, if: { end_of_stream: false } }] }],
    ['traps', { request_headers: [{ call: 'trap' }] }],
  ])('%s: no difference', async (_, steps) => {
    const request = post(['one ', 'two'], { 'x-old': '1' })
    const found = await beside({ stable: steps, candidate: steps, request })
    expect([found.compared, found.differences, found.notCompared]).toEqual([1, [], []])
    expect(found.host.pool.shadows).toBe(0)
  })

  it('waits for callouts of its own, which are made beside the other ones', async () => {
    const found = await beside({ stable: ASKS, candidate: ASKS, callout: async () => reply(200) })
    expect([found.compared, found.differences]).toEqual([1, []])
    expect(found.host.calls).toHaveLength(2)
  })

  it.each<[string, object]>([
    ['header-policy', { request: { set: { 'x-store': '042' } } }],
    ['mask-card-numbers', { direction: 'both', content_types: ['text/*'] }],
    ['ab-cookie', { experiment: 'e', variants: [{ name: 'a', weight: 1 }] }],
  ])('as %s of the shipped plugins', async (name, configuration) => {
    const host = machine()
    const logOnly = { callouts: 'run', compared: true } as const
    const stable = await shipped(host, name, configuration)
    const candidate = await shipped(host, name, configuration, { fields: { logOnly } })
    const found = await throughShadow(host, [stable], {
      plugins: [stable, candidate],
      request: get('/'),
    })
    expect([found.compared, found.notCompared, classes(found)]).toEqual([1, [], []])
  })
})

describe('a log-only candidate that does something else', () => {
  it.each<[string, Steps, string[]]>([
    ['edits', EDITS, ['request-headers', 'request-body', 'response-headers', 'response-body']],
    ['denies', { request_headers: [denies] }, ['local-reply']],
    ['denies behind the upstream', { response_headers: [denies] }, ['local-reply']],
    ['traps', { request_headers: [{ call: 'trap' }] }, ['trap']],
    ['traps in a response', { response_body: [{ call: 'trap' }] }, ['trap']],
    ['never resumes', { request_headers: [PAUSE] }, ['held']],
    ['sets a status', { response_headers: [set(':status', '500')] }, ['status']],
  ])('%s: it is told, and nobody else sees it', async (_, candidate, expected) => {
    const found = await beside({ stable: {}, candidate, request: post('before', { 'x-old': '1' }) })
    expect([found.response.status, found.body, found.sent[0]?.body]).toEqual([200, 'ok', 'before'])
    expect(found.sent[0]?.headers.get('x-old')).toBe('1')
    expect(classes(found)).toEqual(expected)
    expect(found.stable.counts).toMatchObject({ traps: 0, localReplies: 0, wouldBe: {} })
  })

  it('sees what came to the plugin, in both directions', async () => {
    const copies = (map: string, from: string, to: string): object[] => [
      { call: 'get_header', map, name: from, save: 'seen' },
      { call: 'set_header', map, name: to, value: { saved: 'seen' } },
    ]
    const found = await beside({
      stable: { request_headers: [set('x-a', 'stable')], response_headers: [set('x-b', 'stable')] },
      candidate: {
        request_headers: copies('request', 'x-a', 'x-got'),
        response_headers: copies('response', 'x-b', 'x-was'),
      },
      before: { request_headers: [set('x-a', 'front')], response_headers: [set('x-b', 'later')] },
      behind: { request_headers: [set('x-a', 'behind')], response_headers: [set('x-b', 'origin')] },
    })
    const [verdict] = found.verdicts
    const value = (lines: readonly string[] = [], name: string): string | undefined =>
      lines[lines.indexOf(name) + 1]
    expect(value(verdict?.request?.headers, 'x-got')).toBe('front')
    expect(value(verdict?.response?.headers, 'x-was')).toBe('origin')
  })
})

describe('a log-only candidate runs in the request', () => {
  it('before the upstream is asked, and holds nothing while it waits', async () => {
    const host = machine({ callout: () => new Promise(() => {}) })
    let calls = 0
    const found = await beside({
      host,
      stable: {},
      candidate: ASKS,
      unread: true,
      response: () => ((calls = host.calls.length), new Response('ok')),
    })
    expect([calls, found.response.status]).toEqual([1, 200])
    await found.response.arrayBuffer()
    await vi.waitUntil(() => found.compared === 1, { timeout: 20_000 })
    // the call ends with its own time limit, as one of the plugin would
    expect(classes(found)).toEqual([])
  })

  it('whose calls leave nobody when they are blocked', async () => {
    const found = await shadowed({ beside: 'block', stable: {}, candidate: ASKS })
    expect([found.body, found.host.calls]).toEqual(['ok', []])
    expect(found.compared).toBe(1)
  })

  it('is not compared, and given up, when its client leaves', async () => {
    const leaving = new AbortController()
    const found = await beside({
      stable: {},
      candidate: { request_headers: [callout(), PAUSE] },
      callout: () => new Promise((resolve) => setTimeout(resolve, 100, reply(200))),
      request: new Request('http://shop.example/', { signal: leaving.signal }),
      response: async () => {
        leaving.abort()
        throw new Error('aborted')
      },
    })
    expect([found.compared, found.notCompared]).toEqual([0, ['incomplete']])
    expect([found.host.pool.shadows, found.host.pool.contexts]).toEqual([0, 2])
  })

  it('is let go of with a body beyond what is kept, which goes on whole', async () => {
    const big = 'x'.repeat(300_000)
    const found = await beside({ stable: {}, candidate: EDITS, request: post(big) })
    expect([found.sent[0]?.body.length, found.notCompared]).toEqual([300_000, ['too-large']])
    expect(found.host.pool.shadows).toBe(0)
  })

  it('does not when it does not start, nor beyond 64 at a time', async () => {
    const never = { configure: [{ call: 'return_false' }] }
    expect((await beside({ stable: {}, candidate: never })).notCompared).toEqual(['unavailable'])
    const host = machine()
    host.pool.shadows = 64
    const busy = await beside({ host, stable: {}, candidate: {} })
    expect([busy.body, busy.notCompared]).toEqual(['ok', ['busy']])
  })

  it('looks at headers alone where it has no body callbacks: bodies are no matter then', async () => {
    const module = probe('headers-only')
    const big = 'x'.repeat(200_000)
    const found = await beside({ stable: { module }, candidate: { module }, request: post(big) })
    expect([found.sent[0]?.body.length, found.compared, classes(found)]).toEqual([200_000, 1, []])
  })
})
