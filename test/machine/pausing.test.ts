import { describe, expect, it } from 'vitest'
import { type HttpCallOutcome, LogLevel } from '../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import {
  callbacks,
  callout,
  calls,
  chunked,
  during,
  on,
  PAUSE,
  play,
  playChain,
  playPlugins,
  post,
  reply,
  type Steps,
} from '../support/play.ts'

const RESUME: Steps = {
  http_call_response: [
    { call: 'set_effective_context', issuer: true },
    { call: 'continue_request', if: { label: 'request' } },
    { call: 'continue_response', if: { label: 'response' } },
  ],
}
const ok = { callout: async () => reply(200) }
const hold = (label: string): unknown[] => [callout({ label }), PAUSE]

describe('a paused stream goes on when it is resumed', () => {
  it('from request headers; the upstream sees nothing before', async () => {
    const { promise, resolve } = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ ...RESUME, request_headers: hold('request') }),
    })
    const played = playPlugins(host, [plugin], { request: post(['a', 'b']) })
    await settled()
    expect(callbacks(host.lines(), 2)).toEqual(['create', 'request_headers'])
    resolve(reply(200))
    expect((await played).sent?.body).toBe('ab')
    expect(on(host.lines(), 'request_body').length).toBeGreaterThan(0)
  })

  it('from a request body, without being shown it again', async () => {
    const { sent, lines } = await play(
      { ...RESUME, request_body: [...hold('request')] },
      { ...ok, request: post('whole') },
    )
    expect(sent?.body).toBe('whole')
    expect(on(lines, 'request_body')).toHaveLength(1)
  })

  it('from response headers', async () => {
    const { body, lines } = await play({ ...RESUME, response_headers: hold('response') }, ok)
    expect(body).toBe('ok')
    expect(on(lines, 'response_body')).toHaveLength(1)
  })

  it('from a response body', async () => {
    const { body, lines } = await play({ ...RESUME, response_body: hold('response') }, ok)
    expect(body).toBe('ok')
    expect(on(lines, 'response_body')).toHaveLength(1)
  })

  it('from each phase of one stream in turn', async () => {
    const { body, sent, lines } = await play(
      {
        ...RESUME,
        request_headers: hold('request'),
        request_body: hold('request'),
        response_headers: hold('response'),
        response_body: hold('response'),
      },
      { ...ok, request: post('in') },
    )
    expect([sent?.body, body]).toEqual(['in', 'ok'])
    expect(on(lines, 'http_call_response')).toHaveLength(4)
  })

  it('with the body edited while it was held', async () => {
    const { sent } = await play(
      {
        request_body: hold('request'),
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'get_body', buffer: 'request' },
          { call: 'set_body', buffer: 'request', start: 0, size: 0, value: 'checked:' },
          { call: 'continue_request' },
        ],
      },
      { ...ok, request: post('body') },
    )
    expect(sent?.body).toBe('checked:body')
  })

  it('with the body that arrived behind held headers shown then', async () => {
    const { lines, sent } = await play(
      { ...RESUME, request_headers: hold('request'), request_body: [{ call: 'get_body' }] },
      { ...ok, request: post('small') },
    )
    expect(sent?.body).toBe('small')
    expect(calls(lines, 'get_body')).toMatchObject([{ value: 'small' }])
  })

  it('resumed twice is resumed once', async () => {
    const { body, lines } = await play(
      {
        request_headers: hold('request'),
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request', times: 2 },
        ],
      },
      ok,
    )
    expect(body).toBe('ok')
    expect(on(lines, 'response_headers')).toHaveLength(1)
  })

  it('StopAllIterationAndBuffer (3) holds headers and body like 1', async () => {
    const { sent } = await play(
      {
        ...RESUME,
        request_headers: [callout({ label: 'request' }), { call: 'return', action: 3 }],
      },
      { ...ok, request: post(['a', 'b']) },
    )
    expect(sent?.body).toBe('ab')
  })

  it('actions that mean nothing else pause (7), and 2 goes on', async () => {
    const seven = await play(
      {
        ...RESUME,
        request_headers: [callout({ label: 'request' }), { call: 'return', action: 7 }],
      },
      ok,
    )
    expect(on(seven.lines, 'http_call_response')).toHaveLength(1)
    expect(seven.body).toBe('ok')
    const two = await play({ request_headers: [{ call: 'return', action: 2 }] })
    expect(two.body).toBe('ok')
  })
})

describe('resuming', () => {
  it('in the same callback makes its pause a continue', async () => {
    const { body } = await play({
      request_headers: [{ call: 'continue_request' }, PAUSE],
      response_headers: [{ call: 'continue_response' }, PAUSE],
      response_body: [{ call: 'continue_response' }, PAUSE],
    })
    expect(body).toBe('ok')
  })

  it('what is not paused does nothing, and a later pause pauses', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time, callout: async () => reply(200) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [callout()],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_response' },
        ],
        response_headers: [PAUSE],
      }),
      limits: { pauseMs: 1000 },
    })
    const played = playPlugins(host, [plugin], {
      async response() {
        await settled()
        return new Response('late')
      },
    })
    await time.advance(900)
    expect(callbacks(host.lines(), 2).at(-1)).toBe('response_headers')
    await time.advance(200)
    expect((await played).response.status).toBe(503)
  })
})

describe('a pause that never ends', () => {
  const phases = [
    ['request_headers', undefined],
    ['request_body', undefined],
    ['response_headers', undefined],
  ] as const

  it.each(phases)('in %s is answered 503 when the plugin fails closed', async (phase) => {
    const time = new FakeTime()
    const played = play(
      { [phase]: [PAUSE] },
      { ports: time, request: post('body'), plugin: { limits: { pauseMs: 5_000 } } },
    )
    await time.advance(4_900)
    await time.advance(200)
    const { response, body, host } = await played
    expect([response.status, body, host.pool.contexts]).toEqual([503, '', 1])
    const direction = phase.replace(/_.*/, '')
    expect(host.logs.map(({ level, message }) => ({ level, message }))).toContainEqual({
      level: LogLevel.Error,
      message: `the plugin has held a ${direction} for 5000 ms (limits.pauseMs) without resuming or answering it: FAIL_CLOSE`,
    })
  })

  it.each([...phases, ['response_body', undefined] as const])(
    'in %s is let go when it fails open, every byte once',
    async (phase) => {
      const time = new FakeTime()
      const played = play(
        { [phase]: [PAUSE] },
        {
          ports: time,
          request: post('body'),
          plugin: { limits: { pauseMs: 5_000 }, failStrategy: 'FAIL_OPEN' },
        },
      )
      await time.advance(5_100)
      const { sent, body } = await played
      expect([sent?.body, body]).toEqual(['body', 'ok'])
    },
  )

  it('in response_body breaks the body, whose headers have left', async () => {
    const time = new FakeTime()
    const played = play(
      { response_body: [PAUSE] },
      {
        ports: time,
        response: new Response(chunked('a', 'b')),
        plugin: { limits: { pauseMs: 5_000 } },
      },
    )
    const outcome = expect(played).rejects.toThrow('wasm_fail_stream')
    await time.advance(5_100)
    await outcome
  })

  it('counts by the limit of the plugin that holds, anew after each resume', async () => {
    const time = new FakeTime()
    const slow = (ms: number) => () =>
      new Promise<HttpCallOutcome>((resolve) => time.timers.after(ms, () => resolve(reply(200))))
    const played = playChain(
      [
        {
          configuration: script({ ...RESUME, request_headers: hold('request') }),
          limits: { pauseMs: 1_000 },
        },
        {
          configuration: script({ ...RESUME, request_headers: hold('request') }),
          limits: { pauseMs: 1_000 },
        },
        { configuration: script({ ...RESUME }), limits: { pauseMs: 10 } },
      ],
      { ports: time, callout: slow(800) },
    )
    await time.advance(2_000)
    expect((await played).body).toBe('ok')
  })

  it('in the callbacks of the very reply to it ends all the same', async () => {
    const time = new FakeTime()
    const played = play(
      { request_headers: [PAUSE], response_headers: [PAUSE] },
      { ports: time, plugin: { limits: { pauseMs: 1_000 } } },
    )
    await time.advance(1_100)
    await time.advance(1_100)
    expect((await played).response.status).toBe(503)
  })

  it('leaves no timer behind', async () => {
    const time = new FakeTime()
    await play({ ...RESUME, request_headers: hold('request') }, { ports: time, ...ok })
    expect(time.pending).toBe(0)
  })
})

describe('allowOnHeadersStopIteration: headers wait for the body', () => {
  const plugin = { allowOnHeadersStopIteration: true }

  it('and can be edited after it was read (request)', async () => {
    const { sent, lines } = await play(
      {
        request_headers: [PAUSE],
        request_body: [
          { call: 'return', action: 1, if: { end_of_stream: false } },
          { call: 'set_header', map: 'request', name: 'x-size', value: 'known' },
        ],
      },
      { plugin, request: post(['ab', 'c']) },
    )
    expect(sent?.headers.get('x-size')).toBe('known')
    expect(sent?.body).toBe('abc')
    expect(on(lines, 'request_body').map((line) => line['size'])).toEqual([2, 3, 3])
  })

  it('and can be edited after it was read (response)', async () => {
    const { response, body } = await play(
      {
        response_headers: [PAUSE],
        response_body: [
          { call: 'return', action: 1, if: { end_of_stream: false } },
          { call: 'set_header', map: 'response', name: ':status', value: '422' },
          { call: 'set_body', value: 'edited' },
        ],
      },
      { plugin, response: new Response(chunked('ab', 'c')) },
    )
    expect([response.status, body]).toEqual([422, 'edited'])
  })

  it('and a local reply from the body is in time', async () => {
    const { response, body, sent } = await play(
      {
        request_headers: [PAUSE],
        request_body: [{ call: 'local_reply', status: 400, body: 'bad body' }],
      },
      { plugin, request: post(['ab', 'c']) },
    )
    expect([response.status, body, sent]).toEqual([400, 'bad body', undefined])
  })

  it('but not in a plugin without body callbacks: the body would let them go', async () => {
    const time = new FakeTime()
    const played = playChain(
      [
        {
          ...plugin,
          module: probe('headers-only'),
          configuration: script({ request_headers: [PAUSE] }),
          limits: { pauseMs: 1_000 },
        },
        { configuration: script({}) },
      ],
      { ports: time, request: post(['ab', 'c']) },
    )
    await time.advance(1_100)
    const { response, sent } = await played
    expect([response.status, sent]).toEqual([503, undefined])
  })

  it('and without it the body is not shown while headers are held', async () => {
    const time = new FakeTime()
    const played = play(
      { request_headers: [PAUSE] },
      { ports: time, request: post(['ab', 'c']), plugin: { limits: { pauseMs: 1_000 } } },
    )
    await time.advance(1_100)
    const { lines } = await played
    expect(on(lines, 'request_body')).toEqual([])
    expect(during(lines, 'request_headers')).toBeDefined()
  })
})
