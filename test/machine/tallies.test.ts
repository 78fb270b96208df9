/** What a plugin did in each stream, where somebody asks: failures, host calls, its own metrics. */
import { describe, expect, it } from 'vitest'
import type {
  GuestMetric,
  Plugin,
  PluginOptions,
  TallyObserver,
  Watch,
} from '../../src/proxy-wasm/index.ts'
import { machine, type Machine, probe, script, type SendOptions } from '../support/machine.ts'
import { callout, PAUSE, type Steps } from '../support/play.ts'

interface Ended {
  readonly failed: boolean
  readonly hostCalls: number
  /** Sums by name. */
  readonly metrics: Readonly<Record<string, number>>
  readonly defined: readonly string[]
}

interface Watched {
  readonly ended: readonly Ended[]
  readonly watch: Watch
  readonly plugin: Plugin
}

/** A quiet probe: what it is not told to call it does not call. */
async function watched(
  host: Machine,
  steps: Steps,
  options: Partial<PluginOptions> = {},
): Promise<Watched> {
  const configuration = JSON.stringify({ steps, quiet: true, quiet_calls: true })
  const plugin = await host.plugin({ module: probe(), counted: true, configuration, ...options })
  const ended: Ended[] = []
  const observer: TallyObserver = {
    ended(tally) {
      const names = [...(tally.defined ?? new Map<number, GuestMetric>()).values()]
      const sums = [...(tally.metrics ?? [])].map(([{ name }, { sum }]) => [name, sum] as const)
      ended.push({
        failed: tally.failed,
        hostCalls: tally.hostCalls,
        metrics: Object.fromEntries(sums),
        defined: names.map(({ name }) => name),
      })
    },
  }
  return { ended, plugin, watch: { plugin, observer } }
}

async function send(
  host: Machine,
  chain: readonly Watched[],
  options: SendOptions = {},
): Promise<number> {
  const response = await host.send(
    chain.map(({ plugin }) => plugin),
    { ...options, watches: chain.map(({ watch }) => watch) },
  )
  await response.arrayBuffer()
  return response.status
}

const TRAP = { call: 'trap', kind: 'unreachable' }
const NOTHING: Ended = { failed: false, hostCalls: 0, metrics: {}, defined: [] }

describe('a failure', () => {
  it.each<[string, Steps, 'FAIL_OPEN' | 'FAIL_CLOSE', number]>([
    ['lets the request by', { request_headers: [TRAP] }, 'FAIL_OPEN', 200],
    ['answers it', { request_headers: [TRAP] }, 'FAIL_CLOSE', 503],
    ['comes with the response', { response_headers: [TRAP] }, 'FAIL_OPEN', 200],
    ['comes in its last byte', { response_body: [TRAP] }, 'FAIL_OPEN', 200],
    ['comes in on_log', { log: [TRAP] }, 'FAIL_CLOSE', 200],
    ['comes in on_done', { done: [TRAP] }, 'FAIL_CLOSE', 200],
    ['comes in on_delete', { delete: [TRAP] }, 'FAIL_OPEN', 200],
    [
      'comes when its context is made',
      { create: [{ ...TRAP, if: { root: false } }] },
      'FAIL_OPEN',
      200,
    ],
  ])('counts when it %s', async (_, steps, failStrategy, status) => {
    const host = machine()
    const one = await watched(host, steps, { failStrategy })
    expect(await send(host, [one])).toBe(status)
    expect(one.ended.map(({ failed }) => failed)).toEqual([true])
  })

  it('counts for every request that comes while the plugin cannot run', async () => {
    const host = machine()
    const one = await watched(host, { request_headers: [TRAP] }, { failStrategy: 'FAIL_OPEN' })
    for (let count = 0; count < 3; count += 1) await send(host, [one])
    expect(one.ended.map(({ failed }) => failed)).toEqual([true, true, true])
  })

  it('is the one plugin’s that failed, not of others in its chain', async () => {
    const host = machine()
    const bad = await watched(
      host,
      { request_headers: [TRAP] },
      { name: 'bad', failStrategy: 'FAIL_OPEN' },
    )
    const good = await watched(host, {}, { name: 'good' })
    const closed = await watched(host, { response_headers: [TRAP] }, { name: 'closed' })
    expect(await send(host, [good, bad, closed])).toBe(503)
    expect([good, bad, closed].map(({ ended }) => ended.map(({ failed }) => failed))).toEqual([
      [false],
      [true],
      [true],
    ])
  })

  it('is one of a log-only plugin as of any other', async () => {
    const host = machine()
    const logOnly = { logOnly: { callouts: 'run' } } as const
    const one = await watched(host, { request_headers: [TRAP] }, logOnly)
    expect(await send(host, [one])).toBe(200)
    expect(one.ended.map(({ failed }) => failed)).toEqual([true])
  })

  it('of holding the request for too long is one, and answering it is none', async () => {
    const host = machine()
    const holds = await watched(
      host,
      { request_headers: [{ call: 'return', action: 1 }] },
      { limits: { pauseMs: 20 } },
    )
    expect(await send(host, [holds])).toBe(503)
    const denies = await watched(host, { request_headers: [{ call: 'local_reply', status: 403 }] })
    expect(await send(host, [denies])).toBe(403)
    expect([...holds.ended, ...denies.ended].map(({ failed }) => failed)).toEqual([true, false])
  })
})

const CALL = { call: 'set_header', name: 'x-a', value: '1' }

describe('host calls', () => {
  it('are counted in every callback of the stream, whatever they answer', async () => {
    const host = machine()
    const one = await watched(host, {
      request_headers: [{ ...CALL, times: 3 }],
      response_headers: [CALL, { call: 'get_property', path: ['nothing'] }],
      log: [{ call: 'time' }],
      done: [CALL],
    })
    await send(host, [one])
    expect(one.ended).toEqual([{ ...NOTHING, hostCalls: 7 }])
  })

  it('are not WASI’s, nor those of configuration and ticks', async () => {
    const host = machine()
    const one = await watched(host, {
      configure: [
        { call: 'log', message: 'up' },
        { call: 'set_tick_period', ms: 1 },
      ],
      tick: [{ ...CALL, times: 10 }],
      request_headers: [{ call: 'random' }, { call: 'clock' }, CALL],
    })
    await send(host, [one])
    await new Promise((resolve) => setTimeout(resolve, 5))
    await send(host, [one])
    expect(one.ended.map(({ hostCalls }) => hostCalls)).toEqual([1, 1])
  })

  it('of an answer to a callout are the stream’s as soon as its context is in effect', async () => {
    const host = machine({
      callout: () =>
        Promise.resolve({ headers: [':status', '200'], body: new Uint8Array(0), trailers: [] }),
    })
    const one = await watched(host, {
      request_headers: [callout(), PAUSE],
      http_call_response: [
        { call: 'get_header', name: ':status' },
        { call: 'set_effective_context', issuer: true },
        CALL,
        { call: 'continue_request' },
      ],
    })
    expect(await send(host, [one])).toBe(200)
    expect(one.ended.map(({ hostCalls }) => hostCalls)).toEqual([3])
  })

  it('of a plugin that is not counted, or that nobody watches, are not', async () => {
    const host = machine()
    const plain = await watched(host, { request_headers: [CALL] }, { counted: false })
    await send(host, [plain])
    expect(plain.ended).toEqual([NOTHING])
    const unwatched = await watched(host, { request_headers: [CALL] })
    expect((await host.send([unwatched.plugin])).status).toBe(200)
    expect(unwatched.ended).toEqual([])
  })
})

const define = (type: string, name: string): unknown => ({
  call: 'metric_define',
  type,
  name,
  save: name,
})
const add = (name: string, value = 1): unknown => ({
  call: 'metric_increment',
  metric: { saved: name },
  value,
})
const record = (name: string, value: number): unknown => ({
  call: 'metric_record',
  metric: { saved: name },
  value,
})

describe('metrics', () => {
  it('are the stream’s that adds to them, and everybody’s as before', async () => {
    const host = machine()
    const one = await watched(host, {
      configure: [define('counter', 'denied'), define('histogram', 'size')],
      request_headers: [add('denied', 2), add('denied'), record('size', 30)],
      response_headers: [{ ...(record('size', 12) as object), if: { header: 'x-more' } }],
    })
    await send(host, [one])
    await send(host, [one], {
      request: new Request('http://shop.example/', { headers: { 'x-more': '1' } }),
    })
    expect(one.ended.map(({ metrics }) => metrics)).toEqual([
      { denied: 3, size: 30 },
      { denied: 3, size: 42 },
    ])
    expect(one.ended[0]?.defined).toEqual(['denied', 'size'])
    const { value } = host.pool.ports.metrics.get(host.pool.ports.metrics.define(0, 'denied')) as {
      value: bigint
    }
    expect(value).toBe(6n)
  })

  it('that are refused, or that ticks add to, are no stream’s', async () => {
    const host = machine()
    const one = await watched(host, {
      configure: [define('counter', 'denied'), { call: 'set_tick_period', ms: 1 }],
      tick: [add('denied', 5)],
      request_headers: [add('denied', 0), { call: 'metric_increment', metric: 4096 }],
    })
    await send(host, [one])
    await new Promise((resolve) => setTimeout(resolve, 5))
    await send(host, [one])
    expect(one.ended.map(({ metrics }) => metrics)).toEqual([{}, {}])
  })

  it('have the names that the plugin gave them, also where a log-only plugin’s are shown under others', async () => {
    const host = machine()
    const one = await watched(
      host,
      { configure: [define('counter', 'denied')], request_headers: [add('denied')] },
      { logOnly: { callouts: 'run' } },
    )
    await send(host, [one])
    expect(one.ended.map(({ metrics }) => metrics)).toEqual([{ denied: 1 }])
  })
})

describe('a plugin that is counted', () => {
  it('shares no vm with one that is not', async () => {
    const host = machine()
    const options = { configuration: script({}), shareVm: true, module: probe() }
    const [one, other] = await Promise.all([
      host.plugin(options),
      host.plugin({ ...options, counted: true }),
    ])
    expect(one.vmKey).not.toBe(other.vmKey)
  })
})
