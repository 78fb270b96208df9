/** A log-only plugin that waits: nothing waits for it, and what it waits for is told when it comes. */
import { describe, expect, it, vi } from 'vitest'
import type { HttpCallOutcome } from '../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../support/fake-time.ts'
import { logOnly, world } from '../support/log-only.ts'
import { callout, calls, on, PAUSE, post, reply, type Steps } from '../support/play.ts'

describe('a pause of a log-only plugin', () => {
  const RESUMES: Steps = {
    request_headers: [callout(), PAUSE],
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: 'local_reply', status: 403, if: { path: '/deny' } },
      { call: 'continue_request', if: { path: '/' } },
    ],
    response_headers: [{ call: 'get_header', name: ':status' }],
  }
  const to = (path: string): Request => new Request(`http://shop.example${path}`)

  it('holds nothing; what its callout brings is told when it comes, also behind the request', async () => {
    const time = new FakeTime()
    const answer = deferred<HttpCallOutcome>()
    const w = world({
      callout: () => answer.promise,
      ports: { clock: time.clock, timers: time.timers },
    })
    const { response, body } = await w.play([logOnly(RESUMES)], { request: to('/') })
    expect([response.status, body, w.told]).toEqual([200, 'ok', []])
    // the upstream's answer comes to the plugin when it has let go of the request
    expect(on(w.host.lines(), 'response_headers')).toEqual([])
    time.pass(300)
    answer.resolve(reply(200))
    await settled()
    await Promise.all(w.background)
    expect(w.told).toEqual([
      { by: 'p1', class: 'paused', details: 'request', ms: 300, resumed: true },
    ])
    expect(calls(w.host.lines(), 'get_header')).toMatchObject([{ value: '200' }])
    expect(w.host.pool.contexts).toBe(1)
  })

  it('that ends with an answer is told with it', async () => {
    const w = world({ callout: async () => reply(200) })
    const { response } = await w.play([logOnly(RESUMES)], { request: to('/deny') })
    await Promise.all(w.background)
    expect(response.status).toBe(200)
    expect(w.told.map((one) => one.class)).toEqual(['local-reply', 'paused'])
    expect(w.host.pool.contexts).toBe(1)
  })

  it('without end is told at the end of the request, when nothing could end it', async () => {
    const w = world()
    const { response, sent } = await w.play(
      [logOnly({ request_headers: [PAUSE], request_body: [] })],
      {
        request: post(['a', 'b']),
      },
    )
    expect([response.status, sent?.body]).toEqual([200, 'ab'])
    expect(w.told).toMatchObject([{ class: 'paused', details: 'request', resumed: false }])
    expect([w.host.pool.lingering, w.host.pool.contexts]).toEqual([0, 1])
  })

  it('on a callout that is never answered is given up after ten seconds', async () => {
    const time = new FakeTime()
    const w = world({
      callout: () => new Promise(() => {}),
      ports: { clock: time.clock, timers: time.timers },
    })
    const steps: Steps = { request_headers: [callout({ timeout_ms: 60_000 }), PAUSE] }
    const played = w.play([logOnly(steps)])
    expect((await played).response.status).toBe(200)
    expect([w.host.pool.contexts, w.host.pool.lingering]).toEqual([2, 1])
    await time.advance(10_100)
    expect(w.told).toMatchObject([{ class: 'paused', resumed: false }])
    expect([w.host.pool.contexts, w.host.pool.lingering]).toEqual([1, 0])
  })

  it('ends with a client that leaves', async () => {
    const w = world({ callout: () => new Promise(() => {}) })
    const abort = new AbortController()
    const request = new Request('http://shop.example/', { signal: abort.signal })
    const upstream = deferred<Response>()
    const played = w.play([logOnly({ request_headers: [callout(), PAUSE] })], {
      request,
      response: () => upstream.promise,
    })
    await vi.waitUntil(() => w.host.pool.contexts === 2)
    abort.abort()
    await settled()
    expect([w.host.pool.contexts, w.host.pool.lingering]).toEqual([1, 0])
    upstream.resolve(new Response('late'))
    await played.catch(() => undefined)
  })

  it('in front of more body than it may hold makes it blind, and the body goes on', async () => {
    const w = world()
    const limits = { bodyBytes: 10 }
    const buffering = logOnly({ request_body: [PAUSE] }, { limits, name: 'buffers' })
    const watermark = logOnly(
      { request_body: [{ call: 'return', action: 2 }] },
      { limits, name: 'marks' },
    )
    const { response, sent } = await w.play([buffering, watermark], {
      request: post(['12345678', '12345678', '12345678', '12345678']),
    })
    expect([response.status, sent?.body.length]).toEqual([200, 32])
    expect(w.told.find(({ by }) => by === 'buffers')).toMatchObject({
      class: 'local-reply',
      status: 413,
      details: 'request_payload_too_large',
    })
    expect(w.told.filter(({ by }) => by === 'marks').map((one) => one.class)).toContain('unseen')
  })
})

describe('callouts of a log-only plugin', () => {
  const CALL: Steps = {
    request_headers: [callout(), PAUSE],
    http_call_response: [
      { call: 'get_header', map: 'call', name: ':status' },
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
    ],
  }

  it('are made', async () => {
    const w = world({ callout: async () => reply(204) })
    await w.play([logOnly(CALL)])
    await Promise.all(w.background)
    expect(w.host.calls).toHaveLength(1)
    expect(calls(w.host.lines(), 'get_header')).toMatchObject([{ value: '204' }])
  })

  it('are not made where they are blocked: each fails as if nobody could be reached', async () => {
    const w = world({ callout: async () => reply(204) })
    await w.play([logOnly(CALL, { logOnly: { callouts: 'block' } })])
    await Promise.all(w.background)
    await settled()
    expect(w.host.calls).toEqual([])
    expect(calls(w.host.lines(), 'get_header')).toMatchObject([{ value: '503' }])
  })

  it('that are blocked, and made again whenever one has failed, come to an end', async () => {
    const w = world()
    // what comes back comes to the root context, which no request's allowance holds
    const again = { request_headers: [callout()], http_call_response: [callout()] }
    const { response } = await w.play([logOnly(again, { logOnly: { callouts: 'block' } })])
    await Promise.all(w.background)
    await settled()
    expect(response.status).toBe(200)
    const made = calls(w.host.lines(), 'http_call').map(({ status }) => status)
    // the one that is refused has no answer
    expect(made).toHaveLength(101)
    expect(made.slice(-2)).toEqual([0, 10])
  })

  it('of gRPC that are blocked end as unavailable', async () => {
    const w = world({
      ports: {
        grpcCalls: {
          declares: (_, upstream) => upstream === 'authz',
          start: () => {
            throw new Error('a call has left')
          },
        },
      },
    })
    const grpc = { call: 'grpc_call', service: 's.S', method: 'M', message: 'x' }
    await w.play([
      logOnly(
        {
          request_headers: [{ ...grpc, upstream: 'authz' }, { ...grpc, upstream: 'nobody' }, PAUSE],
          grpc_close: [{ call: 'get_status' }],
        },
        { logOnly: { callouts: 'block' } },
      ),
    ])
    await settled()
    const lines = w.host.lines()
    expect(calls(lines, 'grpc_call').map(({ status }) => status)).toEqual([0, 4])
    expect(calls(lines, 'get_status')).toMatchObject([{ code: 14 }])
  })
})
