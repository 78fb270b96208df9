import { describe, expect, it } from 'vitest'
import { FakeTime } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import { callout, calls, on, PAUSE, playPlugins, reply, type Steps } from '../support/play.ts'

describe('ticks', () => {
  const ticking = async (steps: Steps, options: object = {}) => {
    const time = new FakeTime()
    const host = machine({ ports: { clock: time.clock, timers: time.timers } })
    const plugin = await host.plugin({ module: probe(), configuration: script(steps), ...options })
    const ticks = async (ms: number): Promise<number> => {
      time.pass(ms)
      await playPlugins(host, [plugin])
      return on(host.lines(), 'tick').length
    }
    return { time, host, plugin, ticks }
  }
  const every = (ms: number): unknown => ({ call: 'set_tick_period', ms })

  it('come when they are due, at the next turn, and are not made up for', async () => {
    const { ticks, host } = await ticking({ configure: [every(100)] })
    expect(await ticks(0)).toBe(0)
    expect(await ticks(99)).toBe(0)
    expect(await ticks(1)).toBe(1)
    expect(await ticks(1_000)).toBe(2)
    expect(await ticks(50)).toBe(2)
    expect(on(host.lines(), 'tick')).toMatchObject([{ context: 1 }, { context: 1 }])
  })

  it('come before the callbacks of the turn', async () => {
    const { ticks, host } = await ticking({ configure: [every(10)] })
    await ticks(0)
    await ticks(20)
    const names = host.lines().flatMap((line) => line.on ?? [])
    expect(names.slice(names.indexOf('tick'), names.indexOf('tick') + 2)).toEqual([
      'tick',
      'create',
    ])
  })

  it('stop with period 0, change with another, and may be set by a stream', async () => {
    const { ticks } = await ticking({
      request_headers: [{ ...(every(100) as object), if: { total: 1 } }],
      tick: [
        { ...(every(300) as object), if: { total: 1 } },
        { ...(every(0) as object), if: { total: 2 } },
      ],
    })
    await ticks(0)
    expect(await ticks(100)).toBe(1)
    expect(await ticks(299)).toBe(1)
    expect(await ticks(1)).toBe(2)
    expect(await ticks(10_000)).toBe(2)
  })

  it('wake a paused stream: they may be what lets it go on', async () => {
    const { time, host, plugin } = await ticking(
      {
        configure: [every(200)],
        request_headers: [{ call: 'remember_context', as: 'held' }, PAUSE],
        tick: [{ call: 'set_effective_context', remembered: 'held' }, { call: 'continue_request' }],
      },
      { limits: { pauseMs: 60_000 } },
    )
    const played = playPlugins(host, [plugin])
    await time.advance(300)
    expect((await played).body).toBe('ok')
  })

  it('may make callouts, in the I/O context of the turn, whose replies come to the root', async () => {
    const time = new FakeTime()
    const host = machine({
      ports: { clock: time.clock, timers: time.timers },
      callout: async () => reply(204),
    })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        configure: [every(10)],
        tick: [callout({ if: { total: 1 } })],
        http_call_response: [{ call: 'get_header', name: ':status' }],
      }),
    })
    const waiting: Promise<unknown>[] = []
    await playPlugins(host, [plugin])
    time.pass(20)
    const io = { gone: false, waitUntil: (promise: Promise<unknown>) => void waiting.push(promise) }
    await playPlugins(host, [plugin], { io })
    await Promise.all(waiting)
    expect(waiting).toHaveLength(1)
    expect(on(host.lines(), 'http_call_response')).toMatchObject([{ context: 1 }])
    expect(calls(host.lines(), 'get_header')).toMatchObject([{ status: 0, value: '204' }])
  })

  it('that trap end the vm and follow the fail strategy', async () => {
    const { time, host, plugin } = await ticking({
      configure: [every(10)],
      tick: [{ call: 'trap', kind: 'unreachable' }],
    })
    await playPlugins(host, [plugin])
    time.pass(20)
    expect((await playPlugins(host, [plugin])).response.status).toBe(503)
    expect([plugin.state, host.pool.size]).toEqual(['failed', 0])
  })
})
