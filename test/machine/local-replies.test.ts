import { describe, expect, it } from 'vitest'
import { machine, probe, script } from '../support/machine.ts'
import {
  callbacks,
  callout,
  calls,
  chunked,
  on,
  PAUSE,
  play,
  playChain,
  playPlugins,
  post,
  reply,
  statuses,
} from '../support/play.ts'

const DENY = { call: 'local_reply', status: 403, body: 'denied', details: 'no way\tthrough' }

describe('a local reply', () => {
  it.each(['request_headers', 'request_body'])(
    'from %s goes through the response callbacks and not to the upstream',
    async (phase) => {
      const { response, body, sent, lines } = await play(
        {
          [phase]: [DENY],
          response_headers: [{ call: 'set_header', name: 'x-seen', value: '1' }],
          log: [{ call: 'get_property', path: ['response', 'code_details'] }],
        },
        { request: post('body') },
      )
      expect([response.status, body, sent]).toEqual([403, 'denied', undefined])
      expect(response.headers.get('x-seen')).toBe('1')
      expect(response.headers.get('content-type')).toBe('text/plain')
      expect(response.headers.get('content-length')).toBe('6')
      expect(on(lines, 'response_body')).toMatchObject([{ size: 6, end_of_stream: true }])
      expect(calls(lines, 'get_property')).toMatchObject([{ value: 'no_way_through' }])
    },
  )

  it('from a callout callback answers the paused stream', async () => {
    const { response, body, sent, lines } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { ...DENY, status: 401 },
        ],
      },
      { callout: async () => reply(403) },
    )
    expect([response.status, body, sent]).toEqual([401, 'denied', undefined])
    expect(on(lines, 'response_headers')).toHaveLength(1)
  })

  it('from a callout that nothing waited for takes the place of the upstream', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { response, body } = await play(
      {
        request_headers: [callout()],
        http_call_response: [{ call: 'set_effective_context', issuer: true }, DENY],
      },
      {
        callout: async () => (await promise, reply(403)),
        response: () => {
          resolve()
          return new Promise(() => undefined)
        },
      },
    )
    expect([response.status, body]).toEqual([403, 'denied'])
  })

  it('from response headers goes straight out, without the upstream body or more callbacks', async () => {
    const { host, response, body } = await playChain([
      { configuration: script({}) },
      { configuration: script({ response_headers: [DENY] }) },
    ])
    expect([response.status, body]).toEqual([403, 'denied'])
    expect(callbacks(host.lines('p2'), 2)).not.toContain('response_body')
    expect(callbacks(host.lines('p1'), 2)).toEqual([
      'create',
      'request_headers',
      'log',
      'done',
      'delete',
    ])
  })

  it('from a response body whose headers are held is in time', async () => {
    const { response, body } = await play(
      { response_headers: [PAUSE], response_body: [DENY] },
      { plugin: { allowOnHeadersStopIteration: true }, response: new Response(chunked('a', 'b')) },
    )
    expect([response.status, body]).toEqual([403, 'denied'])
  })

  it('from a response body whose headers have left breaks the body', async () => {
    const played = play(
      { response_body: [{ ...DENY, if: { nth: 2 } }] },
      { response: new Response(chunked('a', 'b')) },
    )
    await expect(played).rejects.toThrow('no_way_through')
  })

  it('from log or done has no effect and says so', async () => {
    const { response, host, lines } = await play({ log: [DENY], done: [DENY] })
    expect(response.status).toBe(200)
    expect(statuses(calls(lines, 'local_reply'))).toEqual([0, 0])
    expect(host.logs.filter((entry) => entry.message.includes('has no effect'))).toHaveLength(2)
  })

  it('from a root context has no effect and says so', async () => {
    const { response, host, lines } = await play({ configure: [DENY] })
    expect(response.status).toBe(200)
    expect(statuses(calls(lines, 'local_reply'))).toEqual([0])
    expect(host.logs.some((entry) => entry.message.includes('root context'))).toBe(true)
  })

  it('makes the returned action not count', async () => {
    for (const action of [0, 1, 3]) {
      const { response } = await play({ request_headers: [DENY, { call: 'return', action }] })
      expect(response.status).toBe(403)
    }
  })

  it('lets the rest of the callback run', async () => {
    const { lines } = await play({ request_headers: [DENY, { call: 'get_header', name: ':path' }] })
    expect(calls(lines, 'get_header')).toMatchObject([{ status: 0, value: '/items?page=2' }])
  })
})

describe('of two local replies', () => {
  const second = { call: 'local_reply', status: 500, body: 'second' }

  it('the first counts in one callback', async () => {
    const { response, body, lines, host } = await play({ request_headers: [DENY, second] })
    expect([response.status, body]).toEqual([403, 'denied'])
    expect(statuses(calls(lines, 'local_reply'))).toEqual([0, 0])
    expect(host.logs.some((entry) => entry.message.includes('has been answered'))).toBe(true)
  })

  it('the second takes the place of a first that has not gone out', async () => {
    const { response, body } = await play({ request_headers: [DENY], response_headers: [second] })
    expect([response.status, body]).toEqual([500, 'second'])
  })

  it('the second breaks off a first whose headers have gone out', async () => {
    const { response, body } = await play({ request_headers: [DENY], response_body: [second] })
    expect([response.status, body]).toEqual([503, ''])
  })

  it('of two plugins too', async () => {
    const { response, body } = await playChain([
      { configuration: script({ response_headers: [second] }) },
      { configuration: script({ request_headers: [DENY] }) },
    ])
    expect([response.status, body]).toEqual([500, 'second'])
  })

  it('but a plugin may answer in place of the gateway', async () => {
    const { response, body } = await play(
      { response_headers: [{ ...DENY, status: 418 }] },
      { response: { ...GATEWAY, status: 503 } },
    )
    expect([response.status, body]).toEqual([418, 'denied'])
  })
})

const GATEWAY = {
  details: 'no_route',
  headers: [],
  body: new Uint8Array(0),
  grpcStatus: undefined,
}

describe('what a local reply looks like', () => {
  const answer = (fields: object, options: object = {}) =>
    play({ request_headers: [{ call: 'local_reply', status: 200, ...fields }] }, options)

  it('has the headers that were given, several lines of one name included', async () => {
    const { response } = await answer({
      body: '{}',
      headers: [
        ['Content-Type', 'application/json'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['content-length', '99'],
        [':status', '500'],
      ],
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('content-length')).toBe('2')
  })

  it('has neither length nor type without a body', async () => {
    const { response, body } = await answer({ headers: [['content-type', 'text/html']] })
    expect(body).toBe('')
    expect([...response.headers.keys()]).toEqual([])
  })

  it('keeps its length and loses its body for HEAD', async () => {
    const request = new Request('http://a.example/', { method: 'HEAD' })
    const { response, body } = await answer({ body: 'four' }, { request })
    expect([body, response.headers.get('content-length')]).toEqual(['', '4'])
  })

  it.each([204, 205, 304])('has no body and no length with %i', async (status) => {
    const { response, body } = await answer({ status, body: 'ignored' })
    expect([response.status, body, response.headers.get('content-length')]).toEqual([
      status,
      '',
      null,
    ])
  })

  it.each([0, 99, 101, 199, 600, 1000])('with the status %i is a bad gateway', async (status) => {
    const { response, host } = await answer({ status })
    expect(response.status).toBe(502)
    expect(host.logs.some((entry) => entry.message.includes(`status ${status}`))).toBe(true)
  })

  it('with an odd status between 200 and 599 is sent as it is', async () => {
    expect((await answer({ status: 299 })).response.status).toBe(299)
    expect((await answer({ status: 599 })).response.status).toBe(599)
  })

  it('has the length that its body has after editing', async () => {
    const { response, body } = await play({
      request_headers: [DENY],
      response_body: [{ call: 'set_body', value: 'a longer text' }],
    })
    expect([body, response.headers.get('content-length')]).toEqual(['a longer text', '13'])
  })

  it('leaves malformed header pairs out and says so', async () => {
    const { response, host } = await answer({ status: 401, headers: { hex: '0500' } })
    expect(response.status).toBe(401)
    expect(host.logs.some((entry) => entry.message.includes('malformed'))).toBe(true)
  })

  it.each([
    ['application/grpc', -1, '7'],
    ['application/grpc+proto', -1, '7'],
    ['application/grpc', 16, '16'],
    ['application/grpc', 99, '7'],
  ])('is trailers-only to %s with status %i', async (type, grpcStatus, expected) => {
    const { response, body } = await answer(
      { status: 403, body: 'no, 100%', grpc_status: grpcStatus },
      { request: post('x', { 'content-type': type }) },
    )
    expect([response.status, body]).toEqual([200, ''])
    expect(response.headers.get('content-type')).toBe('application/grpc')
    expect(response.headers.get('grpc-status')).toBe(expected)
    expect(response.headers.get('grpc-message')).toBe('no, 100%25')
  })

  it('is plain HTTP to gRPC-Web', async () => {
    const request = post('x', { 'content-type': 'application/grpc-web+proto' })
    const { response, body } = await answer({ status: 403, body: 'no' }, { request })
    expect([response.status, body]).toEqual([403, 'no'])
  })

  it.each([
    [[200, -4, 9, 0, 0, 0, 0, -1]],
    [[200, 0, 0, -4, 9, 0, 0, -1]],
    [[200, 0, 0, 0, 0, -4, 9, -1]],
  ])('is refused with 6 for pointers outside of memory: %j', async (args) => {
    const { response, lines } = await play({
      request_headers: [{ call: 'raw', function: 'proxy_send_local_response', args }],
    })
    expect(statuses(calls(lines, 'raw'))).toEqual([6])
    expect(response.status).toBe(200)
  })
})

describe('which plugins see a local reply', () => {
  it('those that saw the request, in reverse; the others are logged only', async () => {
    const { host } = await playChain([
      { configuration: script({}) },
      { configuration: script({ request_headers: [DENY] }) },
      { configuration: script({}) },
    ])
    const order = host.logs.flatMap((entry) => {
      const on = /"on":"(response_headers|log)"/.exec(entry.message)
      return on ? [`${entry.plugin} ${on[1]}`] : []
    })
    expect(order).toEqual([
      'p2 response_headers',
      'p1 response_headers',
      'p1 log',
      'p2 log',
      'p3 log',
    ])
  })

  it('the gateway has the same: its reply runs all response callbacks', async () => {
    const { response, host } = await playChain(
      [{ configuration: script({}) }, { configuration: script({}) }],
      { response: { ...GATEWAY, status: 404 } },
    )
    expect(response.status).toBe(404)
    expect(on(host.lines('p1'), 'response_headers')).toHaveLength(1)
    expect(on(host.lines('p2'), 'response_headers')).toMatchObject([{ end_of_stream: true }])
  })

  it('a reply may be held in a response callback and resumed', async () => {
    const { response, body } = await play(
      {
        request_headers: [DENY],
        response_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_response' },
        ],
      },
      { callout: async () => reply(200) },
    )
    expect([response.status, body]).toEqual([403, 'denied'])
  })
})

describe('closing a stream', () => {
  it.each(['request_headers', 'response_headers'])('in %s is answered 503', async (phase) => {
    const { response, body, lines } = await play({
      [phase]: [{ call: 'close_request' }],
      log: [{ call: 'get_property', path: ['response', 'code_details'] }],
    })
    expect([response.status, body]).toEqual([503, ''])
    expect(calls(lines, 'get_property')).toMatchObject([{ value: 'wasm_close_stream' }])
  })

  it('behind the response headers breaks the body', async () => {
    const played = play(
      { response_body: [{ call: 'close_response' }] },
      { response: new Response(chunked('a', 'b')) },
    )
    await expect(played).rejects.toThrow('wasm_close_stream')
  })

  it('ends its contexts', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [{ call: 'close_request' }] }),
    })
    await playPlugins(host, [plugin])
    expect([host.pool.contexts, plugin.streams]).toEqual([1, 0])
  })
})
