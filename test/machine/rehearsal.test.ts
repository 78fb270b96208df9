/** A plugin that starts in a vm where others run is tried in one of its own first. */
import { describe, expect, it } from 'vitest'
import { type HttpCallOutcome, runIn, standaloneIo } from '../../src/proxy-wasm/index.ts'
import { InMemoryMetrics } from '../../src/proxy-wasm/in-memory/metrics.ts'
import { deferred, settled } from '../support/fake-time.ts'
import { machine, type MachineOptions, probe, script } from '../support/machine.ts'
import {
  callout,
  calls,
  on,
  PAUSE,
  playPlugins,
  reply,
  statuses,
  type Steps,
} from '../support/play.ts'

const TRAP = { call: 'trap', kind: 'unreachable' }

/** A plugin with a stream that waits, and a new configuration of it. */
async function swapping(configure: readonly unknown[], options: MachineOptions = {}) {
  const answer = deferred<HttpCallOutcome>()
  const host = machine({ callout: () => answer.promise, ...options })
  const plugin = (steps: Steps) => host.plugin({ module: probe(), configuration: script(steps) })
  const old = await plugin({
    configure: [
      { call: 'shared_data_set', key: 'known', value: 'yes' },
      { call: 'queue_register', name: 'queue' },
    ],
    request_headers: [callout(), PAUSE],
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
    ],
    queue_ready: [{ call: 'queue_dequeue', queue: 1 }],
  })
  const fresh = await plugin({ configure })
  const waiting = playPlugins(host, [old])
  await settled()
  const finish = async (): Promise<string> => (answer.resolve(reply(200)), (await waiting).body)
  return { host, old, fresh, finish }
}

describe('another configuration in the vm of a plugin that runs', () => {
  it('over which the guest traps is refused, and no stream of the running one hears of it', async () => {
    const { host, old, fresh, finish } = await swapping([TRAP])
    expect(() => fresh.start()).toThrow(/trapped in proxy_on_configure/)
    expect([old.state, old.streams, host.pool.size, fresh.state]).toEqual([
      'running',
      1,
      1,
      'failed',
    ])
    expect(host.logs.filter(({ message }) => message.includes('trapped'))).toHaveLength(1)
    expect(await finish()).toBe('ok')
  })

  it('that it refuses is refused there, and not deleted where the running one is', async () => {
    const refusing = [{ call: 'log', message: 'because' }, { call: 'return_false' }]
    const { host, old, finish } = await swapping([])
    const fresh = await host.plugin({
      module: probe(),
      configuration: script({ configure: refusing, delete: [TRAP] }),
    })
    expect(() => fresh.start()).toThrow(/answered false in proxy_on_configure/)
    expect([old.state, host.pool.contexts]).toEqual(['running', 2])
    // the log says why, once
    expect(host.logs.filter(({ message }) => message === 'because')).toHaveLength(1)
    expect(await finish()).toBe('ok')
  })

  it('is tried without trace: what it logs, counts, writes, calls and enqueues happens once', async () => {
    const metrics = new InMemoryMetrics()
    const { host, fresh, finish } = await swapping(
      [
        { call: 'metric_define', type: 'counter', name: 'starts', save: 'starts' },
        { call: 'metric_increment', metric: { saved: 'starts' } },
        { call: 'shared_data_get', key: 'known', save: 'known' },
        { call: 'shared_data_set', key: 'known', value: 'written', cas: { saved: 'known' } },
        { call: 'queue_resolve', vm: '', name: 'queue', save: 'queue' },
        { call: 'queue_enqueue', queue: { saved: 'queue' }, value: 'item' },
        callout(),
      ],
      { ports: { metrics } },
    )
    const before = host.calls.length
    runIn(standaloneIo(), () => fresh.start())
    const made = host.lines().filter((line) => line.call && line['context'] === 3)
    expect(statuses(made)).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(host.calls.length - before).toBe(1)
    expect(metrics.snapshot()).toMatchObject([{ name: 'starts', value: 1 }])
    // the first registrant is still who hears of the item, and of one alone
    expect(on(host.lines(), 'queue_ready')).toMatchObject([{ context: 1 }])
    expect(calls(host.lines(), 'queue_dequeue')).toMatchObject([{ status: 0, value: 'item' }])
    expect(await finish()).toBe('ok')
  })
})

it('a plugin that is alone in its vm starts there at once', async () => {
  let asked = 0
  const fill = (bytes: Uint8Array): void => void (bytes.length === 7 && asked++)
  const host = machine({ ports: { random: { fill } } })
  const steps = { configure: [{ call: 'random', size: 7 }] }
  const first = await host.plugin({ module: probe(), configuration: script(steps) })
  first.start()
  expect(asked).toBe(1)
  const second = await host.plugin({
    module: probe(),
    configuration: script({ ...steps, log: [] }),
  })
  second.start()
  expect(asked).toBe(3)
})
