import { describe, expect, it } from 'vitest'
import { type HttpCallOutcome, runIn, standaloneIo } from '../../src/proxy-wasm/index.ts'
import { deferred, settled } from '../support/fake-time.ts'
import { machine, type MachineOptions, probe, script } from '../support/machine.ts'
import {
  callbacks,
  callout,
  calls,
  on,
  PAUSE,
  playPlugins,
  reply,
  statuses,
  type Steps,
} from '../support/play.ts'

async function started(steps: Steps = {}, options: MachineOptions = {}, fields: object = {}) {
  const host = machine(options)
  const plugin = await host.plugin({ module: probe(), configuration: script(steps), ...fields })
  runIn(standaloneIo(), () => plugin.start())
  return { host, plugin }
}

const rootCallbacks = (lines: Parameters<typeof callbacks>[0]): string[] => callbacks(lines, 1)

describe('a plugin that is retired', () => {
  it('without streams ends at once: on_done, on_delete, and its vm is closed', async () => {
    const { host, plugin } = await started()
    plugin.retire()
    expect(rootCallbacks(host.lines()).slice(-2)).toEqual(['done', 'delete'])
    expect([plugin.state, host.pool.size, host.pool.contexts]).toEqual(['retired', 0, 0])
  })

  it('twice ends once', async () => {
    const { host, plugin } = await started()
    plugin.retire()
    plugin.retire()
    expect(on(host.lines(), 'delete')).toHaveLength(1)
  })

  it('that never ran ends without a vm', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe() })
    plugin.retire()
    expect([plugin.state, host.pool.size]).toEqual(['retired', 0])
  })

  it('finishes its streams first, then ends once', async () => {
    const answer = deferred<HttpCallOutcome>()
    const { host, plugin } = await started(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request' },
        ],
      },
      { callout: () => answer.promise },
    )
    const first = playPlugins(host, [plugin])
    const second = playPlugins(host, [plugin])
    await settled()
    plugin.retire()
    expect([host.pool.size, plugin.streams]).toEqual([1, 2])
    expect(rootCallbacks(host.lines())).not.toContain('done')
    answer.resolve(reply(200))
    expect([(await first).body, (await second).body]).toEqual(['ok', 'ok'])
    expect([host.pool.size, host.pool.contexts]).toEqual([0, 0])
    expect(rootCallbacks(host.lines()).slice(-2)).toEqual(['done', 'delete'])
    expect(on(host.lines(), 'delete')).toHaveLength(3)
  })

  it('and runs beside its successor while it drains', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const old = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'set_header', map: 'request', name: 'x-ran', value: 'old' },
          { call: 'continue_request' },
        ],
      }),
    })
    const waiting = playPlugins(host, [old])
    await settled()
    const fresh = await host.plugin({
      module: probe(),
      name: 'fresh',
      configuration: script({
        request_headers: [{ call: 'set_header', name: 'x-ran', value: 'fresh' }],
      }),
    })
    fresh.start()
    old.retire()
    expect((await playPlugins(host, [fresh])).sent?.headers.get('x-ran')).toBe('fresh')
    expect(host.pool.size).toBe(2)
    answer.resolve(reply(200))
    expect((await waiting).sent?.headers.get('x-ran')).toBe('old')
    expect(host.pool.size).toBe(1)
  })

  it('and still gets a stream that was planned before serves it, then ends', async () => {
    const { host, plugin } = await started()
    plugin.retire()
    expect((await playPlugins(host, [plugin])).body).toBe('ok')
    expect([host.pool.size, host.pool.contexts]).toEqual([0, 0])
  })

  it('leaves the others of its vm running', async () => {
    const host = machine()
    const shared = { module: probe(), shareVm: true, vmConfiguration: script({}) }
    const one = await host.plugin({ ...shared, name: 'one', configuration: script({}) })
    const two = await host.plugin({ ...shared, name: 'two', configuration: script({}) })
    one.start()
    two.start()
    one.retire()
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
    expect((await playPlugins(host, [two])).body).toBe('ok')
    two.retire()
    expect([host.pool.size, host.pool.contexts]).toEqual([0, 0])
  })

  it('whose guest traps while it ends is gone all the same', async () => {
    const { host, plugin } = await started({ done: [{ call: 'trap', kind: 'unreachable' }] })
    plugin.retire()
    expect([plugin.state, host.pool.size, host.pool.contexts]).toEqual(['retired', 0, 0])
  })

  it('is not told of its callouts any more', async () => {
    const answer = deferred<HttpCallOutcome>()
    const { host, plugin } = await started(
      { configure: [callout()] },
      { callout: () => answer.promise },
      {},
    )
    expect(statuses(calls(host.lines(), 'http_call'))).toEqual([0])
    plugin.retire()
    answer.resolve(reply(200))
    await settled()
    expect(on(host.lines(), 'http_call_response')).toEqual([])
  })
})

describe('a guest that is not done yet', () => {
  const later: Steps = {
    done: [
      { call: 'return_false', if: { root: true } },
      { ...(callout() as object), if: { root: true } },
    ],
  }

  it('keeps its vm until it calls proxy_done', async () => {
    const answer = deferred<HttpCallOutcome>()
    const { host, plugin } = await started(
      { ...later, http_call_response: [{ call: 'done' }, { call: 'done' }, { call: 'nothing' }] },
      { callout: () => answer.promise },
    )
    // a root context has its calls in some request's I/O context
    runIn(standaloneIo(), () => plugin.retire())
    expect([host.pool.size, rootCallbacks(host.lines()).at(-1)]).toEqual([1, 'done'])
    answer.resolve(reply(200))
    await settled()
    expect(statuses(calls(host.lines(), 'done'))).toEqual([0, 1])
    // deleted when the callback has returned, not inside of it
    const names = host.lines().map((line) => line.on ?? line.call)
    expect(names.slice(-2)).toEqual(['nothing', 'delete'])
    expect(host.pool.size).toBe(0)
  })

  it('may say so inside of on_done', async () => {
    const { host, plugin } = await started({
      done: [{ call: 'done', if: { root: true } }, { call: 'return_false' }],
    })
    plugin.retire()
    expect(statuses(calls(host.lines(), 'done'))).toEqual([0])
    expect([on(host.lines(), 'delete').length, host.pool.size]).toEqual([1, 0])
  })

  it('proxy_done without a shutdown is NOT_FOUND, on a stream too', async () => {
    const { host, plugin } = await started({
      configure: [{ call: 'done' }],
      request_headers: [{ call: 'done' }],
      done: [{ call: 'return_false', if: { root: false } }],
    })
    await playPlugins(host, [plugin])
    expect(statuses(calls(host.lines(), 'done'))).toEqual([1, 1])
    // what a stream answers to on_done does not count
    expect(callbacks(host.lines(), 2).at(-1)).toBe('delete')
  })
})
