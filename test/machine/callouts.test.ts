import { describe, expect, it } from 'vitest'
import type { HttpCall, HttpCallOutcome } from '../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import {
  callout,
  calls,
  during,
  on,
  PAUSE,
  play,
  playPlugins,
  reply,
  statuses,
} from '../support/play.ts'

const GO_ON = [{ call: 'set_effective_context', issuer: true }, { call: 'continue_request' }]
const failing =
  (failure: 'connect' | 'reset' | 'too-large') => async (): Promise<HttpCallOutcome> => ({
    failure,
  })

describe('a callout', () => {
  it('goes out as it was asked for, and its reply comes to the root context', async () => {
    const { lines, host, body } = await play(
      {
        request_headers: [
          callout({
            headers: [
              [':method', 'POST'],
              [':path', '/check?x=1'],
              [':authority', 'authz'],
              ['X-Token', 'abc'],
            ],
            body: 'question',
            trailers: [['x-t', '1']],
            timeout_ms: 250,
          }),
          PAUSE,
        ],
        http_call_response: [
          { call: 'get_header', name: ':status' },
          { call: 'get_pairs', map: 'call' },
          { call: 'get_body', buffer: 'call' },
          { call: 'get_header', map: 'call_trailers', name: 'x-end' },
          { call: 'map_size', map: 'call' },
          ...GO_ON,
          { call: 'get_body', buffer: 'call' },
        ],
      },
      {
        callout: async () => ({
          ...reply(200, 'answer', ['x-a', '1', 'x-a', '2']),
          trailers: ['x-end', 'yes'],
        }),
      },
    )
    expect(body).toBe('ok')
    expect(host.calls).toMatchObject([
      {
        plugin: 'p1',
        upstream: 'authz',
        headers: [
          ':method',
          'POST',
          ':path',
          '/check?x=1',
          ':authority',
          'authz',
          'x-token',
          'abc',
        ],
        trailers: ['x-t', '1'],
        timeoutMs: 250,
      },
    ])
    expect(Buffer.from(host.calls[0]?.body ?? []).toString()).toBe('question')
    expect(on(lines, 'http_call_response')).toMatchObject([
      { context: 1, token: 4, num_headers: 3, body_size: 6, num_trailers: 1 },
    ])
    expect(during(lines, 'http_call_response')).toMatchObject([
      { status: 0, value: '200' },
      {
        pairs: [
          [':status', '200'],
          ['x-a', '1'],
          ['x-a', '2'],
        ],
      },
      { status: 0, value: 'answer' },
      { status: 0, value: 'yes' },
      { status: 0, map_size: 18 },
      { status: 0 },
      { status: 0 },
      { status: 0, value: 'answer' },
    ])
  })

  it('is there during its callback alone, and cannot be changed', async () => {
    const { lines } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_header', map: 'call', name: 'x', value: '1' },
          { call: 'set_body', buffer: 'call', value: 'x' },
          ...GO_ON,
        ],
        response_headers: [
          { call: 'get_header', map: 'call', name: ':status' },
          { call: 'get_body', buffer: 'call' },
        ],
      },
      { callout: async () => reply(200, 'x') },
    )
    expect(statuses(during(lines, 'http_call_response')).slice(0, 2)).toEqual([2, 2])
    expect(statuses(during(lines, 'response_headers'))).toEqual([1, 1])
  })

  it('is never answered before its host call has returned', async () => {
    const { lines } = await play(
      { request_headers: [callout(), { call: 'nothing' }, PAUSE], http_call_response: GO_ON },
      { callout: () => Promise.resolve(reply(200)) },
    )
    const names = lines.map((line) => line.on ?? line.call)
    expect(names.indexOf('http_call_response')).toBeGreaterThan(names.indexOf('nothing'))
  })

  it('may be one of several, answered in any order, each under its own token', async () => {
    const answers = [1, 2, 3].map(() => deferred<HttpCallOutcome>())
    let started = 0
    const host = machine({
      callout: () => (answers[started++] as (typeof answers)[number]).promise,
    })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [
          callout({ label: 'a' }),
          callout({ label: 'b' }),
          callout({ label: 'c' }),
          PAUSE,
        ],
        http_call_response: [
          { call: 'get_body', buffer: 'call' },
          { call: 'set_effective_context', issuer: true, if: { total: 3 } },
          { call: 'continue_request', if: { total: 3 } },
        ],
      }),
    })
    const played = playPlugins(host, [plugin])
    await settled()
    for (const i of [2, 0, 1]) {
      answers[i]?.resolve(reply(200, `reply ${i}`))
      await settled()
    }
    expect((await played).body).toBe('ok')
    const lines = host.lines()
    expect(calls(lines, 'http_call').map((line) => line['token'])).toEqual([4, 8, 12])
    expect(on(lines, 'http_call_response').map((line) => [line['label'], line['token']])).toEqual([
      ['c', 12],
      ['a', 4],
      ['b', 8],
    ])
    expect(calls(lines, 'get_body').map((line) => line['value'])).toEqual([
      'reply 2',
      'reply 0',
      'reply 1',
    ])
  })

  it.each(['response_headers', 'response_body'])('can hold %s back', async (phase) => {
    const { body, lines } = await play(
      {
        [phase]: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_response' },
        ],
      },
      { callout: async () => reply(200) },
    )
    expect(body).toBe('ok')
    expect(on(lines, 'http_call_response')).toHaveLength(1)
  })

  it.each(['configure', 'log'])('can be made in %s', async (phase) => {
    const { lines, host } = await play(
      { [phase]: [callout()], http_call_response: [{ call: 'get_header', name: ':status' }] },
      { callout: async () => reply(204) },
    )
    await settled()
    expect(statuses(calls(lines, 'http_call'))).toEqual([0])
    expect(during(host.lines(), 'http_call_response')).toMatchObject([{ value: '204' }])
  })

  it('started in response headers reaches the root when its stream has gone', async () => {
    const { promise, resolve } = deferred<HttpCallOutcome>()
    const { host } = await play(
      { response_headers: [callout()], http_call_response: GO_ON },
      { callout: () => promise },
    )
    expect(host.pool.contexts).toBe(1)
    resolve(reply(200))
    await settled()
    expect(statuses(during(host.lines(), 'http_call_response'))).toEqual([2, 0])
  })
})

describe('a callout without a reply', () => {
  const observe = {
    request_headers: [callout({ timeout_ms: 500 }), PAUSE],
    http_call_response: [
      { call: 'get_header', name: ':status' },
      { call: 'get_pairs', map: 'call' },
      { call: 'get_status' },
      { call: 'get_body', buffer: 'call' },
      ...GO_ON,
    ],
    response_headers: [{ call: 'get_status' }],
  }

  it('in time looks like a 504', async () => {
    const time = new FakeTime()
    const cancelled: HttpCall[] = []
    const played = play(observe, {
      ports: {
        clock: time.clock,
        timers: time.timers,
        httpCalls: {
          start: (call) => ({
            outcome: new Promise(() => undefined),
            cancel: () => void cancelled.push(call),
          }),
        },
      },
    })
    await time.advance(499)
    expect(cancelled).toHaveLength(0)
    await time.advance(1)
    const { body, lines } = await played
    expect(body).toBe('ok')
    expect(cancelled).not.toHaveLength(0)
    expect(during(lines, 'http_call_response')[0]).toMatchObject({ status: 0, value: '504' })
    expect(on(lines, 'http_call_response')).toHaveLength(1)
  })

  it('that is made again whenever one has failed, at once, comes to an end', async () => {
    const again = { request_headers: [callout()], http_call_response: [callout()] }
    const { host, body } = await play(again, { callout: failing('connect') })
    await settled()
    expect(body).toBe('ok')
    // the stream's own, those of the root context, and the one that is refused: it has no answer
    const made = statuses(calls(host.lines(), 'http_call'))
    expect(made).toHaveLength(1 + 10_000 + 1)
    expect(made.slice(-2)).toEqual([0, 10])
  })

  it('for want of a connection looks like a 503', async () => {
    const { lines } = await play(observe, { callout: failing('connect') })
    expect(during(lines, 'http_call_response').slice(0, 3)).toMatchObject([
      { status: 0, value: '503' },
      { status: 0 },
      { status: 0, code: 0 },
    ])
  })

  it.each(['reset', 'too-large'] as const)(
    'because of %s has no headers and a status',
    async (why) => {
      const { lines, body } = await play(observe, { callout: failing(why) })
      expect(body).toBe('ok')
      expect(on(lines, 'http_call_response')).toMatchObject([
        { num_headers: 0, body_size: 0, num_trailers: 0 },
      ])
      expect(during(lines, 'http_call_response').slice(0, 4)).toMatchObject([
        { status: 1 },
        { status: 0, pairs: [], size: null },
        { status: 0, code: 11, value: 'reset' },
        { status: 1 },
      ])
      expect(during(lines, 'response_headers')).toMatchObject([{ status: 0, code: 0 }])
    },
  )

  it('because its port broke looks like a reset', async () => {
    const { lines, body } = await play(observe, {
      callout: () => Promise.reject(new Error('a bug of the port')),
    })
    expect(body).toBe('ok')
    expect(on(lines, 'http_call_response')).toMatchObject([{ num_headers: 0 }])
  })

  it('without a timeout of its own ends after half a minute', async () => {
    const time = new FakeTime()
    const played = play(
      { ...observe, request_headers: [callout({ timeout_ms: 0 }), PAUSE] },
      {
        ports: { clock: time.clock, timers: time.timers },
        callout: () => new Promise(() => undefined),
      },
    )
    await time.advance(30_100)
    expect((await played).body).toBe('ok')
  })
})

describe('a callout that cannot be made', () => {
  it.each([
    ['an unknown upstream', callout({ upstream: 'nobody' }), 2],
    ['no :method', withHeaders([':path', '/'], [':authority', 'a']), 2],
    ['no :path', withHeaders([':method', 'GET'], [':authority', 'a']), 2],
    ['no :authority', withHeaders([':method', 'GET'], [':path', '/']), 2],
    ['malformed headers', callout({ headers: { hex: '0700' } }), 2],
    ['malformed trailers', callout({ trailers: { hex: '0700' } }), 2],
    ['a negative timeout', callout({ timeout_ms: -1 }), 2],
  ])('%s is answered', async (_, step, status) => {
    const { lines, host } = await play(
      { request_headers: [step] },
      {
        ports: {
          httpCalls: {
            start: ({ upstream }) =>
              upstream === 'nobody' ? 2 : { outcome: Promise.resolve(reply(200)), cancel() {} },
          },
        },
      },
    )
    expect(statuses(calls(lines, 'http_call'))).toEqual([status])
    expect(on(host.lines(), 'http_call_response')).toEqual([])
  })

  it('host counts as :authority', async () => {
    const { lines } = await play(
      {
        request_headers: [
          withHeaders([':method', 'GET'], [':path', '/'], ['Host', 'authz']),
          PAUSE,
        ],
        http_call_response: GO_ON,
      },
      { callout: async () => reply(200) },
    )
    expect(statuses(calls(lines, 'http_call'))).toEqual([0])
  })

  it('bad pointers are 6, and a token that could not be told starts nothing', async () => {
    const good = { ptr: 'authz' }
    const { lines, host } = await play(
      {
        request_headers: [
          raw([-4, 9, 0, 0, 0, 0, 0, 0, 100, { out: 0 }]),
          raw([good, 5, -4, 9, 0, 0, 0, 0, 100, { out: 0 }]),
          raw([good, 5, 0, 0, -4, 9, 0, 0, 100, { out: 0 }]),
          raw([good, 5, 0, 0, 0, 0, -4, 9, 100, { out: 0 }]),
          raw([good, 5, 0, 0, 0, 0, 0, 0, 100, -2]),
        ],
      },
      { callout: async () => reply(200) },
    )
    expect(statuses(calls(lines, 'raw'))).toEqual([6, 6, 6, 6, 6])
    expect(host.calls).toEqual([])
  })

  it('because the stream has used up its calls is InternalFailure', async () => {
    const { lines, host } = await play(
      {
        request_headers: [callout({ times: 3 }), PAUSE],
        http_call_response: [...GO_ON],
      },
      { callout: async () => reply(200), plugin: { limits: { calloutsPerRequest: 2 } } },
    )
    expect(statuses(calls(lines, 'http_call'))).toEqual([0, 0, 10])
    expect(host.logs.some((entry) => entry.message.includes('calloutsPerRequest'))).toBe(true)
  })
})

function withHeaders(...headers: readonly (readonly [string, string])[]): unknown {
  return callout({ headers })
}

function raw(args: readonly unknown[]): unknown {
  return { call: 'raw', function: 'proxy_http_call', args }
}
