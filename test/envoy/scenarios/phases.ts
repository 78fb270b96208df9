/** Every host call in every callback. What moves the stream has scenarios of its own. */
import type { Scenario, Step } from '../scenario.ts'
import { having, HOLD, one, PAUSE } from './steps.ts'

const MAPS = [
  'request',
  'request_trailers',
  'response',
  'response_trailers',
  'grpc_initial',
  'grpc_trailing',
  'call',
  'call_trailers',
]
const BUFFERS = [
  'request',
  'response',
  'downstream',
  'upstream',
  'call',
  'grpc',
  'vm_configuration',
  'plugin_configuration',
  'call_data',
]

/** The second is the trap of 0.1.0: nothing, and no status that tells "absent" from "empty". */
const NAMES: Readonly<Record<string, readonly string[]>> = { '0.1.0': ['x-one', 'x-absent'] }

const maps = (version: string): Step[] =>
  MAPS.flatMap((map) =>
    (NAMES[version] ?? ['x-one'])
      .map((name): Step => ({ call: 'get_header', map, name }))
      .concat([
        { call: 'get_pairs', map },
        { call: 'map_size', map },
        { call: 'set_header', map, name: 'x-set', value: 'by the plugin' },
        { call: 'add_header', map, name: 'x-added', value: '1' },
        { call: 'remove_header', map, name: 'x-gone' },
      ]),
  )

const buffers: Step[] = BUFFERS.flatMap((buffer) => [
  { call: 'get_body', buffer },
  { call: 'body_status', buffer },
  { call: 'set_body', buffer, start: 0, size: 0, value: '' },
])

const values: Step[] = [
  { call: 'get_property', path: ['plugin_name'] },
  { call: 'get_property', path: ['plugin_root_id'] },
  { call: 'get_property', path: ['request', 'path'] },
  { call: 'get_property', path: ['response', 'code'] },
  { call: 'get_property', path: ['absent'] },
  { call: 'set_property', path: ['mine'], value: 'own' },
  { call: 'get_property', path: ['mine'] },
  { call: 'shared_data_get', key: 'absent' },
  { call: 'shared_data_set', key: 'k', value: 'v' },
  { call: 'shared_data_get', key: 'k' },
  { call: 'queue_register', name: 'own', save: 'q' },
  { call: 'queue_resolve', vm: 'nobody', name: 'own' },
  { call: 'metric_define', type: 'gauge', name: '@upstream', save: 'm' },
  { call: 'metric_record', metric: { saved: 'm' }, value: 7 },
  { call: 'metric_increment', metric: { saved: 'm' }, value: 2 },
  { call: 'metric_get', metric: { saved: 'm' } },
  { call: 'foreign', function: 'absent', argument: 'x' },
  { call: 'get_status' },
  { call: 'time' },
  { call: 'clock' },
  { call: 'random' },
  { call: 'env' },
  { call: 'log', level: 2, message: 'text: info' },
  { call: 'log', level: 6, message: 'text: no level' },
]

const GO_ON: Step[] = [
  { call: 'set_effective_context', issuer: true },
  { call: 'continue_request' },
]

const contexts: Step[] = [
  { call: 'set_effective_context' },
  { call: 'set_effective_context', root: true },
  { call: 'set_effective_context', id: 0 },
  { call: 'set_effective_context', id: 4711 },
  { call: 'set_tick_period', ms: 0 },
  { call: 'done' },
]

const moves = (version: string): Step[] =>
  version === '0.1.0'
    ? [{ call: 'clear_route_cache' }]
    : [2, 3, 4].map((stream) => ({ call: 'continue_stream', stream }))

const all = (version: string): Step[] => [
  ...values,
  ...maps(version),
  ...buffers,
  ...moves(version),
  ...contexts,
]

/** What has to be so that the callback comes, and the condition under which its steps run. */
interface Phase {
  readonly on: string
  readonly when?: Readonly<Record<string, unknown>>
  readonly before?: Readonly<Record<string, readonly Step[]>>
  /** Runs behind the calls. */
  readonly after?: readonly Step[]
  readonly settleMs?: number
}

const PHASES: readonly Phase[] = [
  { on: 'vm_start' },
  { on: 'configure' },
  { on: 'create', when: { root: false } },
  { on: 'request_headers' },
  { on: 'request_body', when: { end_of_stream: true } },
  { on: 'response_headers' },
  { on: 'response_body', when: { end_of_stream: true } },
  { on: 'log' },
  { on: 'done', when: { root: false } },
  { on: 'delete', when: { root: false } },
  {
    on: 'http_call_response',
    before: {
      request_headers: [
        {
          call: 'http_call',
          upstream: 'callee',
          headers: [
            [':method', 'GET'],
            [':path', '/echo'],
            [':authority', 'callee'],
          ],
        },
        PAUSE,
      ],
    },
    after: GO_ON,
    settleMs: 100,
  },
  {
    on: 'tick',
    when: { remembered: 'stream' },
    before: {
      request_headers: [
        { call: 'remember_context', as: 'stream' },
        { call: 'set_tick_period', ms: 40 },
        PAUSE,
      ],
    },
    after: [{ call: 'set_effective_context', remembered: 'stream' }, { call: 'continue_request' }],
  },
  {
    on: 'queue_ready',
    before: {
      request_headers: [
        { call: 'queue_register', name: 'mail', save: 'mail' },
        { call: 'queue_enqueue', queue: { saved: 'mail' }, value: 'letter' },
      ],
    },
    settleMs: 100,
  },
]

const REQUESTS = [
  {
    method: 'POST',
    path: '/p?q=1',
    headers: [
      ['x-gone', 'g'],
      ['x-one', '1'],
    ] as const,
    body: 'hello',
  },
]
const ANSWER = {
  headers: [
    ['x-gone', 'g'],
    ['x-one', '1'],
  ] as const,
}

function scenario({ on, when, before, after = [], settleMs }: Phase, version: string): Scenario {
  const steps = all(version).map((step) => (when ? having(step, { if: when }) : step))
  const first = on.endsWith('_body') ? [HOLD] : []
  const script = { ...before, [on]: [...first, ...steps, ...after] }
  const kind = when?.['root'] === false ? '-stream' : ''
  const early = on === 'vm_start' && { vmConfiguration: JSON.stringify({ steps: script }) }
  return one(`calls-in-${on}${kind}-${version}`.replaceAll('_', '-'), script, {
    requests: REQUESTS,
    answer: ANSWER,
    ...(settleMs !== undefined && { settleMs }),
    plugin: { module: `probe:${version}`, ...early },
  })
}

/** The creation of a root can be scripted by the environment alone, whose values are short. */
function inRootCreate(steps: readonly Step[], name: string): Scenario {
  const script = { create: steps.map((step) => having(step, { if: { root: true } })) }
  const plugin = { env: { PROBE: JSON.stringify({ steps: script }) } }
  return one(`calls-in-create-root-${name}`, {}, { plugin })
}

export const CALLS: readonly Scenario[] = [
  inRootCreate(values, 'values'),
  inRootCreate(maps('0.2.1').slice(0, 20), 'maps'),
  inRootCreate([...buffers.slice(0, 6), ...buffers.slice(-9)], 'buffers'),
  inRootCreate([...moves('0.2.1'), ...contexts], 'moves'),
  ...PHASES.map((phase) => scenario(phase, '0.2.1')),
  ...PHASES.filter(({ on }) => /^(?:configure|request_headers|response_headers|log)$/.test(on)).map(
    (phase) => scenario(phase, '0.1.0'),
  ),
]
