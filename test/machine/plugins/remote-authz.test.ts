import { describe, expect, it } from 'vitest'
import type { HttpCallOutcome } from '../../../src/proxy-wasm/index.ts'
import { FakeTime } from '../../support/fake-time.ts'
import { machine } from '../../support/machine.ts'
import { playPlugins, reply } from '../../support/play.ts'
import { get, playShipped, refusal, shipped } from '../../support/shipped.ts'

const CONFIG = { upstream: 'authz', path: '/check', copy_to_request: ['x-user'] }
const request = (): Request => get('/orders?a=1', { authorization: 'Bearer t', 'x-user': 'forged' })

const play = (outcome: HttpCallOutcome, config: object = {}) =>
  playShipped(
    'remote-authz',
    { ...CONFIG, ...config },
    { request: request(), callout: async () => outcome },
  )

describe('remote-authz', () => {
  it('asks about the request, and lets it pass with what the answer adds', async () => {
    const { response, sent, host } = await play(
      reply(200, '', ['x-user', 'ann', 'x-plan', 'pro']),
      {
        copy_to_response: ['x-plan'],
      },
    )
    const [question] = host.calls
    expect(question).toMatchObject({ plugin: 'remote-authz', upstream: 'authz', timeoutMs: 500 })
    const headers = Object.fromEntries(
      (question?.headers ?? []).flatMap((name, i, all) => (i % 2 ? [] : [[name, all[i + 1]]])),
    )
    expect(headers).toMatchObject({
      ':method': 'GET',
      ':path': '/check',
      ':authority': 'authz',
      'x-original-path': '/orders?a=1',
      'x-original-method': 'GET',
      'x-original-host': 'shop.example',
      authorization: 'Bearer t',
    })
    expect(sent?.headers.get('x-user')).toBe('ann')
    expect([response.status, response.headers.get('x-plan')]).toEqual([200, 'pro'])
  })

  it('never passes on what a client says under those names', async () => {
    expect((await play(reply(204))).sent?.headers.has('x-user')).toBe(false)
  })

  it('denies with the answer it got', async () => {
    const { response, body, sent } = await play(
      reply(403, '{"why":"no"}', ['content-type', 'application/json', 'x-internal', '1']),
    )
    expect([response.status, body, sent]).toEqual([403, '{"why":"no"}', undefined])
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.has('x-internal')).toBe(false)
  })

  it.each([
    [302, 302],
    [401, 401],
    [404, 404],
    [202, 403],
  ])('takes %i for a denial with %i', async (status, expected) => {
    const { response, sent } = await play(reply(status, '', ['location', '/login']))
    expect([response.status, sent]).toEqual([expected, undefined])
  })

  const failures: [string, HttpCallOutcome][] = [
    ['a 500', reply(500)],
    ['a refused connection', { failure: 'connect' }],
    ['a broken exchange', { failure: 'reset' }],
    ['an answer that is too large', { failure: 'too-large' }],
  ]

  it.each(failures)('has no verdict from %s: 503, or as configured', async (_, outcome) => {
    const denied = await play(outcome)
    expect([denied.response.status, denied.sent]).toEqual([503, undefined])
    expect(denied.body).toContain('authz.unavailable')
    expect((await play(outcome, { deny_status_on_failure: 500 })).response.status).toBe(500)
    const allowed = await play(outcome, { on_failure: 'allow' })
    expect([allowed.response.status, allowed.sent?.path]).toEqual([200, '/orders?a=1'])
    expect(allowed.host.logs.some(({ level }) => level === 3)).toBe(true)
  })

  it('has none from an upstream that nobody declared', async () => {
    const { response, sent } = await playShipped('remote-authz', CONFIG, { request: request() })
    expect([response.status, sent]).toEqual([503, undefined])
  })

  it('has none from an upstream that is too slow', async () => {
    const time = new FakeTime()
    const host = machine({
      ports: { clock: time.clock, timers: time.timers },
      callout: () => new Promise(() => undefined),
    })
    const plugin = await shipped(host, 'remote-authz', { ...CONFIG, timeout_ms: 200 })
    const played = playPlugins(host, [plugin], { request: request() })
    await time.advance(201)
    expect((await played).response.status).toBe(503)
    expect([plugin.state, host.pool.contexts]).toEqual(['running', 1])
  })

  it('answers a hundred requests at once, each for itself', async () => {
    const host = machine({
      callout: async ({ headers }) => {
        const path = headers[headers.indexOf('x-original-path') + 1] ?? ''
        return reply(path.endsWith('0') ? 403 : 200, path)
      },
    })
    const plugin = await shipped(host, 'remote-authz', CONFIG)
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const { response } = await playPlugins(host, [plugin], { request: get(`/${i}`) })
        return response.status
      }),
    )
    expect(statuses).toEqual(Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 403 : 200)))
    expect(host.pool.contexts).toBe(1)
  })

  it.each([{}, { upstream: '' }, { ...CONFIG, timeout_ms: 0 }, { ...CONFIG, on_failure: 'maybe' }])(
    'refuses %j',
    async (configuration) => {
      await expect(refusal('remote-authz', configuration)).resolves.toMatch(
        /^plugin\.configure_refused: \S/,
      )
    },
  )
})
