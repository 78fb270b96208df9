/** A shadow: another version of a plugin, on a copy of what came to it, behind the response. */
import { describe, expect, it } from 'vitest'
import { machine, probe, script } from '../support/machine.ts'
import { set } from '../support/log-only.ts'
import { calls, chunked, PAUSE, post, type Steps } from '../support/play.ts'
import type { Plugin } from '../../src/proxy-wasm/index.ts'
import { shadowed, throughShadow } from '../support/shadow.ts'

const EDITS: Steps = {
  request_headers: [set('x-new', 'mine'), { call: 'remove_header', name: 'x-old' }],
  request_body: [{ call: 'set_body', value: 'another' }],
  response_headers: [set('x-answer', 'mine')],
  response_body: [{ call: 'set_body', value: 'changed' }],
}
const reply = (status: number, body = 'no'): unknown => ({
  call: 'local_reply',
  status,
  body,
})
const classes = (found: {
  readonly differences: readonly { readonly class: string }[]
}): string[] => found.differences.map((one) => one.class)

describe('a shadow that does what the plugin does', () => {
  it.each<[string, Steps]>([
    ['nothing', {}],
    ['edits', EDITS],
    ['answers a request', { request_headers: [reply(403)] }],
    ['answers a request by its body', { request_body: [reply(413)] }],
    ['answers in place of a response', { response_headers: [reply(502)] }],
    ['holds a body until its end', { request_body: [{ ...PAUSE, if: { end_of_stream: false } }] }],
  ])('%s: no difference', async (_, steps) => {
    const request = post(['one ', 'two'], { 'x-old': '1' })
    const found = await shadowed({ stable: steps, candidate: steps, request })
    expect([found.compared, found.differences, found.notCompared]).toEqual([1, [], []])
  })

  it('sees what plugins in front of it made, not what the ones behind it make', async () => {
    const look: Steps = {
      request_headers: [{ call: 'get_header', name: 'x-a', save: 'a' }, set('x-seen', 'yes')],
      response_headers: [{ call: 'get_header', name: 'x-b' }],
    }
    const host = machine()
    const logged: Steps = {
      request_headers: [
        { call: 'get_header', name: 'x-a', save: 'a' },
        { call: 'set_header', name: 'x-got', value: { saved: 'a' } },
      ],
      response_headers: [
        { call: 'get_header', name: 'x-b', save: 'b' },
        { call: 'set_header', name: 'x-was', value: { saved: 'b' } },
      ],
    }
    const found = await shadowed({
      host,
      stable: look,
      candidate: logged,
      before: { request_headers: [set('x-a', 'front')], response_headers: [set('x-b', 'later')] },
      behind: { request_headers: [set('x-a', 'behind')], response_headers: [set('x-b', 'origin')] },
    })
    const request = found.verdicts[0]?.request?.headers ?? []
    const response = found.verdicts[0]?.response?.headers ?? []
    expect(request[request.indexOf('x-got') + 1]).toBe('front')
    expect(response[response.indexOf('x-was') + 1]).toBe('origin')
  })
})

describe('a shadow that does something else', () => {
  it.each<[string, Steps, Steps, string[]]>([
    ['another header', {}, { request_headers: [set('x-new', '1')] }, ['request-headers']],
    [
      'another header of a response',
      { response_headers: [set('x-new', '1')] },
      {},
      ['response-headers'],
    ],
    ['another status', {}, { response_headers: [set(':status', '500')] }, ['status']],
    ['another body', {}, { response_body: [{ call: 'set_body', value: 'x' }] }, ['response-body']],
    [
      'another request body',
      {},
      { request_body: [{ call: 'set_body', value: 'x' }] },
      ['request-body'],
    ],
    ['answers', {}, { request_headers: [reply(403)] }, ['local-reply']],
    ['lets by', { request_headers: [reply(403)] }, {}, ['local-reply']],
    [
      'answers otherwise',
      { request_headers: [reply(403)] },
      { request_headers: [reply(401)] },
      ['status'],
    ],
    ['traps', {}, { request_headers: [{ call: 'trap', kind: 'unreachable' }] }, ['trap']],
    ['traps later', {}, { response_body: [{ call: 'trap', kind: 'unreachable' }] }, ['trap']],
    ['is not resumed', {}, { request_headers: [PAUSE] }, ['held']],
    ['breaks off', {}, { request_headers: [{ call: 'close_stream', stream: 0 }] }, ['reset']],
  ])('%s', async (_, stable, candidate, expected) => {
    const found = await shadowed({ stable, candidate, request: post('before') })
    expect([classes(found), found.notCompared]).toEqual([expected, []])
  })

  it('lets by what the plugin answers: there is no response that it could be shown', async () => {
    const found = await shadowed({
      stable: { request_body: [reply(413)] },
      candidate: {},
      request: post('before'),
    })
    expect([found.response.status, classes(found)]).toEqual([413, ['local-reply']])
    expect(found.verdicts).toMatchObject([{ outcome: 'passed', response: undefined }])
  })

  it('changes nothing for upstream and client', async () => {
    const request = post('before', { 'x-old': '1' })
    const found = await shadowed({ stable: {}, candidate: EDITS, request })
    expect(found.sent).toHaveLength(1)
    expect(found.sent[0]?.body).toBe('before')
    expect([found.sent[0]?.headers.get('x-new'), found.sent[0]?.headers.get('x-old')]).toEqual([
      null,
      '1',
    ])
    expect([found.response.headers.get('x-answer'), found.body]).toEqual([null, 'ok'])
    expect(classes(found)).toEqual([
      'request-headers',
      'request-body',
      'response-headers',
      'response-body',
    ])
  })

  it('runs when the response has gone', async () => {
    const found = await shadowed({
      stable: {},
      candidate: { request_headers: [{ call: 'log', level: 4, message: 'here' }, reply(403)] },
      unread: true,
    })
    expect([found.response.status, found.compared]).toEqual([200, 0])
    expect(await found.response.text()).toBe('ok')
    await found.over()
    expect(found.compared).toBe(1)
  })

  it('is compared with a plugin that failed', async () => {
    const trap: Steps = { request_headers: [{ call: 'trap', kind: 'unreachable' }] }
    for (const failStrategy of ['FAIL_CLOSE', 'FAIL_OPEN'] as const) {
      const found = await shadowed({
        stable: { configuration: script(trap), failStrategy },
        candidate: {},
      })
      expect(classes(found)).toEqual(['trap'])
      expect(found.verdicts[0]?.outcome).toBe('passed')
    }
  })
})

describe('what a shadow shares', () => {
  it('data: it sees what is there, and nobody sees what it writes', async () => {
    const write = (value: string): unknown => ({ call: 'shared_data_set', key: 'k', value })
    const read = { call: 'shared_data_get', key: 'k' }
    const shared = { vmId: 'one' }
    const host = machine()
    const plugins = {
      host,
      stable: {
        ...shared,
        configuration: script({
          request_headers: [write('theirs') as unknown],
        }),
      },
    }
    const first = await shadowed({
      ...plugins,
      candidate: {
        ...shared,
        configuration: script({
          request_headers: [
            { ...read, save: 'v' },
            { call: 'set_header', name: 'x-v', value: { saved: 'v' } },
            write('own'),
          ],
        }),
      },
    })
    const seen = first.verdicts[0]?.request?.headers ?? []
    expect(seen[seen.indexOf('x-v') + 1]).toBe('theirs')
    expect(host.pool.ports.sharedData.get('one', 'k')?.value).toEqual(
      Uint8Array.from(Buffer.from('theirs')),
    )
  })

  it('metrics, counts and log lines: none of them are shown', async () => {
    const host = machine()
    const define = { call: 'metric_define', type: 'counter', name: 'hits', save: 'm' }
    const found = await shadowed({
      host,
      stable: {},
      candidate: {
        configure: [define],
        request_headers: [
          { call: 'metric_increment', metric: { saved: 'm' }, value: 5 },
          { call: 'log', level: 2, message: 'never seen' },
          { call: 'trap', kind: 'unreachable' },
        ],
      },
    })
    const { ports } = host.pool
    expect(ports.metrics.get(ports.metrics.define(0, 'hits'))).toEqual({ value: 0n })
    expect(host.pool.countsOf('probe')).toMatchObject({ traps: 0, localReplies: 0, wouldBe: {} })
    expect(found.candidate.counts.traps).toBe(1)
    expect(host.logs.filter(({ message }) => message.includes('never seen'))).toEqual([])
  })

  it('properties: it sees what was set before it came, and sets its own', async () => {
    const get = { call: 'get_property', path: ['by'], save: 'p' }
    const put = (value: string): unknown => ({ call: 'set_property', path: ['by'], value })
    const found = await shadowed({
      before: { request_headers: [put('front')] },
      stable: { request_headers: [put('stable')] },
      candidate: {
        request_headers: [
          get,
          { call: 'set_header', name: 'x-p', value: { saved: 'p' } },
          put('shadow'),
        ],
      },
      behind: {
        response_headers: [get, { call: 'set_header', name: 'x-by', value: { saved: 'p' } }],
      },
    })
    const seen = found.verdicts[0]?.request?.headers ?? []
    expect(seen[seen.indexOf('x-p') + 1]).toBe('front')
    expect(found.response.headers.get('x-by')).toBe('stable')
  })
})

describe('bodies', () => {
  it('that come in chunks pass as they come, and are compared whole', async () => {
    const found = await shadowed({
      stable: {},
      candidate: { response_body: [{ call: 'set_body', value: 'x' }] },
      response: new Response(chunked('a', 'b', 'c')),
    })
    expect(found.body).toBe('abc')
    expect(found.differences).toEqual([
      { class: 'response-body', bytes: { before: 3, after: 3 + 1 } },
    ])
  })

  it('beyond what is kept are not compared, and go on', async () => {
    const big = 'x'.repeat(200_000)
    const found = await shadowed({ stable: {}, candidate: EDITS, request: post(big) })
    expect(found.sent[0]?.body).toBe(big)
    expect([found.compared, found.notCompared]).toEqual([0, ['too-large']])
    expect(found.host.pool.shadows).toBe(0)
  })

  it('that nobody reads may be as long as they like', async () => {
    const module = probe('headers-only')
    const big = 'x'.repeat(200_000)
    const found = await shadowed({
      stable: { module },
      candidate: { module, configuration: script({ request_headers: [set('x-a', '1')] }) },
      request: post(big),
      response: new Response(big),
    })
    expect([found.body.length, found.sent[0]?.body.length]).toEqual([200_000, 200_000])
    expect(classes(found)).toEqual(['request-headers'])
  })
})

describe('a stream that is not compared', () => {
  it('is one whose client has left', async () => {
    const leaving = new AbortController()
    const found = shadowed({
      stable: {},
      candidate: {},
      request: new Request('http://shop.example/', { signal: leaving.signal }),
      response: async () => {
        leaving.abort()
        throw new Error('aborted')
      },
    })
    const { notCompared, compared, host } = await found
    expect([compared, notCompared, host.pool.shadows]).toEqual([0, ['incomplete'], 0])
  })

  it('is one that ended before it came to the plugin, which is not counted', async () => {
    const found = await shadowed({
      before: { request_headers: [reply(401)] },
      stable: {},
      candidate: {},
    })
    expect([found.response.status, found.compared, found.notCompared]).toEqual([401, 0, []])
    expect(found.host.pool.shadows).toBe(0)
  })

  it('is one for which the candidate does not start', async () => {
    const found = await shadowed({
      stable: {},
      candidate: { configure: [{ call: 'return_false' }] },
    })
    expect([found.response.status, found.notCompared]).toEqual([200, ['unavailable']])
  })

  it('is one too many', async () => {
    const host = machine()
    host.pool.shadows = 32
    const found = await shadowed({ host, stable: {}, candidate: {} })
    expect([found.body, found.notCompared, host.pool.shadows]).toEqual(['ok', ['busy'], 32])
  })
})

describe('a stream without a shadow', () => {
  it('has no taps', async () => {
    const host = machine()
    const steps: Steps = { request_headers: [{ call: 'get_header', name: 'x' }] }
    await shadowed({ host, stable: steps, candidate: steps })
    expect(calls(host.lines(), 'get_header')).toHaveLength(1)
  })
})

describe('what both versions did', () => {
  it('is counted alike, behind the end of the stream as well', async () => {
    const steps: Steps = {
      request_headers: [set('x-a', '1'), set('x-b', '1')],
      response_body: [{ call: 'get_body', if: { end_of_stream: true } }],
      log: [{ call: 'time' }],
    }
    const plugin = (log: Steps): object => ({
      counted: true,
      configuration: JSON.stringify({
        steps: { ...steps, ...log },
        quiet: true,
        quiet_calls: true,
      }),
    })
    const same = await shadowed({ stable: plugin({}), candidate: plugin({}) })
    expect(same.tallies).toMatchObject([
      { hostCalls: 4, failed: false },
      { hostCalls: 4, failed: false },
    ])
    const trapping = plugin({ log: [{ call: 'trap', kind: 'unreachable' }] })
    const apart = await shadowed({ stable: plugin({}), candidate: trapping })
    expect(apart.tallies).toMatchObject([
      { hostCalls: 4, failed: false },
      { hostCalls: 3, failed: true },
    ])
  })

  it('is known of a candidate that waits after a trap: it would have failed, where one that never starts would not run', async () => {
    const first = await shadowed({ stable: {}, candidate: { request_headers: [{ call: 'trap' }] } })
    const plugins: [Plugin, Plugin] = [first.stable, first.candidate]
    const second = await throughShadow(first.host, [first.stable], { plugins })
    expect([second.notCompared, second.tallies]).toMatchObject([
      ['unavailable'],
      [{ failed: false }],
    ])
    const never = await shadowed({
      stable: {},
      candidate: { configure: [{ call: 'return_false' }] },
    })
    expect([never.notCompared, never.tallies]).toEqual([['unavailable'], []])
  })
})
