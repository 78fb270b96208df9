/** Odd names and values, bad pointers, malformed pairs, empty things, memory that runs out. */
import type { Scenario, Step } from '../scenario.ts'
import { one } from './steps.ts'

const raw = (name: string, ...args: unknown[]): Step => ({
  call: 'raw',
  function: `proxy_${name}`,
  args,
})
const BAD = -4
const OUT = { out: 0 }
const OUT1 = { out: 1 }
const text = (value: string): unknown[] => [{ ptr: value }, { len: value }]

const POINTERS: Step[] = [
  raw('log', 2, BAD, 9),
  raw('get_buffer_bytes', 7, 0, 9, BAD, OUT),
  raw('get_buffer_bytes', 6, 0, 9, OUT, BAD),
  raw('get_buffer_bytes', 99, 0, 9, BAD, BAD),
  raw('get_buffer_status', 0, BAD, OUT),
  raw('get_buffer_status', 0, OUT, BAD),
  raw('set_buffer_bytes', 0, 0, 0, BAD, 9),
  raw('set_buffer_bytes', 99, 0, 0, BAD, 9),
  raw('get_header_map_size', 0, BAD),
  raw('get_header_map_size', 99, OUT),
  raw('get_header_map_pairs', 0, BAD, OUT),
  raw('get_header_map_pairs', 99, OUT, OUT1),
  raw('set_header_map_pairs', 0, BAD, 9),
  raw('set_header_map_pairs', 99, BAD, 9),
  raw('get_header_map_value', 0, BAD, 9, OUT, OUT1),
  raw('get_header_map_value', 0, ...text(':path'), BAD, OUT1),
  raw('get_header_map_value', 0, ...text(':path'), OUT, BAD),
  raw('get_header_map_value', 99, BAD, 9, OUT, OUT1),
  raw('add_header_map_value', 0, BAD, 9, ...text('v')),
  raw('add_header_map_value', 0, ...text('k'), BAD, 9),
  raw('add_header_map_value', 99, ...text('k'), ...text('v')),
  raw('replace_header_map_value', 0, ...text('k'), BAD, 9),
  raw('replace_header_map_value', 99, ...text('k'), ...text('v')),
  raw('remove_header_map_value', 0, BAD, 9),
  raw('remove_header_map_value', 99, ...text('k')),
  raw('get_property', BAD, 9, OUT, OUT1),
  raw('get_property', ...text('plugin_name'), BAD, OUT1),
  raw('set_property', BAD, 9, ...text('v')),
  raw('set_property', ...text('k'), BAD, 9),
  raw('get_shared_data', BAD, 9, OUT, OUT1, { out: 2 }),
  raw('set_shared_data', BAD, 9, ...text('v'), 0),
  raw('set_shared_data', ...text('k'), BAD, 9, 0),
  raw('get_shared_data', ...text('absent'), BAD, BAD, BAD),
  raw('register_shared_queue', BAD, 9, OUT),
  raw('register_shared_queue', ...text('q'), BAD),
  raw('resolve_shared_queue', BAD, 9, ...text('q'), OUT),
  raw('resolve_shared_queue', ...text(''), ...text('q'), BAD),
  raw('enqueue_shared_queue', 1, BAD, 9),
  raw('dequeue_shared_queue', 4711, BAD, BAD),
  raw('define_metric', 0, BAD, 9, OUT),
  raw('define_metric', 0, ...text('bad'), BAD),
  raw('define_metric', 9, BAD, 9, OUT),
  raw('get_metric', 4, BAD),
  raw('send_local_response', 200, BAD, 9, ...text(''), ...text(''), -1),
  raw('send_local_response', 200, ...text(''), BAD, 9, ...text(''), -1),
  raw('send_local_response', 200, ...text(''), ...text(''), BAD, 9, -1),
  raw('http_call', BAD, 9, ...text(''), ...text(''), ...text(''), 9, OUT),
  raw('http_call', ...text('callee'), BAD, 9, ...text(''), ...text(''), 9, OUT),
  raw('http_call', ...text('callee'), ...text(''), BAD, 9, ...text(''), 9, OUT),
  raw('http_call', ...text('callee'), ...text(''), ...text(''), ...text(''), 9, BAD),
  raw('get_status', BAD, OUT, OUT1),
  raw('call_foreign_function', BAD, 9, ...text(''), OUT, OUT1),
  raw('call_foreign_function', ...text('absent'), BAD, 9, OUT, OUT1),
  raw('get_current_time_nanoseconds', BAD),
  raw('get_log_level', BAD),
  raw('continue_stream', 99),
  raw('close_stream', 99),
  raw('set_effective_context', 99),
  raw('set_tick_period_milliseconds', 0),
  raw('done'),
  raw('grpc_call', ...text('callee'), ...text('s'), ...text('m'), ...text(''), BAD, 9, 9, OUT),
  raw('grpc_send', 4711, BAD, 9, 1),
  raw('grpc_send', 4711, ...text(''), 1),
  raw('grpc_cancel', 4711),
  raw('grpc_close', 4711),
  raw('grpc_send', 4, ...text(''), 1),
  raw('grpc_cancel', 4),
]

const set = (name: unknown, value: unknown, call = 'set_header'): Step => ({ call, name, value })

const ODD: Step[] = [
  set('x-utf8', { utf8: 'grün' }),
  set('x-latin1', { hex: 'e4f6' }),
  set('x-tab', 'a\tb'),
  set('x-spaces', '  around  '),
  set('X-UPPER', 'up'),
  set('x-empty', ''),
  set('x-long', { repeat: 'x', times: 4000 }),
  { call: 'get_pairs' },
]

const COUNT = Array.from({ length: 60 }, (_, i) => [`x-${i}`, `${i}`])

const out = (name: string, ...steps: Step[]): Scenario[] => [
  one(`${name}-in-the-request`, { request_headers: steps }),
  one(`${name}-in-the-response`, { response_headers: steps }),
]

export const ODDITIES: readonly Scenario[] = [
  one('bad-pointers-and-numbers', { request_headers: POINTERS }),
  ...out('odd-values', ...ODD),
  ...out('a-value-with-a-line-break', set('x-broken', 'a\r\nx-injected: 1')),
  ...out('a-value-with-a-nul', set('x-broken', { hex: '610062' })),
  ...out('a-name-with-a-space', set('x broken', '1')),
  ...out('an-empty-name', set('', '1')),
  ...out('a-name-with-a-colon-in-front', set(':odd', '1')),
  ...out(
    'connection-headers',
    set('connection', 'close'),
    set('keep-alive', '1'),
    set('upgrade', 'x'),
  ),
  ...out(
    'two-lines-added',
    set('x-two', '1', 'add_header'),
    set('x-two', '2', 'add_header'),
    { call: 'get_header', name: 'x-two' },
    { call: 'get_pairs' },
  ),
  ...out(
    'cookies',
    set('cookie', 'a=1', 'add_header'),
    set('cookie', 'b=2', 'add_header'),
    set('set-cookie', 'c=3', 'add_header'),
    set('set-cookie', 'd=4', 'add_header'),
    { call: 'get_pairs' },
  ),
  one('host-is-authority', {
    request_headers: [
      { call: 'get_header', name: 'host' },
      set('host', 'other.test'),
      { call: 'get_header', name: ':authority' },
      { call: 'remove_header', name: 'host' },
      { call: 'get_header', name: ':authority' },
      set('host', 'third.test', 'add_header'),
      { call: 'get_header', name: ':authority' },
    ],
  }),
  ...[':method', ':path', ':authority', ':scheme'].map((name) =>
    one(`request-without-${name.slice(1)}`, { request_headers: [{ call: 'remove_header', name }] }),
  ),
  one(
    'request-with-another-method',
    { request_headers: [set(':method', 'DELETE')] },
    { requests: [{ method: 'POST', body: 'x' }] },
  ),
  one('request-with-an-odd-path', { request_headers: [set(':path', '/a b?c=%zz&d=ü')] }),
  one('request-with-an-empty-path', { request_headers: [set(':path', '')] }),
  one(
    'request-with-a-fragment',
    { request_headers: [{ call: 'get_header', name: ':path' }] },
    { requests: [{ path: '/a?b#c' }] },
  ),
  one(
    'request-with-a-path-of-dots',
    { request_headers: [{ call: 'get_header', name: ':path' }] },
    { requests: [{ path: '/a/../b/./c//d' }] },
  ),
  ...['200', '404', '599', '204', '304', '600', '199', '0', 'abc', ''].map((status) =>
    one(`response-status-set-to-${status || 'nothing'}`, {
      response_headers: [set(':status', status)],
    }),
  ),
  one('pairs-set', {
    request_headers: [
      { call: 'get_pairs' },
      {
        call: 'set_pairs',
        pairs: [
          [':method', 'GET'],
          [':path', '/set'],
          [':authority', 'set.test'],
          [':scheme', 'http'],
          ['x-forwarded-proto', 'http'],
          ['X-Set', '1'],
          ['x-two', '1'],
          ['x-two', '2'],
          ['x-empty', ''],
        ],
      },
      { call: 'get_pairs' },
    ],
    response_headers: [
      {
        call: 'set_pairs',
        pairs: [
          [':status', '201'],
          ['x-set', 'yes'],
          ['content-length', '2'],
        ],
      },
      { call: 'get_pairs' },
    ],
  }),
  one('pairs-set-without-a-status', {
    response_headers: [{ call: 'set_pairs', pairs: [['x-set', 'yes']] }],
  }),
  one('pairs-set-to-none', {
    request_headers: [{ call: 'set_pairs', pairs: [] }, { call: 'get_pairs' }],
  }),
  one('pairs-malformed', {
    response_headers: [{ call: 'set_pairs', pairs: { hex: 'ff000000' } }, { call: 'get_pairs' }],
  }),
  one('pairs-of-one-zero-byte', {
    response_headers: [
      { call: 'set_pairs', pairs: { hex: '00' } },
      { call: 'get_pairs' },
      set(':status', '200'),
    ],
  }),
  one('pairs-of-no-byte', {
    response_headers: [
      { call: 'set_pairs', pairs: '' },
      { call: 'get_pairs' },
      set(':status', '200'),
    ],
  }),
  one('sixty-headers', {
    request_headers: [
      {
        call: 'set_pairs',
        pairs: [
          [':method', 'GET'],
          [':path', '/'],
          [':authority', 'many.test'],
          [':scheme', 'http'],
          ['x-forwarded-proto', 'http'],
          ...COUNT,
        ],
      },
      { call: 'get_pairs' },
    ],
  }),
  one(
    'header-lines-in-order',
    {
      request_headers: [
        set('x-b', '2', 'add_header'),
        set('x-a', '1', 'add_header'),
        set('x-b', '3', 'add_header'),
        set('x-m', 'new'),
        { call: 'get_pairs' },
      ],
      response_headers: [
        set('x-b', '2', 'add_header'),
        set('x-a', '1', 'add_header'),
        set('x-b', '3', 'add_header'),
        { call: 'get_pairs' },
      ],
    },
    {
      headerOrder: true,
      requests: [
        {
          headers: [
            ['x-m', '1'],
            ['x-a', '0'],
          ],
        },
      ],
    },
  ),
  one('an-allocation-that-fails', {
    request_headers: [
      { call: 'fail_allocations', count: 1 },
      { call: 'get_header', name: ':path' },
      { call: 'get_header', name: ':path' },
    ],
  }),
  one('memory-that-grows', {
    request_headers: [
      { call: 'get_header', name: ':path' },
      { call: 'grow_memory', pages: 4 },
      { call: 'get_header', name: ':path' },
      { call: 'get_pairs' },
    ],
  }),
]
