/** Known traps of the ABI: bodies and other buffers, and the memory that they are handed over in. */
import { describe, expect, it } from 'vitest'
import { machine, moduleAt, script } from '../../support/machine.ts'
import {
  callout,
  calls,
  chunked,
  during,
  on,
  PAUSE,
  play,
  post,
  reply,
  statuses,
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const SDKS = ['rust', 'go', 'assemblyscript'] as const
const MAX = 2_147_483_647

describe('bodies', () => {
  // Envoy: BadArgument in the middle: docs/HOST_DIFFERENCES.md, middle-of-a-body
  it.each([
    ['in the middle replaces that range', 2, 3, 'he??? world'],
    ['in the middle without a size inserts', 5, 0, 'hello??? world'],
    ['at 0 with a size replaces the front', 0, 5, '??? world'],
    ['at 0 without a size goes in front', 0, 0, '???hello world'],
    ['at 0 with any size goes for all of it', 0, MAX, '???'],
    ['behind the end appends', MAX, 0, 'hello world???'],
  ])('trap 28: an edit %s', async (_, start, size, expected) => {
    const { sent, lines } = await play(
      { request_body: [{ call: 'set_body', start, size, value: '???' }] },
      { request: post('hello world') },
    )
    expect(statuses(calls(lines, 'set_body'))).toEqual([0])
    expect(sent?.body).toBe(expected)
  })

  it.each(SDKS)('trap 28: a plugin in %s replaces, prepends and appends', async (sdk) => {
    const edit = (call: string) =>
      record(sdk, [`request_body_end ${call}`], { request: post('body') }).then(
        ({ sent }) => sent?.body,
      )
    expect(await edit('replace_body new')).toBe('new')
    expect(await edit('prepend_body >')).toBe('>body')
    expect(await edit('append_body <')).toBe('body<')
  })

  it('trap 29: a callout’s callback edits the body that the body callback holds', async () => {
    const { sent, lines } = await play(
      {
        request_body: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'get_body', buffer: 'request' },
          { call: 'set_body', buffer: 'request', value: 'edited' },
          { call: 'continue_request' },
        ],
      },
      { request: post('body'), callout: async () => reply(200) },
    )
    expect(calls(lines, 'get_body')).toMatchObject([{ value: 'body' }])
    expect(sent?.body).toBe('edited')
  })

  // Envoy: BadArgument: docs/HOST_DIFFERENCES.md, lost-edit
  it('trap 29: held by the headers callback there is none yet: the edit is Ok, lost, and told', async () => {
    const { sent, lines, host } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'set_body', buffer: 'request', value: 'edited' },
          { call: 'continue_request' },
        ],
        request_body: [{ call: 'get_body' }],
      },
      { request: post('body'), callout: async () => reply(200) },
    )
    expect(statuses(calls(lines, 'set_body'))).toEqual([0])
    expect(calls(lines, 'get_body')).toMatchObject([{ value: 'body' }])
    expect(sent?.body).toBe('body')
    expect(host.logs.some(({ message }) => message.includes('proxy_set_buffer_bytes'))).toBe(true)
  })

  // Envoy leaves it as it was: docs/HOST_DIFFERENCES.md, content-length
  it('trap 30: content-length follows the edited body, in both directions', async () => {
    const { sent, response, body } = await play(
      {
        request_body: [{ call: 'set_body', value: 'a longer one' }],
        response_body: [{ call: 'set_body', value: '!' }],
      },
      { request: post('short') },
    )
    // a request goes out without: the platform counts what it sends
    expect([sent?.body, sent?.headers.get('content-length')]).toEqual(['a longer one', null])
    expect([body, response.headers.get('content-length')]).toEqual(['!', '1'])
  })

  // Envoy: BadArgument, on which Rust panics: docs/HOST_DIFFERENCES.md, lost-edit
  it.each(['request_headers', 'response_headers', 'log'])(
    'trap 31: setting a body in %s is Ok, reaches nobody, and is told',
    async (phase) => {
      const set = (buffer: string): object => ({ call: 'set_body', buffer, value: 'lost' })
      const { sent, body, lines, host } = await play(
        { [phase]: [set('request'), set('response')] },
        { request: post('body') },
      )
      expect(statuses(calls(lines, 'set_body'))).toEqual([0, 0])
      expect([sent?.body, body]).toEqual(['body', 'ok'])
      const told = host.logs.filter(({ message }) => message.includes('no body is held'))
      expect(told).toHaveLength(2)
    },
  )

  it.each(SDKS)('trap 31: a plugin in %s that does so goes on', async (sdk) => {
    const { alive, body, sent } = await record(
      sdk,
      ['request_headers replace_body lost', 'response_headers replace_body lost'],
      { request: post('body') },
    )
    expect([alive, sent?.body, body]).toEqual([true, 'body', 'ok'])
  })

  it.each([
    [4, 10],
    [5000, 1],
    [-1, -1],
  ])('trap 32: reading from %i, at or behind the end, is Ok and empty', async (start, size) => {
    const { lines } = await play(
      { request_body: [{ call: 'get_body', start, size, if: { nth: 1 } }] },
      { request: post('body') },
    )
    expect(calls(lines, 'get_body')).toMatchObject([{ status: 0, value: null, size: 0 }])
  })
})

describe('memory', () => {
  it('trap 33: an allocation that grows the memory gets its bytes where the memory is then', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: moduleAt('test/fixtures/start-conventions/allocate-grows.wasm'),
      configuration: 'conf text',
    })
    plugin.start()
    expect(host.logs.map(({ message }) => message)).toContain('conf text')
  })

  it('trap 33: a result for which the guest has to grow is written behind that', async () => {
    const big = `${'x'.repeat(3_000_000)}!`
    const { lines } = await play(
      {
        response_body: [
          { call: 'return', action: 1, if: { end_of_stream: false } },
          { call: 'memory', if: { end_of_stream: true } },
          { call: 'get_body', show: 1, if: { end_of_stream: true } },
          { call: 'get_body', start: 2_999_999, if: { end_of_stream: true } },
          { call: 'memory', if: { end_of_stream: true } },
        ],
      },
      { response: new Response(chunked(big)), plugin: { limits: { bodyBytes: 4_000_000 } } },
    )
    const [before, after] = calls(lines, 'memory').map((line) => Number(line['pages']))
    expect(calls(lines, 'get_body')).toMatchObject([
      { status: 0, size: 3_000_001 },
      { status: 0, value: 'x!' },
    ])
    expect(after).toBeGreaterThan(before ?? Infinity)
  })

  it.each(SDKS)('trap 34: a plugin in %s is never asked for 0 bytes', async (sdk) => {
    const { alive, said } = await record(
      sdk,
      [
        'request_headers get x-empty',
        'request_headers shared_set k ',
        'request_headers shared_get k',
        'request_body_end body',
        'log get x-empty',
      ],
      {
        request: new Request('http://shop.example/', {
          method: 'POST',
          headers: { 'x-empty': '', 'content-length': '0' },
          body: '',
        }),
      },
    )
    expect(alive).toBe(true)
    expect(said.some((line) => line.startsWith('get x-empty'))).toBe(true)
  })

  it('trap 34: the allocator sees no 0 for empty values, bodies, maps and configurations', async () => {
    const { lines } = await play(
      {
        request_headers: [
          { call: 'get_header', name: 'x-empty' },
          { call: 'get_body' },
          { call: 'get_body', buffer: 'vm_configuration' },
          { call: 'get_pairs', map: 'request_trailers' },
          { call: 'shared_data_set', key: 'k', value: '' },
          { call: 'shared_data_get', key: 'k' },
          { call: 'get_status' },
        ],
      },
      { request: new Request('http://shop.example/', { headers: { 'x-empty': '' } }) },
    )
    expect(statuses(during(lines, 'request_headers'))).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(on(lines, 'allocate')).toEqual([])
  })

  // Envoy: NotFound: docs/HOST_DIFFERENCES.md, plugin-configuration
  it.each(['vm_start', 'request_headers', 'response_body', 'log'])(
    'trap 35: the plugin’s configuration can be read in %s too',
    async (phase) => {
      const read = { call: 'get_body', buffer: 'plugin_configuration', show: 8 }
      const steps = script({ [phase]: [read] })
      const { lines } = await play({}, { plugin: { configuration: steps, vmConfiguration: steps } })
      expect(during(lines, phase)).toMatchObject([{ status: 0, value: '{"steps"' }])
    },
  )
})
