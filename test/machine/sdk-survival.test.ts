/**
 * The Rust SDK panics on every status outside of a short list for each call. So whatever a plugin asks
 * for in whatever phase, with arguments that an SDK would pass, must answer within that list.
 */
import { describe, expect, it } from 'vitest'
import { FakeTime } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import { callout, PAUSE, playPlugins, post, reply, type Steps } from '../support/play.ts'

const OK = [0]
const FOUND = [0, 1]

/** What an SDK call may answer, by the probe's name of the call. */
const SURVIVED: Readonly<Record<string, readonly number[]>> = {
  get_header: FOUND,
  get_pairs: OK,
  set_pairs: OK,
  set_header: OK,
  add_header: OK,
  remove_header: OK,
  get_body: FOUND,
  set_body: OK,
  get_property: FOUND,
  set_property: OK,
  continue_request: OK,
  continue_response: OK,
  local_reply: OK,
  set_tick_period: OK,
  shared_data_get: FOUND,
  shared_data_set: [0, 8],
  queue_register: OK,
  queue_resolve: FOUND,
  queue_enqueue: FOUND,
  queue_dequeue: [0, 1, 7],
  metric_define: OK,
  metric_get: [0, 1, 2],
  metric_record: FOUND,
  metric_increment: [0, 1, 2],
  http_call: [0, 2, 10],
  get_status: OK,
  foreign: [0, 1, 2, 3, 10],
  time: OK,
  log: OK,
  get_log_level: OK,
}

const READ_MAPS = [
  'request',
  'request_trailers',
  'response',
  'response_trailers',
  'call',
  'call_trailers',
]
const EDITED_MAPS = READ_MAPS.slice(0, 4)

const EVERYTHING: readonly unknown[] = [
  ...READ_MAPS.flatMap((map) => [
    { call: 'get_header', map, name: 'x-none' },
    { call: 'get_pairs', map },
  ]),
  ...EDITED_MAPS.flatMap((map) => [
    { call: 'add_header', map, name: 'x-a', value: '1' },
    { call: 'set_header', map, name: 'x-a', value: '2' },
    { call: 'remove_header', map, name: 'x-a' },
  ]),
  { call: 'set_pairs', map: 'request_trailers', pairs: [['a', 'b']] },
  { call: 'set_pairs', map: 'response_trailers', pairs: [] },
  ...['request', 'response'].flatMap((buffer) => [
    { call: 'get_body', buffer },
    { call: 'set_body', buffer, start: 0, size: 0, value: '' },
  ]),
  { call: 'get_body', buffer: 'call' },
  { call: 'get_body', buffer: 'plugin_configuration', show: 1 },
  { call: 'get_body', buffer: 'vm_configuration' },
  { call: 'get_property', path: ['request', 'path'] },
  { call: 'get_property', path: ['request'] },
  { call: 'get_property', path: ['nothing', 'at', 'all'] },
  { call: 'set_property', path: ['mine'], value: 'x' },
  { call: 'set_tick_period', ms: 1_000_000 },
  { call: 'shared_data_get', key: 'none' },
  { call: 'shared_data_set', key: 'k', value: 'v', cas: 77 },
  { call: 'queue_register', name: 'q' },
  { call: 'queue_resolve', vm: '', name: 'none' },
  { call: 'queue_enqueue', queue: 999, value: 'x' },
  { call: 'queue_dequeue', queue: 999 },
  { call: 'metric_define', type: 'counter', name: 'c' },
  { call: 'metric_get', metric: 4444 },
  { call: 'metric_record', metric: 4444 },
  { call: 'metric_increment', metric: 4444 },
  { call: 'http_call', upstream: 'nobody', headers: [] },
  { call: 'get_status' },
  { call: 'foreign', function: 'nothing' },
  { call: 'time' },
  { call: 'log', message: 'x' },
  { call: 'get_log_level' },
  { call: 'continue_request' },
  { call: 'continue_response' },
]

const PHASES = [
  'vm_start',
  'configure',
  'tick',
  'queue_ready',
  'create',
  'request_headers',
  'request_body',
  'response_headers',
  'response_body',
  'http_call_response',
  'log',
  'done',
  'delete',
]

describe.each(PHASES)('in %s', (phase) => {
  it('no call answers what a Rust plugin would panic on', async () => {
    const time = new FakeTime()
    const host = machine({
      ports: { clock: time.clock, timers: time.timers },
      callout: async () => reply(200, 'x'),
    })
    const base: Record<string, readonly unknown[]> = {
      configure: [
        { call: 'set_tick_period', ms: 100 },
        { call: 'queue_register', name: 'jobs', save: 'jobs' },
      ],
      request_headers: [
        { call: 'queue_enqueue', queue: { saved: 'jobs' }, value: 'x' },
        callout(),
        PAUSE,
      ],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request' },
        { call: 'set_effective_context', root: true },
      ],
    }
    const steps: Steps = { ...base, [phase]: [...(base[phase] ?? []), ...EVERYTHING] }
    const plugin = await host.plugin({ module: probe(), environment: [['PROBE', script(steps)]] })
    await playPlugins(host, [plugin], { request: post('body') })
    time.pass(200)
    await playPlugins(host, [plugin], { request: post('body') })
    const lines = host.lines()
    expect(lines.some((line) => line.on === phase)).toBe(true)
    for (const line of lines) {
      const allowed = SURVIVED[String(line.call)]
      if (allowed === undefined) continue
      expect(allowed, JSON.stringify(line)).toContain(line['status'])
    }
    expect(plugin.lastError).toBeUndefined()
  })
})
