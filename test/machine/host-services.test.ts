import { describe, expect, it } from 'vitest'
import { InMemoryMetrics } from '../../src/proxy-wasm/in-memory/metrics.ts'
import type { ForeignFunction } from '../../src/proxy-wasm/index.ts'
import { FakeTime } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import { calls, during, on, play, playPlugins, statuses, type Steps } from '../support/play.ts'

describe('metrics', () => {
  it('count, set and observe; what a type cannot do is refused', async () => {
    const metrics = new InMemoryMetrics()
    const { lines } = await play(
      {
        configure: [
          { call: 'metric_define', type: 'counter', name: 'requests', save: 'c' },
          { call: 'metric_define', type: 'gauge', name: 'open', save: 'g' },
          { call: 'metric_define', type: 'histogram', name: 'size', save: 'h' },
          { call: 'metric_define', type: 3, name: 'none' },
          { call: 'metric_define', type: 'counter', name: 'requests' },
        ],
        request_headers: [
          { call: 'metric_increment', metric: { saved: 'c' }, value: 2 },
          { call: 'metric_increment', metric: { saved: 'c' }, value: 0 },
          { call: 'metric_record', metric: { saved: 'c' }, value: 3 },
          { call: 'metric_get', metric: { saved: 'c' } },
          { call: 'metric_record', metric: { saved: 'g' }, value: 7 },
          { call: 'metric_increment', metric: { saved: 'g' }, value: -9 },
          { call: 'metric_get', metric: { saved: 'g' } },
          { call: 'metric_record', metric: { saved: 'h' }, value: 100 },
          { call: 'metric_increment', metric: { saved: 'h' } },
          { call: 'metric_get', metric: { saved: 'h' } },
          { call: 'metric_increment', metric: 4444 },
          { call: 'metric_record', metric: 4444 },
          { call: 'metric_get', metric: 4444 },
        ],
      },
      { ports: { metrics } },
    )
    const defined = calls(lines, 'metric_define')
    expect(statuses(defined)).toEqual([0, 0, 0, 2, 0])
    expect(defined[4]?.['metric']).toBe(defined[0]?.['metric'])
    expect(statuses(during(lines, 'request_headers'))).toEqual([
      0, 2, 0, 0, 0, 0, 0, 0, 2, 2, 1, 1, 1,
    ])
    expect(metrics.snapshot()).toMatchObject([
      { type: 'counter', name: 'requests', value: 5 },
      { type: 'gauge', name: 'open', value: -2 },
      { type: 'histogram', name: 'size', count: 1 },
    ])
  })

  it('are shared by vms and outlive them', async () => {
    const host = machine()
    const steps: Steps = {
      request_headers: [
        { call: 'metric_define', type: 'counter', name: 'n', save: 'm' },
        { call: 'metric_increment', metric: { saved: 'm' } },
        { call: 'metric_get', metric: { saved: 'm' } },
      ],
    }
    const one = await host.plugin({ name: 'one', module: probe(), configuration: script(steps) })
    const two = await host.plugin({ name: 'two', module: probe(), configuration: script(steps) })
    await playPlugins(host, [one])
    one.retire()
    await playPlugins(host, [two])
    expect(calls(host.lines(), 'metric_get').map((line) => line['value'])).toEqual([1, 2])
  })
})

describe('shared data', () => {
  const get = { call: 'shared_data_get', key: 'k' }
  const set = (value: string, cas: unknown = 0): unknown => ({
    call: 'shared_data_set',
    key: 'k',
    value,
    cas,
  })

  it('is written, read and compared', async () => {
    const { lines } = await play({
      request_headers: [
        get,
        set('first', 99),
        { ...get, save: 'seen' },
        set('second', { saved: 'seen' }),
        set('third', { saved: 'seen' }),
        get,
        set(''),
        get,
      ],
    })
    const done = during(lines, 'request_headers')
    expect(statuses(done)).toEqual([1, 0, 0, 0, 8, 0, 0, 0])
    expect([done[2]?.['value'], done[5]?.['value'], done[7]?.['value']]).toEqual([
      'first',
      'second',
      null,
    ])
  })

  it('belongs to the vm id: others with it see it, others without do not, and it outlives its vm', async () => {
    const host = machine()
    const plugin = (name: string, vmId: string, steps: unknown[]) =>
      host.plugin({
        name,
        vmId,
        module: probe(),
        configuration: script({ request_headers: steps }),
      })
    const writer = await plugin('writer', 'x', [set('mine')])
    await playPlugins(host, [writer])
    writer.retire()
    await playPlugins(host, [await plugin('same', 'x', [get]), await plugin('other', 'y', [get])])
    expect(calls(host.lines('same'), 'shared_data_get')).toMatchObject([
      { status: 0, value: 'mine' },
    ])
    expect(calls(host.lines('other'), 'shared_data_get')).toMatchObject([{ status: 1 }])
  })

  it('with bad pointers is 6', async () => {
    const raw = (name: string, args: unknown[]): unknown => ({ call: 'raw', function: name, args })
    const { lines } = await play({
      request_headers: [
        raw('proxy_get_shared_data', [-4, 9, { out: 0 }, { out: 1 }, { out: 2 }]),
        raw('proxy_set_shared_data', [{ ptr: 'k' }, 1, -4, 9, 0]),
        set('v'),
        raw('proxy_get_shared_data', [{ ptr: 'k' }, 1, { out: 0 }, { out: 1 }, -2]),
      ],
    })
    expect(statuses(during(lines, 'request_headers'))).toEqual([6, 6, 0, 6])
  })
})

describe('shared queues', () => {
  it('tell their last registrant once for each item, when no guest runs', async () => {
    const host = machine()
    const reader = await host.plugin({
      name: 'reader',
      vmId: 'readers',
      module: probe(),
      configuration: script({
        configure: [{ call: 'queue_register', name: 'jobs', save: 'q' }],
        queue_ready: [
          { call: 'queue_dequeue', queue: { saved: 'q' } },
          { call: 'queue_dequeue', queue: { saved: 'q' } },
        ],
      }),
    })
    reader.start()
    const writer = await host.plugin({
      name: 'writer',
      vmId: 'writers',
      module: probe(),
      configuration: script({
        request_headers: [
          { call: 'queue_resolve', vm: 'readers', name: 'jobs', save: 'q' },
          { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'one' },
          { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'two' },
          { call: 'nothing' },
          { call: 'queue_resolve', vm: '', name: 'jobs' },
          { call: 'queue_resolve', vm: 'readers', name: 'none' },
          { call: 'queue_enqueue', queue: 999, value: 'x' },
          { call: 'queue_dequeue', queue: 999 },
        ],
      }),
    })
    await playPlugins(host, [writer])
    expect(statuses(during(host.lines('writer'), 'request_headers'))).toEqual([
      0,
      0,
      0,
      undefined,
      1,
      1,
      1,
      1,
    ])
    expect(on(host.lines('reader'), 'queue_ready')).toHaveLength(2)
    const taken = calls(host.lines('reader'), 'queue_dequeue')
    expect(taken.map((line) => [line['status'], line['value']])).toEqual([
      [0, 'one'],
      [0, 'two'],
      [7, undefined],
      [7, undefined],
    ])
    const names = host.lines().map((line) => line.on ?? line.call)
    expect(names.indexOf('queue_ready')).toBeGreaterThan(names.lastIndexOf('queue_resolve'))
  })

  it('of one vm id are found without naming it, and keep items until they are taken', async () => {
    const host = machine()
    const spec = (name: string, steps: Steps) =>
      host.plugin({ name, vmId: 'v', module: probe(), configuration: script(steps) })
    const first = await spec('first', {
      request_headers: [
        { call: 'queue_register', name: 'q', save: 'q' },
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'kept' },
      ],
    })
    await playPlugins(host, [first])
    expect(on(host.lines('first'), 'queue_ready')).toHaveLength(1)
    first.retire()
    const second = await spec('second', {
      request_headers: [
        { call: 'queue_resolve', vm: '', name: 'q', save: 'q' },
        { call: 'queue_dequeue', queue: { saved: 'q' } },
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'for nobody' },
      ],
    })
    await playPlugins(host, [second])
    expect(calls(host.lines('second'), 'queue_dequeue')).toMatchObject([
      { status: 0, value: 'kept' },
    ])
    expect(on(host.lines('second'), 'queue_ready')).toEqual([])
  })
})

describe('foreign functions', () => {
  const reverse: ForeignFunction = (args) => args.toReversed()

  it('are called by name; an unknown one is NOT_FOUND', async () => {
    const answers: Record<string, ForeignFunction> = {
      reverse,
      nothing: () => undefined,
      refuse: () => ({ status: 2 }),
      broken: () => {
        throw new Error('a bug of the embedder')
      },
    }
    const { lines } = await play(
      {
        request_headers: [
          { call: 'foreign', function: 'reverse', argument: 'abc' },
          { call: 'foreign', function: 'reverse', argument: 'abc', discard: true },
          { call: 'foreign', function: 'nothing' },
          { call: 'foreign', function: 'refuse' },
          { call: 'foreign', function: 'broken' },
          { call: 'foreign', function: 'unheard-of' },
        ],
      },
      { ports: { foreignFunctions: { find: (name) => answers[name] } } },
    )
    const done = during(lines, 'request_headers')
    expect(statuses(done)).toEqual([0, 0, 0, 2, 10, 1])
    expect(done[0]).toMatchObject({ value: 'cba', size: 3 })
    expect(done[2]).toMatchObject({ value: null })
  })
})

describe('log and time', () => {
  it('logs with its context; an unknown level is BadArgument', async () => {
    const { host, lines } = await play(
      {
        request_headers: [
          { call: 'log', level: 4, message: 'from the stream' },
          { call: 'log', level: 6, message: 'no' },
          { call: 'raw', function: 'proxy_log', args: [2, -4, 9] },
          { call: 'set_effective_context', root: true },
          { call: 'log', level: 3, message: 'from the root' },
        ],
      },
      { plugin: { name: 'logger', rootId: 'r', vmId: 'v' } },
    )
    expect(statuses(calls(lines, 'log'))).toEqual([0, 2, 0])
    expect(statuses(calls(lines, 'raw'))).toEqual([6])
    const said = host.logs.filter((entry) => entry.message.startsWith('from'))
    expect(said).toEqual([
      {
        level: 4,
        message: 'from the stream',
        plugin: 'logger',
        rootId: 'r',
        vmId: 'v',
        contextId: 2,
      },
      {
        level: 3,
        message: 'from the root',
        plugin: 'logger',
        rootId: 'r',
        vmId: 'v',
        contextId: 0,
      },
    ])
  })

  it('drops what is below the level that it tells', async () => {
    const seen: string[] = []
    const port = { level: 3, log: ({ message }: { message: string }) => void seen.push(message) }
    await play(
      {
        request_headers: [
          { call: 'log', level: 2, message: 'quiet' },
          { call: 'log', level: 3, message: 'loud' },
        ],
      },
      { ports: { log: port as never } },
    )
    expect(seen).toEqual(['loud'])
  })

  it('has the time of its clock', async () => {
    const time = new FakeTime()
    const { lines } = await play(
      {
        request_headers: [
          { call: 'time' },
          { call: 'clock', clock: 0 },
          { call: 'clock', clock: 1 },
        ],
      },
      { ports: { clock: time.clock, timers: time.timers } },
    )
    expect(during(lines, 'request_headers').map((line) => String(line['nanoseconds']))).toEqual([
      String(time.clock.realtime()),
      String(time.clock.realtime()),
      '0',
    ])
  })
})
