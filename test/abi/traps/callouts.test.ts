/** Known traps of the ABI: calls that a plugin makes. */
import { describe, expect, it } from 'vitest'
import { httpCallsPort } from '../../../src/gateway/http-calls.ts'
import { type HttpCallOutcome, Status } from '../../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../../support/fake-time.ts'
import { machine, probe, script } from '../../support/machine.ts'
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

const RESUME = [{ call: 'set_effective_context', issuer: true }, { call: 'continue_request' }]
const STEPS = {
  request_headers: [callout({ timeout_ms: 500 }), PAUSE],
  http_call_response: [{ call: 'get_header', name: ':status' }, { call: 'get_status' }, ...RESUME],
}
const ENDS = [
  // as Envoy's client makes them up
  ['for want of a connection', { failure: 'connect' }, '503'],
  ['by its timeout', { failure: 'timeout' }, '504'],
  ['by a reset', { failure: 'reset' }, undefined],
  ['by a reply that is too large', { failure: 'too-large' }, undefined],
] as const

describe('HTTP calls', () => {
  it.each(ENDS)(
    'trap 58: a call that fails %s comes back once, with %j: :status %s',
    async (_, failure, status) => {
      const { lines, body } = await play(STEPS, { callout: async () => failure })
      const [answer] = on(lines, 'http_call_response')
      expect(on(lines, 'http_call_response')).toHaveLength(1)
      expect(Number(answer?.['num_headers']) > 0).toBe(status !== undefined)
      const [header, code] = during(lines, 'http_call_response')
      if (status === undefined) {
        expect([header?.['status'], code]).toMatchObject([1, { code: 11, value: 'reset' }])
      } else expect([header, code]).toMatchObject([{ value: status }, { code: 0 }])
      expect(body).toBe('ok')
    },
  )

  it('trap 58: a call that nobody answers comes back at its own timeout, as a 504', async () => {
    const time = new FakeTime()
    const played = play(STEPS, { ports: time, callout: () => new Promise(() => undefined) })
    await time.advance(600)
    expect(during((await played).lines, 'http_call_response')).toMatchObject([
      { value: '504' },
      {},
      {},
      {},
    ])
  })

  it.each(ENDS.flatMap(([, failure]) => [['rust', failure] as const, ['go', failure] as const]))(
    'trap 58: a plugin in %s goes on after %j',
    async (sdk, failure) => {
      const { alive, body, said } = await record(
        sdk,
        [
          'request_headers call authz /check',
          'request_headers pause',
          'http_call_response get :status',
          'http_call_response resume',
        ],
        { callout: async () => failure },
      )
      expect([alive, body]).toEqual([true, 'ok'])
      expect(said.filter((line) => line.startsWith('get :status'))).toHaveLength(1)
    },
  )

  it.each(['http://authz.example/check', 'authz.example:8080', ''])(
    'trap 59: an upstream is a declared name; %j is BadArgument',
    async (upstream) => {
      const asked: string[] = []
      const httpCalls = httpCallsPort((_plugin, name) => void asked.push(name))
      const { lines } = await play(
        { request_headers: [callout({ upstream })] },
        { ports: { httpCalls } },
      )
      expect([statuses(calls(lines, 'http_call')), asked]).toEqual([[2], [upstream]])
    },
  )

  it.each([
    ['nothing', [], 2],
    [':host', [[':host', 'authz']], 2],
    [':authority', [[':authority', 'authz']], 0],
    ['host', [['host', 'authz']], 0],
  ])('trap 59: a call that says its host by %s is answered %#', async (_, host, status) => {
    const headers = [[':method', 'GET'], [':path', '/'], ...host]
    const { lines } = await play(
      { ...STEPS, request_headers: [callout({ headers })] },
      { callout: async () => reply(200) },
    )
    expect(statuses(calls(lines, 'http_call'))).toEqual([status])
  })

  it.each([
    ['is not declared', ['grpc_stream', 'grpc_call'], false, {}, 4],
    ['is one too many', ['grpc_stream', 'grpc_call'], true, { calloutsPerRequest: 0 }, 10],
    ['does not start', ['grpc_call'], true, {}, 4],
  ])(
    'trap 60: gRPC that %s is answered at once and never closed',
    async (_, asked, declared, limits, status) => {
      const fields = { upstream: 'up', service: 's', method: 'm', message: 'x' }
      const grpcCalls = { declares: () => declared, start: () => Status.ParseFailure }
      const { lines, host } = await play(
        { request_headers: asked.map((call) => ({ call, ...fields })) },
        { ports: { grpcCalls }, plugin: { limits } },
      )
      await settled()
      const answers = during(lines, 'request_headers')
      expect(answers).toMatchObject(asked.map((call) => ({ call, status })))
      expect(host.lines().filter((line) => line.on?.startsWith('grpc'))).toEqual([])
    },
  )

  // Envoy has no means to: its threads have a vm each. Here all requests of an isolate share the vm
  it('trap 64: one call can serve all requests that wait for the same', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const resume = (as: string): object[] => [
      { call: 'set_effective_context', remembered: as },
      { call: 'continue_request' },
    ]
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [
          { call: 'remember_context', as: 'first', if: { path: '/first' } },
          { call: 'remember_context', as: 'second', if: { path: '/second' } },
          callout({ if: { path: '/first' } }),
          PAUSE,
        ],
        http_call_response: [...resume('second'), ...resume('first')],
      }),
    })
    const waiting = ['/first', '/second'].map((path) =>
      playPlugins(host, [plugin], { request: new Request(`http://a.example${path}`) }),
    )
    await settled()
    expect([host.calls.length, plugin.streams]).toEqual([1, 2])
    answer.resolve(reply(200))
    const played = await Promise.all(waiting)
    expect(played.map(({ sent }) => sent?.path)).toEqual(['/first', '/second'])
  })
})
