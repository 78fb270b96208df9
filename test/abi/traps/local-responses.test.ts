/** Known traps of the ABI: local responses. */
import { describe, expect, it } from 'vitest'
import { script } from '../../support/machine.ts'
import {
  callout,
  calls,
  chunked,
  on,
  PAUSE,
  play,
  playChain,
  post,
  reply,
  statuses,
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const DENY = { call: 'local_reply', status: 403, body: 'denied', details: 'denied by test' }
const SECOND = { call: 'local_reply', status: 500, body: 'second' }

describe('local responses', () => {
  it.each([0, 1, 2, 3, 4])(
    'trap 13: behind a local response the action %i that the callback returns does not count',
    async (action) => {
      for (const phase of ['request_headers', 'request_body', 'response_headers']) {
        const { response, body } = await play(
          { [phase]: [DENY, { call: 'return', action }] },
          { request: post('body') },
        )
        expect([response.status, body]).toEqual([403, 'denied'])
      }
    },
  )

  it.each(['rust', 'go', 'assemblyscript'] as const)(
    'trap 13: a plugin in %s that answers and returns Continue has answered',
    async (sdk) => {
      const { response, body, sent } = await record(sdk, ['request_headers reply 403 no entry'])
      expect([response.status, body, sent]).toEqual([403, 'no entry', undefined])
    },
  )

  it('trap 14: a reply to the request runs the response callbacks of those that saw it; the others are only told of its end', async () => {
    const { host, sent } = await playChain([
      { configuration: script({}) },
      { configuration: script({ request_headers: [DENY] }) },
      { configuration: script({}) },
    ])
    const order = host.logs.flatMap(({ plugin, message }) => {
      const name = /"on":"(request_headers|response_headers|response_body|log)"/.exec(message)?.[1]
      return name === undefined ? [] : [`${plugin} ${name}`]
    })
    expect(order).toEqual([
      'p1 request_headers',
      'p2 request_headers',
      'p2 response_headers',
      'p1 response_headers',
      'p2 response_body',
      'p1 response_body',
      'p1 log',
      'p2 log',
      'p3 log',
    ])
    expect(sent).toBeUndefined()
  })

  it('trap 15: a reply to the response headers goes out past all callbacks', async () => {
    const { host, response, body } = await playChain([
      { configuration: script({}) },
      { configuration: script({ response_headers: [DENY] }) },
    ])
    expect([response.status, body]).toEqual([403, 'denied'])
    expect(on(host.lines(), 'response_body')).toEqual([])
    expect(on(host.lines('p1'), 'response_headers')).toEqual([])
  })

  it('trap 15: a reply behind response headers that have left breaks the body off', async () => {
    const played = play(
      { response_body: [{ ...DENY, if: { nth: 2 } }] },
      { response: new Response(chunked('a', 'b')) },
    )
    await expect(played).rejects.toThrow('denied_by_test')
  })

  // Envoy 1.40: one that has not gone out gives way to a later one
  it('trap 15: a second reply does not hang: the first of one callback counts, else the last', async () => {
    const same = await play({ request_headers: [DENY, SECOND] })
    expect([same.response.status, same.body]).toEqual([403, 'denied'])
    const later = await play({ request_headers: [DENY], response_headers: [SECOND] })
    expect([later.response.status, later.body]).toEqual([500, 'second'])
    expect(statuses(calls([...same.lines, ...later.lines], 'local_reply'))).toEqual([0, 0, 0, 0])
  })

  it('trap 16: what stands behind the call still runs', async () => {
    const { lines, response } = await play({
      request_headers: [DENY, { call: 'get_header', name: ':path' }],
      response_headers: [{ call: 'set_header', name: 'x-late', value: 'edit' }],
    })
    expect(calls(lines, 'get_header')).toMatchObject([{ status: 0, value: '/items?page=2' }])
    expect(response.headers.get('x-late')).toBe('edit')
  })

  it.each(['request_headers', 'response_headers'])(
    'trap 17: a reply in %s has the bytes and headers that were given, and a second is no trap',
    async (phase) => {
      const { response, body, plugins } = await play({
        [phase]: [{ ...DENY, headers: [['x-given', 'yes']] }, SECOND],
      })
      expect([body, response.headers.get('content-length')]).toEqual(['denied', '6'])
      expect(response.headers.get('x-given')).toBe('yes')
      expect(plugins[0]?.state).toBe('running')
    },
  )

  it.each([
    [-1, '7'],
    [0, '0'],
    [16, '16'],
    [17, '7'],
  ])('trap 18: a gRPC status of %i is answered as %s', async (grpcStatus, expected) => {
    const { response } = await play(
      { request_headers: [{ ...DENY, grpc_status: grpcStatus }] },
      { request: post('x', { 'content-type': 'application/grpc' }) },
    )
    // unset: what the HTTP status 403 amounts to
    expect(response.headers.get('grpc-status')).toBe(expected)
  })

  it('trap 18: a reply without a body has no type, one with a body is plain text', async () => {
    const typed = { headers: [['content-type', 'text/html']] }
    const empty = await play({ request_headers: [{ ...DENY, body: '', ...typed }] })
    expect(empty.response.headers.has('content-type')).toBe(false)
    const plain = await play({ request_headers: [DENY] })
    expect(plain.response.headers.get('content-type')).toBe('text/plain')
  })

  it('trap 19: a plugin that never saw the request sees no response to it either', async () => {
    const { host, response } = await playChain(
      [
        {
          configuration: script({
            request_headers: [callout(), PAUSE],
            http_call_response: [{ call: 'set_effective_context', issuer: true }, DENY],
          }),
        },
        { configuration: script({ response_headers: [{ call: 'get_header', name: ':status' }] }) },
      ],
      { callout: async () => reply(200) },
    )
    expect(response.status).toBe(403)
    expect(on(host.lines('p1'), 'response_headers')).toHaveLength(1)
    expect(on(host.lines('p2'), 'response_headers')).toEqual([])
  })
})
