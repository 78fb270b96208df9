import { describe, expect, it } from 'vitest'
import { script } from '../support/machine.ts'
import {
  callout,
  calls,
  during,
  latin1,
  PAUSE,
  play,
  playChain,
  post,
  reply,
  statuses,
} from '../support/play.ts'

const READS = [
  { call: 'get_header', map: 'request', name: ':path' },
  { call: 'get_header', map: 'response', name: ':status' },
  { call: 'get_pairs', map: 'request', quiet: true },
  { call: 'map_size', map: 'request' },
]

describe('request headers can be read in every phase of their stream', () => {
  it.each(['request_headers', 'request_body', 'response_headers', 'response_body', 'log', 'done'])(
    '%s',
    async (phase) => {
      const { lines } = await play({ [phase]: READS }, { request: post('body') })
      const [path, , size] = during(lines, phase)
      expect(path).toMatchObject({ status: 0, value: '/items?page=2' })
      expect(size).toMatchObject({ status: 0, map_size: 77 })
    },
  )

  it('the callback of a callout reads and edits them through its stream', async () => {
    const { lines, sent } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'get_header', map: 'request', name: ':path' },
          { call: 'set_effective_context', issuer: true },
          ...READS,
          { call: 'set_header', map: 'request', name: 'x-checked', value: 'yes' },
          { call: 'continue_request' },
        ],
      },
      { callout: async () => reply(200) },
    )
    const [alone, , withStream] = during(lines, 'http_call_response')
    expect(alone).toMatchObject({ status: 1 })
    expect(withStream).toMatchObject({ status: 0, value: '/items?page=2' })
    expect(sent?.headers.get('x-checked')).toBe('yes')
  })

  it.each(['tick', 'vm_start', 'configure'])('a root has none in %s', async (phase) => {
    const steps = script({
      configure: [{ call: 'set_tick_period', ms: 0 }],
      [phase]: READS,
    })
    const { lines } = await playChain([{ environment: [['PROBE', steps]] }])
    if (phase === 'tick') return
    const [value, , size] = during(lines, phase)
    expect([value?.['status'], size?.['status']]).toEqual([1, 2])
  })

  it('response headers are not there before there is a response', async () => {
    const { lines } = await play({ request_headers: READS, response_headers: READS })
    expect(during(lines, 'request_headers')[1]).toMatchObject({ status: 1 })
    expect(during(lines, 'response_headers')[1]).toMatchObject({ status: 0, value: '200' })
  })
})

describe('edits', () => {
  it.each([
    [':path', '/other?x=1', { path: '/other?x=1' }],
    [':method', 'DELETE', { method: 'DELETE' }],
    [':authority', 'elsewhere.example:81', { authority: 'elsewhere.example:81' }],
    [':scheme', 'https', { scheme: 'https' }],
  ])('of %s reach the upstream', async (name, value, expected) => {
    const { sent } = await play({ request_headers: [{ call: 'set_header', name, value }] })
    expect(sent).toMatchObject(expected)
  })

  it('of host are edits of :authority, which host reads', async () => {
    const { sent, lines } = await play({
      request_headers: [
        { call: 'get_header', name: 'host' },
        { call: 'get_property', path: ['request', 'headers', 'host'] },
        { call: 'set_header', name: 'Host', value: 'other.example' },
        { call: 'get_header', name: ':authority' },
      ],
    })
    expect(during(lines, 'request_headers').map((line) => line['value'])).toEqual([
      'shop.example',
      'shop.example',
      undefined,
      'other.example',
    ])
    expect(sent?.authority).toBe('other.example')
    expect(sent?.headers.has('host')).toBe(false)
  })

  it('of :status reach the client', async () => {
    const steps = [{ call: 'set_header', name: ':status', value: '418' }]
    const { response, body } = await play({ response_headers: steps })
    expect([response.status, body]).toEqual([418, 'ok'])
  })

  it('add a line, replace all lines by one, remove all lines', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'add_header', name: 'X-A', value: '1' },
        { call: 'add_header', name: 'x-a', value: '2' },
        { call: 'add_header', name: 'x-b', value: '3' },
        { call: 'get_pairs' },
        { call: 'set_header', name: 'x-A', value: '4' },
        { call: 'get_pairs' },
        { call: 'remove_header', name: 'x-a' },
        { call: 'remove_header', name: 'x-never' },
        { call: 'get_pairs' },
      ],
    })
    const all = calls(lines, 'get_pairs').map((line) => (line['pairs'] as string[][]).slice(4))
    expect(all).toEqual([
      [
        ['x-a', '1'],
        ['x-a', '2'],
        ['x-b', '3'],
      ],
      [
        ['x-a', '4'],
        ['x-b', '3'],
      ],
      [['x-b', '3']],
    ])
    expect(statuses(calls(lines, 'remove_header'))).toEqual([0, 0])
  })

  it('set_pairs replaces everything, pseudo-headers and host included', async () => {
    const { sent } = await play({
      request_headers: [
        {
          call: 'set_pairs',
          pairs: [
            [':method', 'PUT'],
            [':path', '/new'],
            ['Host', 'a.example'],
            [':scheme', 'http'],
            ['X-Only', 'one'],
          ],
        },
      ],
    })
    expect(sent).toMatchObject({ method: 'PUT', path: '/new', authority: 'a.example' })
    expect([...(sent?.headers ?? [])]).toEqual([
      ['accept-encoding', 'identity'],
      ['x-only', 'one'],
    ])
  })

  it('keep the response lines apart that must be', async () => {
    const { response } = await play({
      response_headers: [
        { call: 'add_header', name: 'set-cookie', value: 'a=1; Path=/' },
        { call: 'add_header', name: 'set-cookie', value: 'b=2' },
        { call: 'add_header', name: 'vary', value: 'x' },
        { call: 'add_header', name: 'vary', value: 'y' },
      ],
    })
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2'])
    expect(response.headers.get('vary')).toBe('x, y')
  })

  it('see each set-cookie line of the upstream as one', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    const { lines, response } = await play(
      {
        response_headers: [
          { call: 'get_header', name: 'set-cookie' },
          { call: 'get_pairs' },
          { call: 'add_header', name: 'set-cookie', value: 'c=3' },
        ],
      },
      { response: new Response(null, { headers }) },
    )
    const [first, pairs] = during(lines, 'response_headers')
    expect(first).toMatchObject({ value: 'a=1' })
    expect(pairs?.['pairs']).toEqual([
      [':status', '200'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3'])
  })

  it('that nobody would see are answered OK and told in the log', async () => {
    const late = [{ call: 'set_header', map: 'request', name: 'x-late', value: '1' }]
    const { host, lines, sent } = await play({
      response_headers: late,
      log: [{ call: 'add_header', map: 'response', name: 'x-late', value: '1' }],
    })
    expect(statuses([...during(lines, 'response_headers'), ...during(lines, 'log')])).toEqual([
      0, 0,
    ])
    expect(sent?.headers.has('x-late')).toBe(false)
    expect(host.logs.filter((entry) => entry.message.includes('has no effect'))).toHaveLength(2)
  })
})

describe('values', () => {
  it('are bytes: no byte is changed from one plugin to the next', async () => {
    const bytes = { hex: 'ff00fe80c3a9' }
    const { host } = await playChain([
      {
        configuration: script({
          request_headers: [{ call: 'set_header', name: 'x-bytes', value: bytes }],
        }),
      },
      { configuration: script({ request_headers: [{ call: 'get_header', name: 'x-bytes' }] }) },
    ])
    const [line] = calls(host.lines('p2'), 'get_header')
    expect(line?.['value']).toBe(latin1(Uint8Array.from(Buffer.from(bytes.hex, 'hex'))))
  })

  it('above ASCII reach upstream and client as their bytes', async () => {
    const { sent, response } = await play({
      request_headers: [{ call: 'set_header', name: 'x-b', value: { hex: 'e9ff' } }],
      response_headers: [{ call: 'set_header', name: 'x-b', value: { hex: 'e9ff' } }],
    })
    expect(sent?.headers.get('x-b')).toBe('\u00e9\u00ff')
    expect(response.headers.get('x-b')).toBe('\u00e9\u00ff')
  })

  it('that HTTP does not allow are dropped with a warning, and the rest goes on', async () => {
    const { sent, host } = await play({
      request_headers: [
        { call: 'set_header', name: 'x-bad', value: 'a\r\nx-injected: 1' },
        { call: 'set_header', name: 'bad name', value: '1' },
        { call: 'set_header', name: '__proto__', value: '1' },
        { call: 'set_header', name: 'constructor', value: 'fine' },
        { call: 'set_header', name: 'x-good', value: '1' },
      ],
    })
    expect([...(sent?.headers.keys() ?? [])].sort()).toEqual([
      '__proto__',
      'accept-encoding',
      'constructor',
      'x-good',
    ])
    expect(sent?.headers.get('constructor')).toBe('fine')
    expect(host.logs.filter((entry) => entry.message.includes('was dropped'))).toHaveLength(2)
  })

  it('may be empty, which is not the same as missing', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'set_header', name: 'x-empty', value: '' },
        { call: 'get_header', name: 'x-empty' },
        { call: 'get_header', name: 'x-missing' },
      ],
    })
    expect(calls(lines, 'get_header')).toMatchObject([
      { status: 0, value: null, size: 0 },
      { status: 1 },
    ])
  })

  it('of 60 KiB pass', async () => {
    const { sent } = await play({
      request_headers: [
        { call: 'set_header', name: 'x-long', value: { repeat: 'a', times: 61_440 } },
      ],
    })
    expect(sent?.headers.get('x-long')).toHaveLength(61_440)
  })
})

describe('bad arguments', () => {
  const VALUE = { ptr: 'v' }
  const NAME = [{ ptr: 'x-n' }, 3]

  it('an unknown map type is BadArgument for every call', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'get_header', map: 8, name: 'a' },
        { call: 'get_pairs', map: 8 },
        { call: 'set_pairs', map: 8, pairs: [] },
        { call: 'add_header', map: 8, name: 'a', value: 'b' },
        { call: 'set_header', map: -1, name: 'a', value: 'b' },
        { call: 'remove_header', map: 99, name: 'a' },
        { call: 'map_size', map: 8 },
      ],
    })
    expect(statuses(during(lines, 'request_headers'))).toEqual([2, 2, 2, 2, 2, 2, 2])
  })

  it.each([
    ['proxy_get_header_map_value', [0, -8, 16, { out: 0 }, { out: 1 }]],
    ['proxy_get_header_map_value', [0, { ptr: ':path' }, 5, -2, { out: 1 }]],
    ['proxy_get_header_map_value', [0, { ptr: ':path' }, 5, { out: 0 }, -2]],
    ['proxy_get_header_map_pairs', [0, -4, { out: 1 }]],
    ['proxy_get_header_map_size', [0, -1]],
    ['proxy_set_header_map_pairs', [0, -8, 16]],
    ['proxy_add_header_map_value', [0, -8, 16, VALUE, 1]],
    ['proxy_add_header_map_value', [0, ...NAME, -8, 16]],
    ['proxy_replace_header_map_value', [0, ...NAME, VALUE, -1]],
    ['proxy_remove_header_map_value', [0, -1, 1]],
  ])('%s outside of memory is 6: %j', async (name, args) => {
    const { lines, sent } = await play({
      request_headers: [{ call: 'raw', function: name, args }],
    })
    expect(statuses(calls(lines, 'raw'))).toEqual([6])
    expect(sent?.headers.has('x-n')).toBe(false)
  })

  it.each([
    ['too short', { hex: '010000' }],
    ['more pairs than bytes', { hex: 'ffffff7f' }],
    ['a missing NUL', { hex: '010000000100000001000000610162' }],
    ['bytes left over', { hex: '01000000010000000100000061006200ff' }],
  ])('pairs with %s are refused and change nothing', async (_, pairs) => {
    const { lines, sent } = await play({ request_headers: [{ call: 'set_pairs', pairs }] })
    expect(statuses(calls(lines, 'set_pairs'))).toEqual([2])
    expect(sent?.path).toBe('/items?page=2')
  })

  it.each([{ hex: '00000000' }, { hex: '00' }, ''])('%j is the empty map', async (pairs) => {
    const { lines } = await play({
      response_headers: [
        { call: 'set_pairs', pairs },
        { call: 'map_size' },
        { call: 'get_pairs' },
        { call: 'set_header', name: ':status', value: '200' },
      ],
    })
    expect(during(lines, 'response_headers')).toMatchObject([
      { status: 0 },
      { status: 0, map_size: 0 },
      { status: 0, pairs: [], size: null },
      { status: 0 },
    ])
  })

  it('a response without a status is a bad gateway', async () => {
    const { response } = await play({ response_headers: [{ call: 'set_pairs', pairs: '' }] })
    expect(response.status).toBe(502)
  })

  it('trailers and metadata are absent, and said to be', async () => {
    const maps = ['request_trailers', 'response_trailers', 'grpc_initial', 'grpc_trailing']
    const { lines } = await play(
      {
        request_body: maps.map((map) => ({ call: 'get_header', map, name: 'a' })),
        response_body: maps.map((map) => ({ call: 'get_pairs', map })),
      },
      { request: post('x') },
    )
    expect(statuses(during(lines, 'request_body'))).toEqual([1, 1, 1, 1])
    expect(during(lines, 'response_body')).toMatchObject(maps.map(() => ({ status: 0, pairs: [] })))
  })
})
