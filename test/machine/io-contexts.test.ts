import { describe, expect, it } from 'vitest'
import type { HttpCallOutcome, IoContext } from '../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../support/fake-time.ts'
import { machine, type MachineOptions, probe, script } from '../support/machine.ts'
import {
  callout,
  calls,
  on,
  PAUSE,
  type Played,
  playPlugins,
  post,
  reply,
  statuses,
} from '../support/play.ts'

interface Io extends IoContext {
  readonly waiting: Promise<unknown>[]
}

function requestIo(): Io {
  const waiting: Promise<unknown>[] = []
  return { waiting, gone: false, waitUntil: (promise) => void waiting.push(promise) }
}

const at = (path: string, init?: RequestInit): Request =>
  new Request(`http://a.example${path}`, init)

/**
 * A waits on a callout of its own; B waits for A's. The reply's callback does `toB` to B, then lets A go.
 */
async function pair(
  toB: readonly unknown[],
  options: MachineOptions = {},
  b: readonly unknown[] = [],
) {
  const answer = deferred<HttpCallOutcome>()
  const host = machine({ callout: () => answer.promise, ...options })
  const plugin = await host.plugin({
    module: probe(),
    configuration: script({
      request_headers: [
        { call: 'remember_context', as: 'a', if: { path: '/a' } },
        { call: 'remember_context', as: 'b', if: { path: '/b' } },
        callout({ if: { path: '/a' }, timeout_ms: 1_000 }),
        PAUSE,
      ],
      ...(b.length > 0 && { request_body: b }),
      http_call_response: [
        { call: 'set_effective_context', remembered: 'b' },
        ...toB,
        { call: 'set_effective_context', remembered: 'a' },
        { call: 'continue_request' },
      ],
    }),
    limits: { pauseMs: 10_000 },
  })
  const ioA = requestIo()
  const ioB = requestIo()
  const leave = new AbortController()
  const send = (request: Request, io: Io): Promise<Played> =>
    playPlugins(host, [plugin], { request, io })
  const playedA = send(at('/a', { signal: leave.signal }), ioA)
  await settled()
  const playedB = send(at('/b'), ioB)
  await settled()
  return { host, plugin, answer, ioA, ioB, leave, playedA, playedB, send }
}

describe('two requests in one vm', () => {
  it('a callback in one resumes the other', async () => {
    const { answer, playedA, playedB, host } = await pair([{ call: 'continue_request' }])
    answer.resolve(reply(200))
    expect((await playedB).sent?.path).toBe('/b')
    expect((await playedA).sent?.path).toBe('/a')
    expect(host.pool.contexts).toBe(1)
  })

  it('a callback in one answers the other', async () => {
    const { answer, playedA, playedB } = await pair([
      { call: 'local_reply', status: 429, body: 'for b' },
    ])
    answer.resolve(reply(200))
    const b = await playedB
    expect([b.response.status, b.body, b.sent]).toEqual([429, 'for b', undefined])
    expect((await playedA).response.status).toBe(200)
  })

  it('what happens to a stream happens in the context of its own request', async () => {
    const { answer, ioA, ioB, playedA, playedB } = await pair([
      callout({ if: { total: 1 } }),
      { call: 'continue_request' },
    ])
    answer.resolve(reply(200))
    await playedA
    await playedB
    // both calls were started while A's context ran: that it was for B's sake does not matter
    expect([ioA.waiting.length, ioB.waiting.length]).toEqual([2, 0])
  })

  it('contexts do not see each other through the effective context of a callback that ended', async () => {
    const { answer, playedA, playedB, host } = await pair([{ call: 'continue_request' }])
    answer.resolve(reply(200))
    await Promise.all([playedA, playedB])
    const paths = on(host.lines(), 'response_headers').map((line) => line['context'])
    expect(new Set(paths).size).toBe(2)
  })

  it('an unknown context cannot be made the effective one; 0 goes back to the current', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [
          { call: 'set_effective_context', id: 99 },
          { call: 'set_effective_context', root: true },
          { call: 'get_header', name: ':path' },
          { call: 'set_effective_context', id: 0 },
          { call: 'get_header', name: ':path' },
        ],
      }),
    })
    const { lines } = await playPlugins(host, [plugin])
    expect(statuses(calls(lines, 'set_effective_context'))).toEqual([2, 0, 0])
    expect(statuses(calls(lines, 'get_header'))).toEqual([1, 0])
  })
})

describe('a client that leaves', () => {
  it('ends its contexts at once, and the upstream hears of it', async () => {
    const { host, leave, playedA, playedB, answer, ioA } = await pair([
      { call: 'continue_request' },
    ])
    leave.abort()
    await settled()
    expect(ioA.gone).toBe(true)
    expect(host.pool.contexts).toBe(2)
    expect(on(host.lines(), 'delete')).toHaveLength(1)
    answer.resolve(reply(200))
    await Promise.all([playedA, playedB])
    expect(host.pool.contexts).toBe(1)
  })

  it('does not keep another from its answer: the call still ends', async () => {
    const { leave, playedB, answer } = await pair([{ call: 'continue_request' }])
    leave.abort()
    answer.resolve(reply(200))
    expect((await playedB).body).toBe('ok')
  })

  it('and whose call never ends does not leave the other hanging', async () => {
    const time = new FakeTime()
    let left = false
    const { leave, playedB, host } = await pair([{ call: 'continue_request' }], {
      ports: {
        clock: time.clock,
        timers: {
          // the timer of A's call: those of a request that has ended never ring
          after: (ms, ring) => time.timers.after(ms, () => void ((left && ms === 1_000) || ring())),
        },
      },
      callout: () => new Promise(() => undefined),
    })
    leave.abort()
    left = true
    await time.advance(1_300)
    expect((await playedB).body).toBe('ok')
    expect(on(host.lines(), 'http_call_response')).toMatchObject([{ num_headers: 0 }])
    expect(calls(host.lines(), 'set_effective_context').at(-1)).toMatchObject({ status: 2 })
  })

  it('before its request began reaches no plugin as a stream', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    const { sent } = await playPlugins(host, [plugin], {
      request: at('/', { signal: AbortSignal.abort() }),
    })
    expect(sent).toBeUndefined()
    expect(on(host.lines(), 'request_headers')).toEqual([])
    expect(plugin.streams).toBe(0)
  })

  it('while the upstream is slow does not make the stream fail', async () => {
    const leave = new AbortController()
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    let aborted = false
    const answered = host.send([plugin], {
      request: at('/', { signal: leave.signal }),
      upstream: ({ abort }) =>
        new Promise((_, reject) => {
          abort.signal.addEventListener('abort', () => {
            aborted = true
            reject(new Error('given up'))
          })
        }),
    })
    await settled()
    leave.abort()
    await answered
    expect([aborted, host.pool.contexts]).toEqual([true, 1])
  })

  it('in the middle of a body ends the stream', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    const response = await host.send([plugin], {
      upstream: () =>
        new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9)) })),
    })
    const reader = response.body?.getReader()
    await reader?.read()
    expect(host.pool.contexts).toBe(2)
    await reader?.cancel()
    expect([host.pool.contexts, plugin.streams]).toEqual([1, 0])
  })

  it('in the middle of sending its body gets no stream that hangs', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    const request = new Request('http://a.example/', {
      method: 'POST',
      headers: { 'content-length': '10' },
      body: new ReadableStream({ pull: (c) => c.error(new Error('connection lost')) }),
      duplex: 'half',
    } as RequestInit)
    const { response } = await playPlugins(host, [plugin], { request })
    expect([response.status, host.pool.contexts]).toEqual([400, 1])
  })
})

describe('slow bodies', () => {
  /** Sends its first chunk and then nothing. */
  const stalled = (): ReadableStream =>
    new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([97])) })

  it('do not keep a plugin from answering', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [callout(), PAUSE],
        request_body: [PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'local_reply', status: 403, body: 'denied' },
        ],
      }),
      allowOnHeadersStopIteration: true,
    })
    const played = playPlugins(host, [plugin], {
      request: new Request('http://a.example/', {
        method: 'POST',
        body: stalled(),
        duplex: 'half',
      } as RequestInit),
    })
    await settled()
    answer.resolve(reply(403))
    expect((await played).body).toBe('denied')
  })

  it('that are answered while they are under way break off at the upstream, never look whole', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_body: [{ call: 'local_reply', status: 403, body: 'denied', if: { nth: 2 } }],
      }),
    })
    let upstream: Promise<unknown> | undefined
    const response = await host.send([plugin], {
      request: post(['a', 'b', 'c']),
      upstream: async ({ body }) => {
        upstream = new Response(body).text()
        await upstream
        return new Response('never')
      },
    })
    expect([response.status, await response.text()]).toEqual([403, 'denied'])
    await expect(upstream).rejects.toThrow('answered before its body had ended')
  })

  it('may be still on their way when the response begins', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    let feed: ReadableStreamDefaultController | undefined
    let received: Promise<string> | undefined
    const io = requestIo()
    const response = await host.send([plugin], {
      io,
      request: new Request('http://a.example/', {
        method: 'POST',
        body: new ReadableStream({ start: (c) => void (feed = c) }),
        duplex: 'half',
      } as RequestInit),
      upstream: ({ body }) => {
        received = new Response(body).text()
        return new Response('early', { headers: { 'content-length': '5' } })
      },
    })
    expect(await response.text()).toBe('early')
    feed?.enqueue(new TextEncoder().encode('late'))
    feed?.close()
    expect(await received).toBe('late')
    await Promise.all(io.waiting)
    expect(host.pool.contexts).toBe(1)
  })

  it('that the upstream never takes do not keep the stream for ever', async () => {
    const time = new FakeTime()
    const host = machine({ ports: { clock: time.clock, timers: time.timers } })
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    const io = requestIo()
    const response = await host.send([plugin], {
      io,
      request: new Request('http://a.example/', {
        method: 'POST',
        body: stalled(),
        duplex: 'half',
      } as RequestInit),
      upstream: () => new Response('early', { headers: { 'content-length': '5' } }),
    })
    expect([await response.text(), host.pool.contexts]).toEqual(['early', 2])
    await time.advance(30_000)
    expect([host.pool.contexts, plugin.streams, time.pending]).toEqual([1, 0, 0])
    await Promise.all(io.waiting)
  })

  it('of the upstream that break off are a broken body, or a bad gateway before the headers', async () => {
    const broken = (): Response =>
      new Response(new ReadableStream({ pull: (c) => c.error(new Error('upstream reset')) }), {
        headers: { 'content-length': '10' },
      })
    const host = machine()
    const reads = await host.plugin({ module: probe(), configuration: script({}) })
    const response = await host.send([reads], { upstream: broken })
    await expect(response.text()).rejects.toThrow()
    const holds = await host.plugin({
      module: probe(),
      configuration: script({ response_headers: [PAUSE] }),
      allowOnHeadersStopIteration: true,
    })
    expect((await host.send([holds], { upstream: broken })).status).toBe(502)
    expect(host.pool.contexts).toBe(2)
  })
})
