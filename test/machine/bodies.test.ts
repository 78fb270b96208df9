import { describe, expect, it } from 'vitest'
import { probe, script } from '../support/machine.ts'
import {
  calls,
  chunked,
  during,
  on,
  PAUSE,
  play,
  playChain,
  post,
  statuses,
} from '../support/play.ts'

const splice = (start: number, size: number, value: string): unknown => ({
  call: 'set_body',
  start,
  size,
  value,
})

const SPLICES = [
  ['in front of it', 0, 0, 'abcdef', '__abcdef'],
  ['behind it', 6, 0, 'abcdef', 'abcdef__'],
  ['far behind it', 0x7fff_ffff, 0, 'abcdef', 'abcdef__'],
  ['behind it, whatever the size', 6, 99, 'abcdef', 'abcdef__'],
  ['in place of all of it', 0, 6, 'abcdef', '__'],
  ['in place of all of it, by a size beyond the end', 0, -1, 'abcdef', '__'],
  ['in place of the beginning', 0, 2, 'abcdef', '__cdef'],
  ['in place of the middle', 2, 2, 'abcdef', 'ab__ef'],
  ['into the middle', 3, 0, 'abcdef', 'abc__def'],
  ['in place of the end, by a size beyond it', 4, 50, 'abcdef', 'abcd__'],
] as const

describe('editing a body puts bytes', () => {
  it.each(SPLICES)('%s (request)', async (_, start, size, body, expected) => {
    const steps = { request_body: [splice(start, size, '__')] }
    const { sent, lines } = await play(steps, { request: post(body) })
    expect(sent?.body).toBe(expected)
    expect(statuses(calls(lines, 'set_body'))).toEqual([0])
    expect(sent?.headers.has('content-length')).toBe(false)
  })

  it.each(SPLICES)('%s (response)', async (_, start, size, body, expected) => {
    const played = await play(
      { response_body: [splice(start, size, '__')] },
      { response: new Response(body, { headers: { 'content-length': '6' } }) },
    )
    expect(played.body).toBe(expected)
    expect(played.response.headers.get('content-length')).toBe(String(expected.length))
  })

  it('removes the body when nothing is left', async () => {
    const { sent, body, response } = await play(
      { request_body: [splice(0, -1, '')], response_body: [splice(0, -1, '')] },
      { request: post('gone') },
    )
    expect([sent?.body, body, response.headers.get('content-length')]).toEqual(['', '', null])
  })

  it('joins edits of one callback', async () => {
    const { sent } = await play(
      { request_body: [splice(0, 0, '<'), splice(99, 0, '>'), splice(2, 1, 'BB')] },
      { request: post('abc') },
    )
    expect(sent?.body).toBe('<aBBc>')
  })

  it('reaches the next plugin, which may edit again', async () => {
    const { sent, host } = await playChain(
      [
        { configuration: script({ request_body: [splice(0, 0, '1')] }) },
        { configuration: script({ request_body: [{ call: 'get_body' }, splice(0, 0, '2')] }) },
      ],
      { request: post('body') },
    )
    expect(sent?.body).toBe('21body')
    expect(calls(host.lines('p2'), 'get_body')).toMatchObject([{ value: '1body' }])
  })
})

describe('reading a body', () => {
  it('gives any part, and nothing behind the end', async () => {
    const read = (start: number, size: number): unknown => ({ call: 'get_body', start, size })
    const steps = [read(0, -1), read(1, 2), read(2, 99), read(4, 1), read(5, -1), read(0, 0)]
    const { lines } = await play({ request_body: steps }, { request: post('body') })
    expect(during(lines, 'request_body').map((line) => [line['status'], line['value']])).toEqual([
      [0, 'body'],
      [0, 'od'],
      [0, 'dy'],
      [0, null],
      [0, null],
      [0, null],
    ])
  })

  it('tells its length and no flags', async () => {
    const { lines } = await play(
      { request_body: [{ call: 'body_status' }] },
      { request: post('body') },
    )
    expect(during(lines, 'request_body')).toMatchObject([{ status: 0, length: 4, flags: 0 }])
  })

  it('is OK and empty while headers pass, and edits then reach nobody', async () => {
    const { lines, sent, host } = await play(
      { request_headers: [{ call: 'get_body', buffer: 'request' }, { ...asBody('x') }] },
      { request: post('body') },
    )
    expect(during(lines, 'request_headers')).toMatchObject([
      { status: 0, value: null },
      { status: 0 },
    ])
    expect(sent?.body).toBe('body')
    expect(host.logs.some((entry) => entry.message.includes('no body is held'))).toBe(true)
  })

  it('of the other direction is empty', async () => {
    const { lines } = await play(
      {
        request_body: [{ call: 'get_body', buffer: 'response' }],
        response_body: [{ call: 'get_body', buffer: 'request' }],
      },
      { request: post('body') },
    )
    expect(calls(lines, 'get_body')).toMatchObject([
      { status: 0, size: 0 },
      { status: 0, size: 0 },
    ])
  })

  it.each([
    ['unknown buffer types', { call: 'get_body', buffer: 9 }, 2],
    ['unknown buffer types', { call: 'set_body', buffer: -1, value: 'x' }, 2],
    ['unknown buffer types', { call: 'body_status', buffer: 9 }, 2],
    ['a callout that there is not', { call: 'set_body', buffer: 'call', value: 'x' }, 1],
    ['read-only buffers', { call: 'set_body', buffer: 'vm_configuration', value: 'x' }, 2],
    ['a callout that there is not', { call: 'get_body', buffer: 'call' }, 1],
    ['connections', { call: 'get_body', buffer: 'downstream' }, 0],
    ['bad pointers', raw('proxy_get_buffer_bytes', [0, 0, 9, -4, { out: 0 }]), 6],
    ['bad pointers', raw('proxy_get_buffer_bytes', [0, 0, 9, { out: 0 }, -4]), 6],
    ['bad pointers', raw('proxy_get_buffer_status', [0, -4, { out: 0 }]), 6],
    ['bad pointers', raw('proxy_set_buffer_bytes', [0, 0, 0, -4, 9]), 6],
  ])('answers for %s: %j', async (_, step, status) => {
    const { lines, sent } = await play({ request_body: [step] }, { request: post('body') })
    expect(statuses(during(lines, 'request_body'))).toEqual([status])
    expect(sent?.body).toBe('body')
  })
})

function raw(name: string, args: readonly unknown[]): unknown {
  return { call: 'raw', function: name, args }
}

function asBody(value: string): object {
  return { call: 'set_body', buffer: 'request', value }
}

describe('chunks', () => {
  it('pass one by one while a plugin continues', async () => {
    const { lines, sent } = await play({}, { request: post(['ab', 'cde', 'f']) })
    expect(sent?.body).toBe('abcdef')
    expect(on(lines, 'request_body')).toMatchObject([
      { size: 2, end_of_stream: false },
      { size: 3, end_of_stream: false },
      { size: 1, end_of_stream: false },
      { size: 0, end_of_stream: true },
    ])
  })

  it('gather while it pauses: sizes are cumulative and the whole can be read', async () => {
    const { lines, sent } = await play(
      {
        request_body: [
          { call: 'get_body' },
          { call: 'return', action: 1, if: { end_of_stream: false } },
        ],
      },
      { request: post(['ab', 'cde', 'f']) },
    )
    expect(sent?.body).toBe('abcdef')
    expect(on(lines, 'request_body').map((line) => line['size'])).toEqual([2, 5, 6, 6])
    expect(calls(lines, 'get_body').map((line) => line['value'])).toEqual([
      'ab',
      'abcde',
      'abcdef',
      'abcdef',
    ])
  })

  it('gather in a response too, and the end comes with the last byte of a known length', async () => {
    const { lines, body } = await play(
      { response_body: [{ call: 'return', action: 1, if: { end_of_stream: false } }] },
      { response: new Response(chunked('ab', 'cd'), { headers: { 'content-length': '4' } }) },
    )
    expect(body).toBe('abcd')
    // small and of known length: one piece
    expect(on(lines, 'response_body')).toMatchObject([{ size: 4, end_of_stream: true }])
  })

  it('of a large body of known length end with the last byte, without an empty one', async () => {
    const big = 'x'.repeat(70_000)
    const { lines, sent } = await play(
      {},
      {
        request: new Request('http://a.example/', {
          method: 'POST',
          body: chunked(big, 'end'),
          headers: { 'content-length': '70003' },
          duplex: 'half',
        } as RequestInit),
      },
    )
    expect(sent?.body).toHaveLength(70_003)
    expect(on(lines, 'request_body')).toMatchObject([
      { size: 70_000, end_of_stream: false },
      { size: 3, end_of_stream: true },
    ])
  })

  it('edited one by one reach the other side in order', async () => {
    const { sent } = await play(
      { request_body: [splice(99, 0, ';')] },
      { request: post(['a', 'b']) },
    )
    expect(sent?.body).toBe('a;b;;')
  })

  it('reach the next plugin only when the one before lets them go', async () => {
    const { host, sent } = await playChain(
      [
        {
          configuration: script({
            request_body: [{ call: 'return', action: 1, if: { end_of_stream: false } }],
          }),
        },
        { configuration: script({}) },
      ],
      { request: post(['ab', 'cd']) },
    )
    expect(sent?.body).toBe('abcd')
    expect(on(host.lines('p2'), 'request_body')).toMatchObject([{ size: 4, end_of_stream: true }])
  })

  it('bypass a plugin without body callbacks and still reach the others', async () => {
    const { host, sent } = await playChain(
      [{ module: probe('headers-only'), configuration: script({}) }, { configuration: script({}) }],
      { request: post('body') },
    )
    expect(sent?.body).toBe('body')
    expect(on(host.lines('p1'), 'request_body')).toEqual([])
    expect(on(host.lines('p2'), 'request_body')).toHaveLength(1)
  })

  it.each([
    [3, 'c'],
    [4, 'c'],
  ])('are dropped by NoBuffer (action %i)', async (action, expected) => {
    const { sent } = await play(
      { request_body: [{ call: 'return', action, if: { nth: 1 } }, nthTwo(action)] },
      { request: post(['a', 'b', 'c']) },
    )
    expect(sent?.body).toBe(expected)
  })

  it('are kept by Watermark (action 2) without a limit on their size', async () => {
    const { sent, response, lines } = await play(
      { request_body: [{ call: 'return', action: 2, if: { nth: 1 } }] },
      { request: post(['abcd', 'efgh']), plugin: { limits: { bodyBytes: 5 } } },
    )
    expect([sent?.body, response.status]).toEqual(['abcdefgh', 200])
    expect(on(lines, 'request_body').map((line) => line['size'])).toEqual([4, 4, 0])
  })
})

function nthTwo(action: number): unknown {
  return { call: 'return', action, if: { nth: 2 } }
}

describe('too large a body', () => {
  it('of a request is answered 413, through the response callbacks', async () => {
    const { response, sent, lines } = await play(
      { request_headers: [PAUSE], request_body: [PAUSE] },
      {
        request: post(['abcd', 'efgh']),
        plugin: { limits: { bodyBytes: 5 }, allowOnHeadersStopIteration: true },
      },
    )
    expect([response.status, sent]).toEqual([413, undefined])
    expect(on(lines, 'response_headers')).toHaveLength(1)
  })

  it('of a request that is under way to the upstream is answered 413 too', async () => {
    const { response } = await play(
      { request_body: [PAUSE] },
      { request: post(['abcd', 'efgh']), plugin: { limits: { bodyBytes: 5 } } },
    )
    expect(response.status).toBe(413)
  })

  it('of a response is answered 500 before its headers have left', async () => {
    const { response, body } = await play(
      { response_headers: [PAUSE], response_body: [PAUSE] },
      {
        response: new Response(chunked('abcd', 'efgh')),
        plugin: { limits: { bodyBytes: 5 }, allowOnHeadersStopIteration: true },
      },
    )
    expect([response.status, body]).toEqual([500, 'Internal Server Error'])
  })

  it('of a response breaks the body once headers have left', async () => {
    const played = play(
      { response_body: [PAUSE] },
      { response: new Response(chunked('abcd', 'efgh')), plugin: { limits: { bodyBytes: 5 } } },
    )
    await expect(played).rejects.toThrow('response_payload_too_large')
  })

  it('does not matter while no plugin holds it', async () => {
    const { sent } = await play(
      {},
      { request: post(['abcd', 'efgh']), plugin: { limits: { bodyBytes: 1 } } },
    )
    expect(sent?.body).toBe('abcdefgh')
  })
})
