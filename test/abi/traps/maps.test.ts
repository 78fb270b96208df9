/** Known traps of the ABI: header maps, and how they are written down. */
import { describe, expect, it } from 'vitest'
import type { HttpCallOutcome } from '../../../src/proxy-wasm/index.ts'
import { machine, probe, type ProbeLine, script } from '../../support/machine.ts'
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
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const SDKS = ['rust', 'go', 'assemblyscript'] as const
const reset = async (): Promise<HttpCallOutcome> => ({ failure: 'reset' })
const get = (name: string, map?: string): object => ({
  call: 'get_header',
  name,
  ...(map !== undefined && { map }),
})
const request = (headers: Record<string, string>): Request =>
  new Request('http://shop.example/items?page=2', { headers })

/** The values of one name among the pairs that a guest has read. */
function linesOf(read: ProbeLine | undefined, name: string): string[] {
  const pairs = (read?.['pairs'] ?? []) as readonly (readonly [string, string])[]
  return pairs.flatMap(([key, value]) => (key === name ? [value] : []))
}

describe('header maps', () => {
  // Envoy has none any more: docs/HOST_DIFFERENCES.md, late-request-headers
  it.each(['response_headers', 'response_body', 'log'])(
    'trap 20: request headers can be read in %s, one by one and as pairs',
    async (phase) => {
      const { lines } = await play({
        [phase]: [get(':path', 'request'), { call: 'get_pairs', map: 'request' }],
      })
      const [value, pairs] = during(lines, phase)
      expect(value).toMatchObject({ status: 0, value: '/items?page=2' })
      expect(pairs).toMatchObject({ status: 0, malformed: false })
      expect(pairs?.['pairs']).toContainEqual([':path', '/items?page=2'])
    },
  )

  // Envoy: BadArgument, on which Rust panics: docs/HOST_DIFFERENCES.md, absent-map
  it('trap 21: the callback of a failed call finds no headers, and is told so by NotFound', async () => {
    const { lines } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          get(':status', 'call'),
          { call: 'get_pairs', map: 'call' },
          { call: 'set_effective_context', issuer: true },
          get(':status', 'call'),
          { call: 'continue_request' },
        ],
      },
      { callout: reset },
    )
    expect(on(lines, 'http_call_response')).toMatchObject([{ num_headers: 0 }])
    expect(statuses(during(lines, 'http_call_response'))).toEqual([1, 0, 0, 1, 0])
  })

  it.each(SDKS)('trap 21: a plugin in %s looks at a failed call and goes on', async (sdk) => {
    const { said, alive, body } = await record(
      sdk,
      [
        'request_headers call authz /check',
        'request_headers pause',
        'http_call_response get :status',
        'http_call_response resume',
      ],
      { callout: reset },
    )
    expect(said).toContain('http_call_response 0 0 0')
    expect(said.find((line) => line.startsWith('get :status'))).toBe('get :status = absent')
    expect([alive, body]).toEqual([true, 'ok'])
  })

  it('trap 22: of several lines the value is the first, the pairs have all', async () => {
    const response = new Response('ok')
    response.headers.append('set-cookie', 'a=1')
    response.headers.append('set-cookie', 'b=2')
    const { lines } = await play(
      { response_headers: [get('set-cookie'), { call: 'get_pairs' }] },
      { response },
    )
    const [value, pairs] = during(lines, 'response_headers')
    expect(value).toMatchObject({ value: 'a=1' })
    expect(linesOf(pairs, 'set-cookie')).toEqual(['a=1', 'b=2'])
  })

  it('trap 23: adding to a header makes a second line, replacing makes them one', async () => {
    const edits = [
      { call: 'add_header', name: 'x-a', value: '2' },
      { call: 'get_pairs' },
      get('x-a'),
      { call: 'set_header', name: 'x-b', value: 'one' },
      { call: 'get_pairs' },
    ]
    const { lines, sent } = await play(
      { request_headers: [{ call: 'add_header', name: 'x-b', value: '2' }, ...edits] },
      { request: request({ 'x-a': '1', 'x-b': '1' }) },
    )
    const [before, after] = calls(lines, 'get_pairs')
    expect(linesOf(before, 'x-a')).toEqual(['1', '2'])
    expect(calls(lines, 'get_header')).toMatchObject([{ value: '1' }])
    expect(linesOf(after, 'x-b')).toEqual(['one'])
    expect([sent?.headers.get('x-a'), sent?.headers.get('x-b')]).toEqual(['1, 2', 'one'])
  })

  it.each([
    ['0.1.0', 0, null],
    ['0.2.0', 1, undefined],
    ['0.2.1', 1, undefined],
  ] as const)(
    'trap 24: a header that is missing answers %s with %i',
    async (version, status, value) => {
      const { lines } = await play(
        { request_headers: [get('x-none')] },
        { plugin: { module: probe(version) } },
      )
      const [line] = calls(lines, 'get_header')
      expect([line?.['status'], line?.['value']]).toEqual([status, value])
    },
  )

  it('trap 25: an empty value is Ok with a null pointer', async () => {
    const read = {
      call: 'raw',
      function: 'proxy_get_header_map_value',
      args: [0, { ptr: 'x-empty' }, 7, { out: 0 }, { out: 1 }],
    }
    const { lines } = await play(
      { request_headers: [read] },
      { request: request({ 'x-empty': '' }) },
    )
    expect(calls(lines, 'raw')).toMatchObject([{ status: 0, slots: ['0', '0', '0', '0'] }])
    expect(on(lines, 'allocate')).toEqual([])
  })

  it.each(['rust', 'go'] as const)(
    'trap 25: a plugin in %s tells an empty header from an absent one',
    async (sdk) => {
      const { said } = await record(
        sdk,
        ['request_headers get x-empty', 'request_headers get x-none'],
        { request: request({ 'x-empty': '' }) },
      )
      expect(said.filter((line) => line.startsWith('get'))).toEqual([
        'get x-empty =',
        'get x-none = absent',
      ])
    },
  )

  it('trap 26: the pairs of an empty map are a null pointer and no bytes', async () => {
    const read = (map: number): object => ({
      call: 'raw',
      function: 'proxy_get_header_map_pairs',
      args: [map, { out: 0 }, { out: 1 }],
    })
    const { lines } = await play({
      request_headers: [read(1), read(6)],
      response_headers: [{ call: 'set_pairs', map: 'response', pairs: [] }, read(2)],
    })
    expect(calls(lines, 'raw')).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: 0, slots: ['0', '0', '0', '0'] })),
    )
  })

  it.each(SDKS)(
    'trap 26: a plugin in %s reads the pairs of a map that is not there and goes on',
    async (sdk) => {
      const { said, alive, body } = await record(
        sdk,
        [
          'request_headers call authz /check',
          'request_headers pause',
          'http_call_response pairs',
          'http_call_response resume',
        ],
        { callout: reset },
      )
      expect([alive, body]).toEqual([true, 'ok'])
      expect(said.slice(said.indexOf('http_call_response 0 0 0'))).toContainEqual(
        expect.stringMatching(/^pairs( refused.*)?$/),
      )
    },
  )

  // Envoy takes them for an empty map: docs/HOST_DIFFERENCES.md, malformed-pairs
  it.each([
    ['too short', { hex: '010000' }],
    ['reaching too far', { hex: '0100000001000000ff00000078007900' }],
    ['with bytes left over', { hex: '0100000001000000010000007800790000' }],
    [
      'with more than 1024 lines',
      { concat: [{ hex: '01040000' }, { repeat: '\0', times: 10_250 }] },
    ],
    ['of more than 1 MiB', { repeat: '\0', times: 1024 * 1024 + 1 }],
  ])('trap 27: pairs %s are BadArgument, and wipe nothing', async (_, pairs) => {
    const { lines, sent } = await play(
      { request_headers: [{ call: 'set_pairs', pairs }, callout({ headers: pairs })] },
      { request: request({ 'x-kept': 'yes' }), callout: reset },
    )
    expect(statuses(during(lines, 'request_headers'))).toEqual([2, 2])
    expect([sent?.path, sent?.headers.get('x-kept')]).toEqual(['/items?page=2', 'yes'])
  })

  // Envoy: BadArgument at once: docs/HOST_DIFFERENCES.md, edit-behind-resume
  it('trap 36: headers can be edited behind the resume, until the callback returns', async () => {
    const host = machine({ callout: async () => reply(200) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request' },
          { call: 'set_header', map: 'request', name: 'x-behind', value: 'the resume' },
          get(':path', 'request'),
        ],
        response_headers: [
          { call: 'set_header', map: 'request', name: 'x-too-late', value: 'sent' },
        ],
      }),
    })
    const { lines, sent } = await playPlugins(host, [plugin])
    expect(statuses(during(lines, 'http_call_response'))).toEqual([0, 0, 0, 0])
    expect([sent?.headers.get('x-behind'), sent?.headers.has('x-too-late')]).toEqual([
      'the resume',
      false,
    ])
    expect(host.logs.some(({ message }) => message.includes('has no effect'))).toBe(true)
  })
})
