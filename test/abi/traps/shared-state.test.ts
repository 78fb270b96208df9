/** Known traps of the ABI: what plugins share, properties, and the memory that guests do not give back. */
import { describe, expect, it } from 'vitest'
import { type PluginOptions, runIn, standaloneIo } from '../../../src/proxy-wasm/index.ts'
import { FakeTime } from '../../support/fake-time.ts'
import { type Machine, machine, probe, script } from '../../support/machine.ts'
import {
  calls,
  during,
  on,
  play,
  playChain,
  playPlugins,
  statuses,
  type Steps,
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const property = (...path: string[]): object => ({ call: 'get_property', path })
const dataGet = { call: 'shared_data_get', key: 'k' }
const dataSet = (value: string, cas: unknown = 0): object => ({
  call: 'shared_data_set',
  key: 'k',
  value,
  cas,
})

function plugin(host: Machine, name: string, steps: Steps, options: Partial<PluginOptions> = {}) {
  return host.plugin({ module: probe(), name, configuration: script(steps), ...options })
}

describe('shared data', () => {
  it('trap 61: a compare-and-swap of an absent key writes it; nothing removes a key', async () => {
    const { lines } = await play({
      request_headers: [dataSet('made', 99), dataGet, dataSet('no', 99), dataSet(''), dataGet],
    })
    const done = during(lines, 'request_headers')
    expect(statuses(done)).toEqual([0, 0, 8, 0, 0])
    expect([done[1]?.['value'], done[4]?.['value']]).toEqual(['made', null])
    const { said, alive } = await record('rust', [
      'request_headers shared_set k v',
      'request_headers shared_get k',
    ])
    expect([alive, said.includes('shared k = v')]).toEqual([true, true])
  })

  // Envoy forgets it with the last vm of that id; here it is the isolate’s: docs/HOST_DIFFERENCES.md, scope
  it('trap 62: shared data outlives the vm that wrote it: its trap, its end, its successor', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time })
    const steps: Steps = {
      request_headers: [
        dataGet,
        dataSet('written'),
        { call: 'trap', kind: 'unreachable', if: { total: 1 } },
      ],
    }
    const first = await plugin(host, 'first', steps)
    const read = (name: string): unknown[] =>
      calls(host.lines(name), 'shared_data_get').map((line) => line['value'])
    await playPlugins(host, [first])
    time.pass(1_501)
    await playPlugins(host, [first])
    expect(read('first')).toEqual([undefined, 'written'])
    runIn(standaloneIo(), () => first.retire())
    expect(host.pool.size).toBe(0)
    const second = await plugin(host, 'second', { request_headers: [dataGet] })
    const other = await plugin(host, 'other', { request_headers: [dataGet] }, { vmId: 'other' })
    await playPlugins(host, [second, other])
    expect([read('second'), read('other')]).toEqual([['written'], [undefined]])
  })
})

describe('shared queues', () => {
  it('trap 63: an item is told to who registered last, and to nobody else', async () => {
    const host = machine()
    const register = { configure: [{ call: 'queue_register', name: 'jobs' }] }
    const [one, two] = [await plugin(host, 'one', register), await plugin(host, 'two', register)]
    one.start()
    two.start()
    const writer = await plugin(host, 'writer', {
      request_headers: [
        { call: 'queue_resolve', vm: '', name: 'jobs', save: 'jobs' },
        { call: 'queue_enqueue', queue: { saved: 'jobs' }, value: 'x', times: 2 },
      ],
    })
    await playPlugins(host, [writer])
    expect(on(host.lines('one'), 'queue_ready')).toEqual([])
    expect(on(host.lines('two'), 'queue_ready')).toHaveLength(2)
  })

  it('trap 63: an empty vm id is the plugin’s own', async () => {
    const host = machine()
    const steps: Steps = {
      configure: [{ call: 'queue_register', name: 'jobs' }],
      request_headers: [
        { call: 'queue_resolve', vm: '', name: 'jobs' },
        { call: 'queue_resolve', vm: 'a', name: 'jobs' },
      ],
    }
    const [a, b] = [
      await plugin(host, 'a', steps, { vmId: 'a' }),
      await plugin(host, 'b', steps, { vmId: 'b' }),
    ]
    await playPlugins(host, [a, b])
    const found = (name: string): unknown[] =>
      calls(host.lines(name), 'queue_resolve').map((line) => line['queue'])
    const [ownOfA, namedByA] = found('a')
    const [ownOfB, namedByB] = found('b')
    expect([namedByA, namedByB]).toEqual([ownOfA, ownOfA])
    expect(ownOfB).not.toBe(ownOfA)
  })
})

it('trap 65: recording a counter adds to it, and an increment of 0 is BadArgument', async () => {
  const c = { metric: { saved: 'c' } }
  const { lines } = await play({
    request_headers: [
      { call: 'metric_define', type: 'counter', name: 'n', save: 'c' },
      { call: 'metric_record', ...c, value: 3 },
      { call: 'metric_record', ...c, value: 4 },
      { call: 'metric_increment', ...c, value: 0 },
      { call: 'metric_increment', ...c, value: -1 },
      { call: 'metric_get', ...c },
    ],
  })
  const done = during(lines, 'request_headers')
  expect(statuses(done)).toEqual([0, 0, 0, 2, 2, 0])
  expect(done.at(-1)).toMatchObject({ value: 7 })
})

describe('properties', () => {
  it('trap 66: integers are eight bytes, little-endian; a bool is one', async () => {
    const host = machine()
    const reader = await plugin(host, 'reader', {
      response_headers: [
        property('response', 'code'),
        property('source', 'port'),
        property('connection', 'mtls'),
        property('request', 'path'),
      ],
    })
    await host.send([reader], {
      info: { sourcePort: 0x1234, mtls: true },
      upstream: () => new Response(null, { status: 404 }),
    })
    expect(during(host.lines(), 'response_headers').map((line) => line['value'])).toEqual([
      '\u0094\u0001\0\0\0\0\0\0',
      '\u0034\u0012\0\0\0\0\0\0',
      '\u0001',
      '/items?page=2',
    ])
  })

  // Envoy: NotFound, as the headers have gone: docs/HOST_DIFFERENCES.md, late-request-headers
  it.each(['response_headers', 'response_body', 'log', 'done'])(
    'trap 67: the request’s properties can be read in %s',
    async (phase) => {
      const asked = ['path', 'method', 'host', 'scheme', 'time', 'size']
      const { lines } = await play({
        [phase]: [
          ...asked.map((name) => property('request', name)),
          property('request', 'headers', 'x-a'),
        ],
        request_headers: [{ call: 'set_header', name: 'x-a', value: '1' }],
      })
      const context = on(lines, 'create')[1]?.['context']
      const found = during(lines, phase, 1, Number(context))
      expect(statuses(found)).toEqual([0, 0, 0, 0, 0, 0, 0])
      expect(found.at(-1)).toMatchObject({ value: '1' })
    },
  )

  // Envoy finds the first segment alone: docs/HOST_DIFFERENCES.md, property-with-segments
  it('trap 68: what is set under a path of several segments is read under it', async () => {
    const set = (path: string[], value: string): object => ({ call: 'set_property', path, value })
    const { host } = await playChain([
      { configuration: script({ request_headers: [set(['a', 'b'], 'both'), set(['a'], 'one')] }) },
      {
        configuration: script({
          request_headers: [property('a', 'b'), property('a'), property('b')],
        }),
      },
    ])
    expect(during(host.lines('p2'), 'request_headers')).toMatchObject([
      { status: 0, value: 'both' },
      { status: 0, value: 'one' },
      { status: 1 },
    ])
  })

  it('trap 69: a root has its plugin’s names in every callback, and no request', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time })
    const asked = [
      property('plugin_name'),
      property('plugin_root_id'),
      property('request', 'path'),
      property('request', 'headers', 'host'),
      property('response', 'code'),
    ]
    const steps: Steps = {
      vm_start: asked,
      configure: [{ call: 'set_tick_period', ms: 100 }, ...asked],
      tick: asked,
    }
    const ticking = await plugin(host, 'ticking', steps, {
      rootId: 'root',
      vmConfiguration: script(steps),
    })
    await playPlugins(host, [ticking])
    time.pass(150)
    await playPlugins(host, [ticking])
    for (const phase of ['vm_start', 'configure', 'tick']) {
      const found = during(host.lines(), phase).filter((line) => line.call === 'get_property')
      expect(statuses(found)).toEqual([0, 0, 1, 1, 1])
      expect(found.slice(0, 2)).toMatchObject([{ value: 'ticking' }, { value: 'root' }])
    }
    expect(ticking.state).toBe('running')
  })
})

it('trap 70: memory that a guest has grown is had back by giving it another vm', async () => {
  const host = machine({ memoryBudget: 8 * 1024 * 1024 })
  const grown = await plugin(host, 'grown', {
    request_headers: [{ call: 'grow_memory', pages: 128, if: { path: '/grow' } }],
  })
  await playPlugins(host, [grown], { request: new Request('http://a.example/grow') })
  expect(host.pool.memoryBytes).toBeGreaterThan(8 * 1024 * 1024)
  const other = await plugin(host, 'other', {})
  await playPlugins(host, [other])
  expect([grown.state, host.pool.size]).toEqual(['idle', 1])
  expect(host.pool.memoryBytes).toBeLessThan(8 * 1024 * 1024)
  const { body } = await playPlugins(host, [grown])
  expect([body, grown.state]).toEqual(['ok', 'running'])
  expect(on(host.lines('grown'), 'vm_start')).toHaveLength(2)
})
