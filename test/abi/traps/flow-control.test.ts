/** Known traps of the ABI: who holds what, and until when. */
import { describe, expect, it } from 'vitest'
import { type HttpCallOutcome, LoadError } from '../../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../../support/fake-time.ts'
import { machine, moduleAt, probe, script } from '../../support/machine.ts'
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
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const RESUME = [{ call: 'set_effective_context', issuer: true }, { call: 'continue_request' }]
const answered = { callout: async () => reply(200) }

describe('flow control', () => {
  it('trap 1: a Pause of the headers holds the body too', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [callout(), PAUSE], http_call_response: RESUME }),
    })
    const played = playPlugins(host, [plugin], { request: post(['a', 'b']) })
    await settled()
    expect(callbacks(host.lines(), 2)).toEqual(['create', 'request_headers'])
    answer.resolve(reply(200))
    expect((await played).sent?.body).toBe('ab')
    expect(on(host.lines(), 'request_body').length).toBeGreaterThan(0)
  })

  it('trap 2: headers wait for the body where the plugin is allowed to, and nowhere else', async () => {
    const steps = {
      request_headers: [PAUSE],
      request_body: [
        { call: 'return', action: 1, if: { end_of_stream: false } },
        { call: 'set_header', map: 'request', name: 'x-decided', value: 'by the body' },
      ],
    }
    const allowed = await play(steps, {
      request: post(['a', 'b']),
      plugin: { allowOnHeadersStopIteration: true },
    })
    expect(allowed.sent?.headers.get('x-decided')).toBe('by the body')
    expect(allowed.sent?.body).toBe('ab')
    const time = new FakeTime()
    const refused = play(steps, {
      request: post(['a', 'b']),
      ports: time,
      plugin: { limits: { pauseMs: 1_000 } },
    })
    await time.advance(1_100)
    expect(on((await refused).lines, 'request_body')).toEqual([])
  })

  it.each(['0.1.0', '0.2.0', '0.2.1'] as const)(
    'trap 3: action 1 of the headers callback means the same in %s; the marker 0.2.100 is refused',
    async (version) => {
      const time = new FakeTime()
      const played = play(
        { request_headers: [PAUSE] },
        {
          request: post(['a', 'b']),
          ports: time,
          plugin: { module: probe(version), limits: { pauseMs: 1_000 } },
        },
      )
      await time.advance(1_100)
      const { lines, response } = await played
      expect([on(lines, 'request_body'), response.status]).toEqual([[], 503])
      expect(() => moduleAt('test/fixtures/start-conventions/marker-0-2-100.wasm')).toThrow(
        LoadError,
      )
    },
  )

  it('trap 4: sizes of a held body are cumulative, and all of it can be read', async () => {
    const { lines, sent } = await play(
      {
        request_body: [
          { call: 'get_body' },
          { call: 'return', action: 1, if: { end_of_stream: false } },
        ],
      },
      { request: post(['ab', 'c', 'def']) },
    )
    const sizes = on(lines, 'request_body').map((line) => line['size'])
    expect(sizes.slice(0, 3)).toEqual([2, 3, 6])
    const read = calls(lines, 'get_body').map((line) => line['value'])
    expect(read.slice(0, 3)).toEqual(['ab', 'abc', 'abcdef'])
    expect(sent?.body).toBe('abcdef')
  })

  it.each(['request', 'response'] as const)(
    'trap 5: at the end of the stream the last chunk is in the %s buffer',
    async (direction) => {
      const { lines, sent, body } = await play(
        {
          [`${direction}_body`]: [
            { call: 'get_body', if: { end_of_stream: true } },
            { call: 'return', action: 1, if: { end_of_stream: false } },
          ],
        },
        { request: post('first, last'), response: new Response(chunked('first', ', last')) },
      )
      expect(calls(lines, 'get_body')).toMatchObject([{ value: 'first, last' }])
      expect(direction === 'request' ? sent?.body : body).toBe('first, last')
    },
  )

  // there are no trailers to announce: docs/HOST_DIFFERENCES.md, trailers
  it.each(['request', 'response'] as const)(
    'trap 6: the last %s body callback says end of stream, once, and no trailers follow',
    async (direction) => {
      const { lines } = await play(
        {},
        { request: post(['a', 'b', 'c']), response: new Response(chunked('a', 'b', 'c')) },
      )
      const ends = on(lines, `${direction}_body`).map((line) => line['end_of_stream'])
      expect(ends.at(-1)).toBe(true)
      expect(ends.filter((end) => end === true)).toHaveLength(1)
      expect(on(lines, `${direction}_trailers`)).toEqual([])
    },
  )

  it('trap 7: a message without a body ends with its headers and has no body callback', async () => {
    const { lines } = await play({}, { response: new Response(null, { status: 204 }) })
    for (const direction of ['request', 'response']) {
      expect(on(lines, `${direction}_headers`)).toMatchObject([{ end_of_stream: true }])
      expect(on(lines, `${direction}_body`)).toEqual([])
    }
    const withBody = await play({}, { request: post('x') })
    expect(on(withBody.lines, 'request_headers')).toMatchObject([{ end_of_stream: false }])
  })

  // Envoy hangs on the first half: docs/HOST_DIFFERENCES.md, resume-in-callback
  it('trap 8: a resume in the same callback undoes its Pause, and no later one', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [{ call: 'continue_request' }, PAUSE],
        request_body: [callout(), PAUSE],
        http_call_response: RESUME,
        response_headers: [{ call: 'continue_response' }, PAUSE],
        response_body: [{ call: 'continue_response' }, PAUSE],
      }),
    })
    const played = playPlugins(host, [plugin], { request: post('body') })
    await settled()
    expect(callbacks(host.lines(), 2)).toEqual(['create', 'request_headers', 'request_body'])
    answer.resolve(reply(200))
    const { sent, body } = await played
    expect([sent?.body, body]).toEqual(['body', 'ok'])
  })

  it('trap 9: a stream does not go on because its callouts are done, but because it is told to', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time, ...answered })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [callout({ times: 2 }), PAUSE] }),
      limits: { pauseMs: 5_000 },
    })
    const played = playPlugins(host, [plugin])
    await time.advance(4_900)
    expect(on(host.lines(), 'http_call_response')).toHaveLength(2)
    expect(callbacks(host.lines(), 2)).toEqual(['create', 'request_headers'])
    await time.advance(200)
    const { response, sent } = await played
    expect([response.status, sent]).toEqual([503, undefined])
  })

  it('trap 10: chunks that one plugin drops (action 3) do not end the body that another waits with', async () => {
    const { body, lines } = await playChain(
      [
        {
          configuration: script({
            response_body: [
              { ...(callout() as object), if: { end_of_stream: true } },
              { ...PAUSE, if: { end_of_stream: true } },
            ],
            http_call_response: [
              { call: 'set_effective_context', issuer: true },
              { call: 'continue_response' },
            ],
          }),
        },
        {
          configuration: script({
            response_body: [
              { call: 'return', action: 3, if: { end_of_stream: false } },
              { call: 'set_body', value: 'made anew', if: { end_of_stream: true } },
            ],
          }),
        },
      ],
      { response: new Response(chunked('to be', ' dropped')), ...answered },
    )
    expect(on(lines, 'http_call_response')).toHaveLength(1)
    expect(body).toBe('made anew')
  })

  it('trap 11: no callback comes inside of a guest call: it waits until that has returned', async () => {
    const { lines } = await play(
      {
        configure: [{ call: 'queue_register', name: 'own', save: 'own' }],
        request_headers: [
          { call: 'queue_enqueue', queue: { saved: 'own' }, value: 'x' },
          callout(),
          { call: 'nothing' },
          PAUSE,
        ],
        http_call_response: RESUME,
      },
      answered,
    )
    const names = lines.map((line) => line.on ?? line.call)
    for (const later of ['queue_ready', 'http_call_response']) {
      expect(names.indexOf(later)).toBeGreaterThan(names.indexOf('nothing'))
    }
  })

  it('trap 11: Rust, which panics when it is entered twice, goes on', async () => {
    const { said, alive, body } = await record('rust', [
      'configure queue own',
      'request_headers enqueue own item',
      'request_headers get :path',
    ])
    expect([alive, body]).toEqual([true, 'ok'])
    expect(said.indexOf('queue_ready own=true item')).toBeGreaterThan(
      said.indexOf('get :path = /items?page=2'),
    )
  })

  // Envoy lets such a stream hang: docs/HOST_DIFFERENCES.md, dead-vm
  it.each([
    ['FAIL_CLOSE', 503],
    ['FAIL_OPEN', 200],
  ] as const)(
    'trap 12: a stream that waits for a vm that traps follows %s',
    async (strategy, status) => {
      const at = (path: string): Request => new Request(`http://a.example${path}`)
      const host = machine({ callout: () => new Promise(() => undefined) })
      const plugin = await host.plugin({
        module: probe(),
        failStrategy: strategy,
        configuration: script({
          request_headers: [
            { call: 'trap', kind: 'unreachable', if: { path: '/trap' } },
            callout(),
            PAUSE,
          ],
        }),
      })
      const waiting = playPlugins(host, [plugin], { request: at('/wait') })
      await settled()
      await playPlugins(host, [plugin], { request: at('/trap') })
      expect((await waiting).response.status).toBe(status)
    },
  )

  it('trap 12: a stream that waits while its plugin is replaced is served by the old one', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [callout(), PAUSE], http_call_response: RESUME }),
    })
    const waiting = playPlugins(host, [plugin])
    await settled()
    plugin.retire()
    answer.resolve(reply(200))
    expect((await waiting).body).toBe('ok')
    expect(host.pool.size).toBe(0)
  })
})
