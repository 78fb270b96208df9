/** Shared data, queues and metrics, within a vm and between plugins. */
import type { Scenario, ScenarioPlugin, Step } from '../scenario.ts'
import { chain, having, one } from './steps.ts'

const headers = (...request_headers: Step[]): ScenarioPlugin => ({ steps: { request_headers } })
const inVm = (vm: string, vmConfiguration: string, plugin: ScenarioPlugin): ScenarioPlugin => ({
  ...plugin,
  vm,
  vmConfiguration,
})

const metric = (type: string | number, ...steps: Step[]): Step[] => [
  { call: 'metric_define', type, name: `@upstream.${type}`, save: 'm' },
  ...steps.map((step) => having(step, { metric: { saved: 'm' } })),
]
const METRIC_CALLS: Step[] = [
  { call: 'metric_get' },
  { call: 'metric_increment', value: 5 },
  { call: 'metric_increment', value: 0 },
  { call: 'metric_increment', value: -2 },
  { call: 'metric_get' },
  { call: 'metric_record', value: 7 },
  { call: 'metric_record', value: 3 },
  { call: 'metric_get' },
]

const QUEUE_OWNER: Step[] = [
  { call: 'queue_register', name: 'q', save: 'q' },
  { call: 'queue_register', name: 'q' },
  { call: 'queue_register', name: '' },
  { call: 'queue_dequeue', queue: { saved: 'q' } },
]

export const SHARED: readonly Scenario[] = [
  one('shared-data-and-its-cas', {
    request_headers: [
      { call: 'shared_data_get', key: 'k' },
      { call: 'shared_data_set', key: 'k', value: 'one' },
      { call: 'shared_data_get', key: 'k', save: 'k' },
      { call: 'shared_data_set', key: 'k', value: 'two', cas: 4_000_000_000 },
      { call: 'shared_data_set', key: 'k', value: 'two', cas: 0 },
      { call: 'shared_data_get', key: 'k' },
      { call: 'shared_data_set', key: 'new', value: 'x', cas: 77 },
      { call: 'shared_data_get', key: 'new' },
      { call: 'shared_data_set', key: 'k', value: '' },
      { call: 'shared_data_get', key: 'k' },
      { call: 'shared_data_set', key: '', value: 'no name' },
      { call: 'shared_data_get', key: '' },
      { call: 'shared_data_set', key: { hex: '00ff' }, value: { hex: 'ff00fe' } },
      { call: 'shared_data_get', key: { hex: '00ff' } },
    ],
  }),
  chain(
    'shared-data-of-one-vm-id',
    [
      inVm('same', 'a', headers({ call: 'shared_data_set', key: 'k', value: 'from p1' })),
      inVm(
        'same',
        'b',
        headers(
          { call: 'shared_data_get', key: 'k' },
          { call: 'shared_data_set', key: 'k2', value: 'from p2' },
        ),
      ),
      inVm('other', 'b', headers({ call: 'shared_data_get', key: 'k' })),
    ],
    { requests: [{}, {}] },
  ),
  one(
    'queue-within-a-stream',
    {
      request_headers: [
        ...QUEUE_OWNER,
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'one' },
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: '' },
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: { hex: '00ff' } },
        { call: 'queue_enqueue', queue: 4711, value: 'lost' },
        { call: 'queue_dequeue', queue: 4711 },
        { call: 'queue_resolve', vm: '', name: 'q' },
        { call: 'queue_resolve', vm: '@upstream.p1', name: 'q' },
        { call: 'queue_resolve', vm: '@upstream.p1', name: 'absent' },
        { call: 'queue_resolve', vm: 'nobody', name: 'q' },
      ],
      queue_ready: [
        { call: 'queue_dequeue', queue: { saved: 'q' } },
        { call: 'queue_dequeue', queue: { saved: 'q' }, if: { nth: 3 } },
      ],
    },
    { settleMs: 60 },
  ),
  chain(
    'queue-from-plugin-to-plugin',
    [
      {
        steps: {
          request_headers: [{ call: 'queue_register', name: 'mail', save: 'q' }],
          queue_ready: [{ call: 'queue_dequeue', queue: { saved: 'q' } }],
        },
      },
      {
        steps: {
          request_headers: [
            { call: 'queue_resolve', vm: '@upstream.p1', name: 'mail', save: 'q' },
            { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'letter' },
          ],
        },
      },
    ],
    { settleMs: 60 },
  ),
  chain(
    'queue-registered-by-two',
    [
      {
        vm: 'both',
        steps: {
          request_headers: [{ call: 'queue_register', name: 'mail', save: 'q1' }],
          queue_ready: [{ call: 'nothing' }],
        },
      },
      {
        vm: 'both',
        steps: {
          request_headers: [
            { call: 'queue_register', name: 'mail', save: 'q2' },
            { call: 'queue_enqueue', queue: { saved: 'q2' }, value: 'letter' },
          ],
          queue_ready: [{ call: 'queue_dequeue', queue: { saved: 'q2' } }],
        },
      },
    ],
    { settleMs: 60 },
  ),
  ...['counter', 'gauge', 'histogram'].map((type) =>
    one(`metric-${type}`, { request_headers: metric(type, ...METRIC_CALLS) }),
  ),
  one('metric-defined-twice', {
    request_headers: [
      { call: 'metric_define', type: 'counter', name: '@upstream.twice', save: 'a' },
      { call: 'metric_increment', metric: { saved: 'a' }, value: 2 },
      { call: 'metric_define', type: 'counter', name: '@upstream.twice', save: 'b' },
      { call: 'metric_get', metric: { saved: 'b' } },
      { call: 'metric_define', type: 'gauge', name: '@upstream.twice', save: 'c' },
      { call: 'metric_get', metric: { saved: 'c' } },
      { call: 'metric_define', type: 3, name: '@upstream.none' },
      { call: 'metric_define', type: 'counter', name: '' },
    ],
  }),
  one('metric-that-nobody-defined', {
    request_headers: [0, 4711, 4712, 4713, 4714, 4715].flatMap((metric) => [
      { call: 'metric_get', metric },
      { call: 'metric_increment', metric, value: 1 },
      { call: 'metric_record', metric, value: 1 },
    ]),
  }),
  one(
    'metric-of-two-streams',
    {
      configure: [{ call: 'metric_define', type: 'counter', name: '@upstream.streams', save: 'm' }],
      request_headers: [
        { call: 'metric_increment', metric: { saved: 'm' }, value: 1 },
        { call: 'metric_get', metric: { saved: 'm' } },
      ],
    },
    { requests: [{}, {}] },
  ),
]
