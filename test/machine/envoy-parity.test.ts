/** What a comparison with a real Envoy has taught (`npm run compare:envoy`), one test for each lesson. */
import { describe, expect, it } from 'vitest'
import { machine, probe, script } from '../support/machine.ts'
import { callbacks, calls, on, play, post, statuses } from '../support/play.ts'

describe('header maps', () => {
  it('the size of a map is the bytes of its names and values', async () => {
    const request = new Request('http://shop.example/', { headers: { 'x-a': '123' } })
    const { lines } = await play({ request_headers: [{ call: 'map_size' }] }, { request })
    const pseudo = ':authorityshop.example:path/:methodGET:schemehttp'
    expect(calls(lines, 'map_size')).toMatchObject([{ map_size: `${pseudo}x-a123`.length }])
  })
})

describe('buffers', () => {
  it('bodies are there in every phase, empty; replies of callouts are not', async () => {
    const buffers = ['request', 'response', 'downstream', 'upstream', 'grpc', 'call']
    const { lines } = await play({
      request_headers: buffers.map((buffer) => ({ call: 'get_body', buffer })),
      response_headers: buffers.map((buffer) => ({ call: 'body_status', buffer })),
    })
    const empty = buffers.slice(0, -1)
    expect(statuses(calls(lines, 'get_body'))).toEqual([...empty.map(() => 0), 1])
    expect(statuses(calls(lines, 'body_status'))).toEqual([...empty.map(() => 0), 1])
  })

  it('replacing one that is not there is NOT_FOUND, one that is read-only BAD_ARGUMENT', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'set_body', buffer: 'call', value: 'x' },
        { call: 'set_body', buffer: 'plugin_configuration', value: 'x' },
      ],
    })
    expect(statuses(calls(lines, 'set_body'))).toEqual([1, 2])
  })
})

describe('bodies', () => {
  it('of declared length 0 are none: the headers are the end of the stream', async () => {
    const headers = { 'content-length': '0' }
    const { lines, sent, body } = await play(
      {},
      {
        request: new Request('http://shop.example/', { method: 'POST', body: '', headers }),
        response: new Response('', { headers }),
      },
    )
    expect(on(lines, 'request_headers')).toMatchObject([{ end_of_stream: true }])
    expect(on(lines, 'response_headers')).toMatchObject([{ end_of_stream: true }])
    expect(callbacks(lines).filter((name) => name.endsWith('_body'))).toEqual([])
    expect([sent?.body, body]).toEqual(['', ''])
  })

  it('paused with StopIterationAndWatermark show each chunk alone and go on whole', async () => {
    const { lines, sent } = await play(
      { request_body: [{ call: 'return', action: 2, if: { end_of_stream: false } }] },
      { request: post(['one', 'three', 'x']) },
    )
    expect(on(lines, 'request_body')).toMatchObject([
      { size: 3, end_of_stream: false },
      { size: 5, end_of_stream: false },
      { size: 1, end_of_stream: false },
      { size: 0, end_of_stream: true },
    ])
    expect(sent?.body).toBe('onethreex')
  })

  it('paused with StopIterationAndBuffer after it show everything again', async () => {
    const { lines, sent } = await play(
      {
        request_body: [
          { call: 'return', action: 2, if: { nth: 1 } },
          { call: 'return', action: 1, if: { nth: 2 } },
        ],
      },
      { request: post(['one', 'three', 'x']) },
    )
    expect(on(lines, 'request_body').map((line) => line['size'])).toEqual([3, 5, 9, 0])
    expect(sent?.body).toBe('onethreex')
  })
})

describe('local replies', () => {
  const reply = (status: number): unknown => ({ call: 'local_reply', status, body: `${status}` })

  it('a reply to a reply that has not gone out takes its place', async () => {
    const { response, body } = await play({
      request_headers: [reply(403)],
      response_headers: [reply(500)],
    })
    expect([response.status, body]).toEqual([500, '500'])
  })

  it('of two in one callback the first counts', async () => {
    const { response, body } = await play({ request_headers: [reply(403), reply(500)] })
    expect([response.status, body]).toEqual([403, '403'])
  })
})

describe('messages that plugins have spoiled', () => {
  const remove = (name: string): unknown => ({ call: 'remove_header', name })

  it.each([
    [':path', 404, ''],
    [':method', 503, 'missing required header: :method'],
  ])('a request without %s is answered %i', async (name, status, text) => {
    const { response, body, sent } = await play({ request_headers: [remove(name)] })
    expect([response.status, body, sent]).toEqual([status, text, undefined])
  })

  it('a response without a status is answered 502, without its body', async () => {
    const { response, body } = await play({ response_headers: [remove(':status')] })
    expect([response.status, body]).toEqual([502, 'missing required header: :status'])
  })
})

describe('attributes', () => {
  const read = (path: string): unknown => ({ call: 'get_property', path: path.split('.') })
  const values = (lines: Awaited<ReturnType<typeof play>>['lines']): unknown[] =>
    calls(lines, 'get_property').map((line) => line['value'])
  const NONE = '\0'.repeat(8)

  it('of a response that there is not yet are 0 or empty', async () => {
    const names = ['flags', 'size', 'total_size', 'headers', 'trailers']
    const { lines } = await play({ request_headers: names.map((name) => read(`response.${name}`)) })
    expect(values(lines)).toEqual([NONE, NONE, NONE, '\0\0\0\0', '\0\0\0\0'])
  })

  it('the total size counts the bytes that have come, not those that are announced', async () => {
    const { lines } = await play(
      { request_headers: [{ call: 'map_size' }, read('request.total_size')] },
      { request: post('hello') },
    )
    const size = calls(lines, 'map_size')[0]?.['map_size']
    expect(values(lines)).toEqual([String.fromCharCode(Number(size)) + NONE.slice(1)])
  })

  it('in the end counts what was announced of a body that no plugin has read', async () => {
    const { lines } = await play(
      { log: [read('request.total_size'), { call: 'map_size', map: 'request' }] },
      { request: post('hello'), plugin: { module: probe('headers-only') } },
    )
    const size = Number(calls(lines, 'map_size')[0]?.['map_size'])
    expect(values(lines)).toEqual([String.fromCharCode(size + 5) + NONE.slice(1)])
  })

  it('response.grpc_status of an answer that is no gRPC is what its status amounts to', async () => {
    const { lines } = await play({ response_headers: [read('response.grpc_status')] })
    expect(values(lines)).toEqual([`\u0002${NONE.slice(1)}`])
  })
})

describe('gRPC callouts', () => {
  it('a unary call takes no messages, whether it is known or not', async () => {
    const { lines } = await play({
      request_headers: [1, 2].map((token) => ({ call: 'grpc_send', token, message: 'x' })),
    })
    expect(statuses(calls(lines, 'grpc_send'))).toEqual([2, 1])
  })
})

describe('metrics', () => {
  it('an unknown id of a type that cannot be read is BAD_ARGUMENT', async () => {
    const { lines } = await play({
      request_headers: [4712, 4713, 4714, 4715].map((metric) => ({ call: 'metric_get', metric })),
    })
    expect(statuses(calls(lines, 'metric_get'))).toEqual([1, 1, 2, 2])
  })
})

describe('a module that is being started', () => {
  it.each([
    { call: 'shared_data_get', key: 'k' },
    { call: 'queue_resolve', vm: '', name: 'q' },
    { call: 'metric_define', type: 'counter', name: 'm' },
    { call: 'foreign', function: 'compress', argument: 'x' },
    { call: 'time' },
    { call: 'get_log_level' },
    { call: 'set_effective_context', id: 0 },
    { call: 'get_header', map: 'request', name: 'x' },
  ])('may not make the host call $call', async (step) => {
    const host = machine()
    const environment = [['PROBE', script({ initialize: [step] })]] as const
    const plugin = await host.plugin({ module: probe(), environment })
    expect(() => plugin.start()).toThrow(/while the module was starting/)
  })

  it('may log', async () => {
    const host = machine()
    const environment = [
      ['PROBE', script({ initialize: [{ call: 'log', message: 'early' }] })],
    ] as const
    const plugin = await host.plugin({ module: probe(), environment })
    plugin.start()
    expect(host.logs.map(({ message }) => message)).toContain('early')
  })
})
