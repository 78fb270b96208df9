/** Ticks while requests are under way, and that nothing of them stays when there is none. */
import { describe, expect, it } from 'vitest'
import { FakeTime, settled } from '../support/fake-time.ts'
import { type Machine, machine, probe, script } from '../support/machine.ts'

const TICK_MS = 100

function ticking(period = TICK_MS): string {
  return script({
    configure: [{ call: 'set_tick_period', ms: period }],
    tick: [{ call: 'nothing' }],
  })
}

function ticks(m: Machine): number {
  return m.lines().filter(({ on }) => on === 'tick').length
}

/** A request that waits for its upstream until `answer` is called. */
function waiting(
  m: Machine,
  plugins: Parameters<Machine['send']>[0],
  signal?: AbortSignal,
): { readonly response: Promise<Response>; readonly answer: () => void } {
  const { promise, resolve } = Promise.withResolvers<Response>()
  const request = new Request('http://shop.example/', signal ? { signal } : {})
  const response = m.send(plugins, { request, upstream: () => promise })
  return { response, answer: () => resolve(new Response('ok')) }
}

function withTime(options: Parameters<typeof machine>[0] = {}): { m: Machine; time: FakeTime } {
  const time = new FakeTime()
  return {
    time,
    m: machine({ ...options, ports: { clock: time.clock, timers: time.timers, ...options.ports } }),
  }
}

describe('ticks', () => {
  it('run when they are due while a request waits for its upstream', async () => {
    const { m, time } = withTime()
    const plugin = await m.plugin({ module: probe('headers-only'), configuration: ticking() })
    const { response, answer } = waiting(m, [plugin])
    await time.advance(TICK_MS * 5 + 50)
    expect(ticks(m)).toBe(5)
    answer()
    expect((await response).status).toBe(200)
    expect(time.pending).toBe(0)
    await time.advance(TICK_MS * 10)
    expect(ticks(m)).toBe(5)
  })

  it('that were missed are run once, by the next request', async () => {
    const { m, time } = withTime()
    const plugin = await m.plugin({ module: probe('headers-only'), configuration: ticking() })
    await m.send([plugin])
    await time.advance(TICK_MS * 50)
    expect(ticks(m)).toBe(0)
    await m.send([plugin])
    expect(ticks(m)).toBe(1)
  })

  it('of many requests at once are not more, nor are the timers', async () => {
    const { m, time } = withTime()
    const plugin = await m.plugin({ module: probe('headers-only'), configuration: ticking() })
    const requests = Array.from({ length: 100 }, () => waiting(m, [plugin]))
    await settled()
    expect(time.pending).toBeLessThanOrEqual(8)
    await time.advance(TICK_MS * 3 + 50)
    expect(ticks(m)).toBe(3)
    for (const { answer } of requests) answer()
    await Promise.all(requests.map(({ response }) => response))
    expect(time.pending).toBe(0)
  })

  it('cost no timer when no plugin wants them, or none any more', async () => {
    const { m, time } = withTime()
    const silent = await m.plugin({ module: probe('headers-only'), configuration: script({}) })
    const off = await m.plugin({
      name: 'off',
      module: probe('headers-only'),
      configuration: script({
        configure: [
          { call: 'set_tick_period', ms: TICK_MS },
          { call: 'set_tick_period', ms: 0 },
        ],
      }),
    })
    const { response, answer } = waiting(m, [silent, off])
    await settled()
    expect([m.pool.ticks.wanted, time.pending]).toEqual([false, 0])
    answer()
    await response
  })

  it('end with a trap, and with the client', async () => {
    const { m, time } = withTime()
    const traps = await m.plugin({
      module: probe('headers-only'),
      failStrategy: 'FAIL_OPEN',
      configuration: script({
        configure: [{ call: 'set_tick_period', ms: TICK_MS }],
        tick: [{ call: 'trap', kind: 'unreachable' }],
      }),
    })
    const first = waiting(m, [traps])
    await time.advance(TICK_MS * 3)
    expect([traps.counts.traps, m.pool.ticks.wanted, time.pending]).toEqual([1, false, 0])
    first.answer()
    expect((await first.response).status).toBe(200)

    const gone = new AbortController()
    const plugin = await m.plugin({ name: 'ticks', module: probe(), configuration: ticking() })
    const second = waiting(m, [plugin], gone.signal)
    await time.advance(TICK_MS + 50)
    gone.abort()
    await settled()
    expect(time.pending).toBe(0)
    second.answer()
    await second.response.catch(() => undefined)
  })

  it('go on after the response while a callout is under way, and no longer', async () => {
    const reply = Promise.withResolvers<{ failure: 'reset' }>()
    const { m, time } = withTime({ callout: () => reply.promise })
    const plugin = await m.plugin({
      module: probe('headers-only'),
      configuration: script({
        configure: [{ call: 'set_tick_period', ms: TICK_MS }],
        tick: [{ call: 'nothing' }],
        request_headers: [
          {
            call: 'http_call',
            upstream: 'authz',
            timeout_ms: 10_000,
            headers: [
              [':method', 'GET'],
              [':path', '/'],
              [':authority', 'authz'],
            ],
          },
        ],
      }),
    })
    expect((await m.send([plugin])).status).toBe(200)
    await time.advance(TICK_MS * 4 + 50)
    expect(ticks(m)).toBe(4)
    reply.resolve({ failure: 'reset' })
    await time.advance(TICK_MS * 10)
    expect(ticks(m)).toBe(4)
    expect(time.pending).toBe(0)
  })
})
