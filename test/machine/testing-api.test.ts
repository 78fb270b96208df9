/** `postern/testing`: what a plugin test can send, answer and see. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { LogLevel, testPlugin, type TestedPlugin } from '../../src/testing/index.ts'
import { script } from '../support/machine.ts'

const wasm = readFileSync(new URL('../fixtures/probe/probe-0.2.1.wasm', import.meta.url))

const probe = (
  steps: Parameters<typeof script>[0],
  more: Omit<Parameters<typeof testPlugin>[0], 'wasm'> = {},
): Promise<TestedPlugin> => testPlugin({ wasm, configuration: script(steps), ...more })

const authz = {
  call: 'http_call',
  upstream: 'authz',
  headers: [
    [':method', 'POST'],
    [':path', '/check'],
    [':authority', 'authz'],
  ],
  body: 'who?',
}
const hold = { call: 'return', action: 1 }
const resume = [
  { call: 'get_header', name: ':status', save: 'status' },
  { call: 'set_effective_context', issuer: true },
  { call: 'set_header', map: 'request', name: 'x-verdict', value: { saved: 'status' } },
  { call: 'continue_request' },
]

describe('testPlugin', () => {
  it('shows what upstream and client see', async () => {
    const plugin = await probe({
      request_headers: [
        { call: 'set_header', name: 'x-a', value: '1' },
        { call: 'set_property', path: ['my', 'key'], value: 'mine' },
      ],
      response_headers: [{ call: 'remove_header', name: 'server' }],
      response_body: [{ call: 'set_body', start: 0, size: 0, value: '>' }],
    })
    const result = await plugin.request({
      method: 'PUT',
      path: '/a?b=1',
      headers: { Accept: ['x', 'y'] },
      body: 'é',
      response: (request) => ({
        status: 201,
        headers: [
          ['server', 's'],
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
        ],
        body: [request.text, '!'],
      }),
    })
    expect(result).toMatchObject({
      request: { method: 'PUT', path: '/a?b=1', text: 'é' },
      response: { status: 201, text: '>é>!' },
      answer: undefined,
      reset: undefined,
      paused: false,
    })
    expect(result.request?.headers.get('X-A')).toBe('1')
    expect(result.request?.headers.get('accept')).toBe('x, y')
    expect(result.response?.headers.getAll('set-cookie')).toEqual(['a', 'b'])
    expect(result.response?.headers.toObject()).toEqual({ ':status': '201', 'set-cookie': 'a, b' })
    expect(result.properties).toEqual(new Map([['my.key', 'mine']]))
  })

  it('shows an answer, and that nothing went on', async () => {
    const plugin = await probe({
      request_headers: [
        { call: 'local_reply', status: 403, details: 'no', body: 'go away', grpc_status: 7 },
      ],
    })
    expect(await plugin.request()).toMatchObject({
      request: undefined,
      response: { status: 403, text: 'go away' },
      answer: { status: 403, details: 'no', grpcStatus: 7 },
    })
  })

  it('answers callouts by upstream, one after the other', async () => {
    const plugin = await probe(
      { request_headers: [authz, hold], http_call_response: resume },
      { upstreams: { authz: async (call) => ({ status: call.body === 'who?' ? 207 : 500 }) } },
    )
    const { request, callouts } = await plugin.request({ body: ['a', 'b'] })
    expect(request?.headers.get('x-verdict')).toBe('207')
    expect(request?.text).toBe('ab')
    expect(callouts).toMatchObject([{ upstream: 'authz', method: 'POST', path: '/check' }])
    expect(plugin.callouts).toHaveLength(1)
  })

  it.each([
    ['connect', '503'],
    ['timeout', '504'],
  ] as const)('lets a callout fail: %s', async (failure, status) => {
    const plugin = await probe(
      { request_headers: [authz, hold], http_call_response: resume },
      { upstreams: { authz: failure } },
    )
    expect((await plugin.request()).request?.headers.get('x-verdict')).toBe(status)
  })

  it('refuses upstreams that are not declared', async () => {
    const plugin = await probe({ request_headers: [authz] })
    const { logs, callouts } = await plugin.request()
    expect(logs.some(({ message }) => /"http_call".*"status":2/.test(message))).toBe(true)
    expect(callouts).toHaveLength(1)
  })

  it('says when the plugin holds a stream for good', async () => {
    const plugin = await probe({ request_headers: [hold] })
    expect(await plugin.request()).toMatchObject({ paused: true, request: undefined })
  })

  it('keeps the log of each request apart, and all of it together', async () => {
    const plugin = await probe({
      request_headers: [{ call: 'log', level: 3, message: 'careful' }],
    })
    const [first, second] = [await plugin.request(), await plugin.request()]
    const careful = { level: LogLevel.Warn, message: 'careful' }
    expect(first.logs).toContainEqual(careful)
    expect(second.logs).toContainEqual(careful)
    const all = plugin.logs.filter(({ message }) => message === 'careful')
    expect(all).toHaveLength(2)
  })

  it('answers properties, counts metrics, moves the clock', async () => {
    const plugin = await probe(
      {
        configure: [
          { call: 'metric_define', type: 'counter', name: 'ticks', save: 'ticks' },
          { call: 'set_tick_period', ms: 100 },
        ],
        tick: [{ call: 'metric_increment', metric: { saved: 'ticks' } }],
        request_headers: [{ call: 'get_property', path: ['source', 'address'] }, { call: 'time' }],
      },
      { time: new Date(5000) },
    )
    const { logs } = await plugin.request({ properties: { 'source.address': '192.0.2.1' } })
    const text = logs.map(({ message }) => message).join('\n')
    expect(text).toContain('"value":"192.0.2.1"')
    expect(text).toMatch(/"nanoseconds":"?5000000000/)
    plugin.advance(99)
    plugin.advance(1)
    plugin.advance(250)
    expect(plugin.metrics).toEqual([{ type: 'counter', name: 'ticks', value: 2 }])
    expect(plugin.memoryBytes).toBeGreaterThan(0)
  })

  it('gives the reasons of a plugin that does not start', async () => {
    const refusal = { call: 'return_false' }
    await expect(
      probe({ configure: [{ call: 'log', level: 4, message: 'no colour' }, refusal] }),
    ).rejects.toThrow(/proxy_on_configure[^]*no colour/)
    await expect(testPlugin({ wasm: new Uint8Array(8) })).rejects.toMatchObject({
      code: 'module.invalid',
    })
  })

  it('shows a trap, as the client sees it and as it was', async () => {
    const plugin = await probe({ request_headers: [{ call: 'trap', kind: 'unreachable' }] })
    expect((await plugin.request()).response?.status).toBe(503)
    expect(plugin.trap?.message).toContain('unreachable')
  })

  it('ends the root context', async () => {
    const plugin = await probe({})
    plugin.close()
    expect(plugin.logs.at(-1)?.message).toContain('"on":"delete","context":1')
  })

  it('hands out a stream to be driven by hand', async () => {
    const { chain, sink } = (await probe({ log: [{ call: 'log', message: 'bye' }] })).stream()
    chain.begin()
    chain.end()
    expect(sink.request.headers).toBeUndefined()
  })
})
