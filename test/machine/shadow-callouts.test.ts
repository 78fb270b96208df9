/** What a shadow calls: it is answered from what the stream that it follows was, and nothing leaves. */
import { describe, expect, it } from 'vitest'
import type { HttpCall } from '../../src/proxy-wasm/index.ts'
import { machine, probe } from '../support/machine.ts'
import { callout, PAUSE, reply, type Steps } from '../support/play.ts'
import { shadowed, type Shadowed } from '../support/shadow.ts'

const GO_ON = [{ call: 'set_effective_context', issuer: true }, { call: 'continue_request' }]
/** Asks, waits, and puts the answer's status and body into headers. */
const asks = (...questions: readonly unknown[]): Steps => ({
  request_headers: [...questions, PAUSE],
  http_call_response: [
    { call: 'get_header', name: ':status', save: 'status' },
    { call: 'get_body', buffer: 'call', save: 'answer' },
    { call: 'set_effective_context', issuer: true },
    { call: 'add_header', map: 'request', name: 'x-status', value: { saved: 'status' } },
    { call: 'add_header', map: 'request', name: 'x-answer', value: { saved: 'answer' } },
    { call: 'continue_request' },
  ],
})
const to = (path: string, more: Readonly<Record<string, unknown>> = {}): unknown =>
  callout({
    headers: [
      [':method', 'GET'],
      [':path', path],
      [':authority', 'authz'],
    ],
    ...more,
  })
const headersOf = ({ verdicts }: Shadowed, name: string): string[] => {
  const lines = verdicts[0]?.request?.headers ?? []
  return lines.flatMap((text, i) => (i % 2 === 0 && text === name ? [lines[i + 1] ?? ''] : []))
}

describe('a callout of a shadow', () => {
  it('that the stream has made too is answered with its answer', async () => {
    let asked = 0
    const found = await shadowed({
      stable: asks(to('/check')),
      candidate: asks(to('/check')),
      callout: async () => reply(200, `answer ${++asked}`),
    })
    expect(found.host.calls).toHaveLength(1)
    expect([found.differences, headersOf(found, 'x-answer')]).toEqual([[], ['answer 1']])
    expect(found.sent[0]?.headers.get('x-answer')).toBe('answer 1')
  })

  it.each<[string, unknown]>([
    ['upstream', callout({ upstream: 'other' })],
    [
      'method',
      callout({
        headers: [
          [':method', 'HEAD'],
          [':path', '/check'],
          [':authority', 'authz'],
        ],
      }),
    ],
    ['path', to('/elsewhere')],
    ['body', to('/check', { body: 'another' })],
  ])('of another %s does not leave: nobody can be reached', async (_, question) => {
    const found = await shadowed({
      stable: asks(to('/check')),
      candidate: asks(question),
      callout: async () => reply(200, 'yes'),
    })
    expect(found.host.calls).toHaveLength(1)
    expect(headersOf(found, 'x-status')).toEqual(['503'])
    expect(found.differences.map((one) => one.class)).toEqual(['request-headers'])
  })

  it('that is made twice gets the answers in order, and one more than there were is blocked', async () => {
    let asked = 0
    const waits = (...questions: readonly unknown[]): Steps => ({
      ...asks(...questions),
      http_call_response: [
        { call: 'get_body', buffer: 'call', save: 'answer' },
        { call: 'set_effective_context', issuer: true },
        { call: 'add_header', map: 'request', name: 'x-answer', value: { saved: 'answer' } },
        { call: 'continue_request', if: { nth: questions.length } },
      ],
    })
    const found = await shadowed({
      stable: waits(to('/check'), to('/check')),
      candidate: waits(to('/check'), to('/check'), to('/check')),
      callout: async () => reply(200, `answer ${++asked}`),
    })
    expect(asked).toBe(2)
    expect(headersOf(found, 'x-answer').slice(0, 2)).toEqual(['answer 1', 'answer 2'])
    expect(headersOf(found, 'x-answer')[2]).toMatch(/^upstream connect error/)
  })

  it('that failed fails again in the same way', async () => {
    const found = await shadowed({
      stable: asks(to('/check')),
      candidate: asks(to('/check')),
      callout: async () => ({ failure: 'connect' }),
    })
    expect([found.differences, headersOf(found, 'x-status')]).toEqual([[], ['503']])
  })

  it('to an upstream that is not declared is refused, as it was', async () => {
    const steps: Steps = { request_headers: [{ ...(to('/check') as object), save: 't' }] }
    const found = await shadowed({ stable: steps, candidate: steps })
    expect([found.compared, found.differences]).toEqual([1, []])
  })

  it('leaves neither when the plugin calls none', async () => {
    const calls: HttpCall[] = []
    const found = await shadowed({
      stable: {},
      candidate: asks(to('/check')),
      callout: async (call) => (calls.push(call), reply(200)),
    })
    expect([calls, found.differences.map((one) => one.class)]).toEqual([[], ['request-headers']])
  })

  it('upon each answer, for ever, comes to an end', async () => {
    const again: Steps = {
      request_headers: [to('/check'), PAUSE],
      http_call_response: [to('/check')],
    }
    const found = await shadowed({ stable: {}, candidate: again, callout: async () => reply(200) })
    expect([found.host.calls, found.differences.map((one) => one.class)]).toEqual([[], ['held']])
    expect(found.host.pool.shadows).toBe(0)
  })

  it('whose answer is larger than what is kept is not compared', async () => {
    const found = await shadowed({
      stable: asks(to('/check')),
      candidate: asks(to('/check')),
      callout: async () => reply(200, 'x'.repeat(200_000)),
    })
    expect([found.compared, found.notCompared]).toEqual([0, ['too-large']])
  })

  it('of a plugin without a shadow is recorded nowhere', async () => {
    const io = { waitUntil: () => undefined, gone: false }
    const host = machine({ callout: async () => reply(200) })
    const plugin = await host.plugin({
      configuration: JSON.stringify({ steps: asks(to('/check')) }),
      module: probe(),
    })
    await host.send([plugin], { io })
    expect(Object.keys(io)).toEqual(['waitUntil', 'gone'])
  })
})

describe('a gRPC callout of a shadow', () => {
  const grpc = {
    call: 'grpc_call',
    upstream: 'authz',
    service: 'auth.Auth',
    method: 'Check',
    message: 'who',
  }
  const steps = (message: string): Steps => ({
    request_headers: [{ ...grpc, message }, PAUSE],
    grpc_receive: [
      { call: 'get_body', buffer: 'grpc', save: 'answer' },
      { call: 'set_effective_context', issuer: true },
      { call: 'set_header', map: 'request', name: 'x-answer', value: { saved: 'answer' } },
      { call: 'continue_request' },
    ],
    grpc_close: GO_ON,
  })

  it.each([
    ['that the stream has made too is answered with its answer', 'who', ['yes'], []],
    ['with another message does not leave', 'else', [], ['request-headers']],
  ])('%s', async (_, message, answers, differences) => {
    let asked = 0
    const grpcCalls = {
      declares: () => true,
      start: () => {
        asked += 1
        return { events: events(), cancel: () => undefined }
      },
    }
    const found = await shadowed({
      stable: steps('who'),
      candidate: steps(message),
      ports: { grpcCalls },
    })
    expect([asked, found.sent[0]?.headers.get('x-answer')]).toEqual([1, 'yes'])
    expect([headersOf(found, 'x-answer'), found.differences.map((one) => one.class)]).toEqual([
      answers,
      differences,
    ])
  })

  async function* events() {
    yield { kind: 'initial-metadata' as const, metadata: [] }
    yield { kind: 'message' as const, message: Uint8Array.from(Buffer.from('yes')) }
    yield { kind: 'close' as const, status: 0, message: '' }
  }
})
