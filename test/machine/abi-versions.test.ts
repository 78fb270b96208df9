import { describe, expect, it } from 'vitest'
import { probe } from '../support/machine.ts'
import { callout, calls, during, on, PAUSE, play, post, reply, statuses } from '../support/play.ts'

const old = { module: probe('0.1.0') }

describe('ABI 0.1.0', () => {
  it('runs through a whole stream; headers callbacks have no end of stream', async () => {
    const { lines, body } = await play({}, { plugin: old, request: post('hello') })
    expect(body).toBe('ok')
    expect(on(lines, 'request_headers')).toMatchObject([{ num_headers: 5 }])
    expect(on(lines, 'request_headers')[0]).not.toHaveProperty('end_of_stream')
    expect(on(lines, 'request_body')).toMatchObject([{ size: 5, end_of_stream: true }])
  })

  it('answers a missing header with OK and nothing', async () => {
    const steps = { request_headers: [{ call: 'get_header', name: 'x-missing' }] }
    const { lines } = await play(steps, { plugin: old })
    expect(during(lines, 'request_headers')).toMatchObject([{ status: 0, value: null, size: 0 }])
  })

  it('reads its plugin configuration while it is configured, else that of the vm', async () => {
    const { lines } = await play(
      {
        configure: [{ call: 'get_configuration', show: 8 }],
        request_headers: [{ call: 'get_configuration' }],
      },
      { plugin: { ...old, vmConfiguration: 'of the vm' } },
    )
    expect(during(lines, 'configure')).toMatchObject([{ status: 0, value: '{"steps"' }])
    expect(during(lines, 'request_headers')).toMatchObject([{ status: 0, value: 'of the vm' }])
  })

  it('resumes a request and a response', async () => {
    const { lines, body } = await play(
      {
        request_headers: [callout({ label: 'request' }), PAUSE],
        response_headers: [callout({ label: 'response' }), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request', if: { label: 'request' } },
          { call: 'continue_response', if: { label: 'response' } },
        ],
      },
      { plugin: old, callout: async () => reply(200) },
    )
    expect(body).toBe('ok')
    expect(statuses(calls(lines, 'continue_request'))).toEqual([0])
    expect(statuses(calls(lines, 'continue_response'))).toEqual([0])
  })

  it('asks for its route to be chosen again', async () => {
    const steps = { request_headers: [{ call: 'clear_route_cache' }] }
    const { sent } = await play(steps, { plugin: old })
    expect(sent?.routeCleared).toBe(true)
    const without = await play({}, { plugin: old })
    expect(without.sent?.routeCleared).toBe(false)
  })
})

describe.each(['0.2.0', '0.2.1'] as const)('ABI %s', (version) => {
  const plugin = { module: probe(version) }

  it('runs through a whole stream with ends of stream', async () => {
    const { lines, body } = await play({}, { plugin, request: post('hello') })
    expect(body).toBe('ok')
    expect(on(lines, 'request_headers')).toMatchObject([{ num_headers: 5, end_of_stream: false }])
    expect(on(lines, 'response_headers')).toMatchObject([{ end_of_stream: false }])
  })

  it('answers a missing header with NOT_FOUND', async () => {
    const steps = { request_headers: [{ call: 'get_header', name: 'x-missing' }] }
    expect(statuses(during((await play(steps, { plugin })).lines, 'request_headers'))).toEqual([1])
  })

  it('continues streams by their type; upstream TCP is Unimplemented, others are unknown', async () => {
    const { lines } = await play(
      {
        request_headers: [0, 1, 2, 3, 4, -1].map((stream) => ({ call: 'continue_stream', stream })),
      },
      { plugin },
    )
    expect(statuses(during(lines, 'request_headers'))).toEqual([0, 0, 0, 12, 2, 2])
  })
})

describe('ABI 0.2.1', () => {
  it('tells the log level', async () => {
    const { lines } = await play({ request_headers: [{ call: 'get_log_level' }] })
    expect(during(lines, 'request_headers')).toMatchObject([{ status: 0, level: 0 }])
  })

  it('a guest without body callbacks lets the body pass it by', async () => {
    const { lines, body, sent } = await play(
      {},
      { plugin: { module: probe('headers-only') }, request: post(['a', 'b']) },
    )
    expect([sent?.body, body]).toEqual(['ab', 'ok'])
    expect(on(lines, 'request_body')).toEqual([])
  })
})
