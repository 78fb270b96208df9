/** Contexts: which one host calls act on, ticks, how they end; versions; capabilities; foreign functions. */
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, callout, chain, HOLD, one, PAUSE } from './steps.ts'

const PATH: Step = { call: 'get_header', map: 'request', name: ':path' }
const all = (names: readonly string[]): string[] => [
  ...names,
  'proxy_log',
  'proxy_on_context_create',
  'proxy_on_vm_start',
  'proxy_on_configure',
  'proxy_on_request_headers',
  'proxy_on_log',
  'proxy_on_done',
  'proxy_on_delete',
  'proxy_get_buffer_bytes',
  'environ_get',
  'environ_sizes_get',
  'fd_write',
  'clock_time_get',
  'random_get',
]
const VERSIONS = ['0.1.0', '0.2.0', '0.2.1'] as const

export const CONTEXTS: readonly Scenario[] = [
  one(
    'effective-context-of-another-stream',
    {
      request_headers: [
        { call: 'remember_context', as: 'first', if: { nth: 1, path: '/waits' } },
        { ...PAUSE, if: { path: '/waits' } },
        { call: 'set_effective_context', remembered: 'first', if: { path: '/looks' } },
        { ...PATH, if: { total: 2 } },
        {
          call: 'set_header',
          map: 'request',
          name: 'x-from-outside',
          value: '1',
          if: { total: 2 },
        },
        { call: 'continue_request', if: { total: 2 } },
        { call: 'set_effective_context', if: { total: 2 } },
        { ...PATH, if: { total: 2 } },
        // what its upstream sees must not race with the other's
        { call: 'local_reply', status: 200, body: 'looked', if: { total: 2 } },
      ],
    },
    { requests: [{ path: '/waits', background: true }, { path: '/looks' }] },
  ),
  one(
    'effective-context-of-a-stream-that-has-gone',
    {
      request_headers: [
        { call: 'set_effective_context', remembered: 'first', if: { total: 2 } },
        { call: 'remember_context', as: 'first', if: { total: 1 } },
      ],
    },
    { requests: [{}, {}] },
  ),
  one('effective-context-ends-with-the-callback', {
    request_headers: [{ call: 'set_effective_context', root: true }, PATH],
    response_headers: [{ call: 'get_header', map: 'response', name: ':status' }],
  }),
  one('ticks-answer-a-paused-stream', {
    request_headers: [
      { call: 'remember_context', as: 'stream' },
      { call: 'set_tick_period', ms: 50 },
      PAUSE,
    ],
    tick: [
      { call: 'set_tick_period', ms: 0, if: { remembered: 'stream' } },
      { call: 'set_effective_context', remembered: 'stream', if: { remembered: 'stream' } },
      { call: 'continue_request', if: { remembered: 'stream' } },
    ],
  }),
  one('done-answered-false', { done: [{ call: 'return_false' }], log: [{ call: 'done' }] }),
  one('root-done-answered-false', {
    done: [
      { call: 'return_false', if: { root: true } },
      { call: 'done', if: { root: true } },
    ],
  }),
  one('log-of-a-stream', {
    log: [
      { call: 'get_header', map: 'request', name: ':path' },
      { call: 'get_header', map: 'response', name: ':status' },
      { call: 'get_header', map: 'response', name: 'x-absent' },
      { call: 'set_header', map: 'response', name: 'x', value: '1' },
      { call: 'get_pairs', map: 'request' },
      { call: 'get_body', buffer: 'response' },
      { call: 'set_property', path: ['late'], value: '1' },
    ],
  }),
  one(
    'many-requests-in-a-row',
    { request_headers: [{ call: 'nothing' }] },
    { requests: [{}, {}, {}, {}] },
  ),

  ...VERSIONS.map((version) =>
    one(
      `lifecycle-of-${version}`,
      {
        request_headers: [
          { call: 'get_header', name: 'x-absent' },
          { call: 'get_header', name: 'x-empty' },
        ],
        request_body: [HOLD],
        response_body: [HOLD],
      },
      {
        requests: [{ method: 'POST', headers: [['x-empty', '']], body: 'hello' }],
        plugin: { module: `probe:${version}` },
      },
    ),
  ),
  ...VERSIONS.map((version) =>
    one(
      `resume-in-${version}`,
      {
        request_headers: [callout('echo'), PAUSE],
        http_call_response: [
          { call: 'get_header', name: ':status' },
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request' },
        ],
      },
      { plugin: { module: `probe:${version}` } },
    ),
  ),
  one(
    'configuration-in-0.1.0',
    {
      configure: [{ call: 'get_configuration' }],
      request_headers: [{ call: 'get_configuration' }, { call: 'clear_route_cache' }],
    },
    {
      plugin: {
        module: 'probe:0.1.0',
        vmConfiguration: '{"steps":{"vm_start":[{"call":"get_configuration"}]}}',
      },
    },
  ),
  one('close-request-in-request-headers', { request_headers: [{ call: 'close_request' }] }),
  one('close-request-in-response-headers', { response_headers: [{ call: 'close_request' }] }),
  one('close-response-in-request-headers', { request_headers: [{ call: 'close_response' }] }),
  one('close-response-in-response-headers', { response_headers: [{ call: 'close_response' }] }),
  one(
    'close-response-in-response-body',
    { response_body: [{ call: 'close_response', if: { nth: 1 } }] },
    { answer: { chunks: ['one', 'two', 'three'] } },
  ),
  one('close-request-from-a-callout', {
    request_headers: [callout('200'), PAUSE],
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: 'close_request' },
    ],
  }),
  one(
    'close-stream-of-other-kinds',
    { request_headers: [2, 3, 4, -1].map((stream) => ({ call: 'close_stream', stream })) },
    { alone: true },
  ),

  one(
    'capabilities-without-most-calls',
    {
      request_headers: [
        PATH,
        { call: 'get_pairs' },
        { call: 'set_header', name: 'x', value: '1' },
        { call: 'get_property', path: ['request', 'path'] },
        { call: 'shared_data_get', key: 'k' },
        { call: 'local_reply', status: 403 },
        { call: 'time' },
        callout('echo'),
      ],
    },
    { plugin: { capabilities: all([]) } },
  ),
  one(
    'capabilities-with-some-calls',
    {
      request_headers: [PATH, { call: 'set_header', name: 'x', value: '1' }, { call: 'get_pairs' }],
      response_headers: [{ call: 'nothing' }],
    },
    { plugin: { capabilities: all(['proxy_get_header_map_value', 'proxy_add_header_map_value']) } },
  ),
  one(
    'capabilities-without-the-clock',
    {
      request_headers: [{ call: 'clock' }, { call: 'stdout', message: 'stdout' }, { call: 'env' }],
    },
    {
      plugin: {
        env: { A: '1' },
        capabilities: all([]).filter((name) => !name.startsWith('clock_')),
      },
    },
  ),

  one('foreign-functions', {
    request_headers: [
      { call: 'foreign', function: 'absent', argument: 'x' },
      { call: 'foreign', function: '', argument: '' },
      {
        call: 'foreign',
        function: 'compress',
        argument: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
        save: 'z',
        show: 2,
      },
      { call: 'foreign', function: 'uncompress', argument: { saved: 'z' } },
      { call: 'foreign', function: 'uncompress', argument: 'no zlib' },
      { call: 'foreign', function: 'compress', argument: '', show: 2 },
      { call: 'foreign', function: 'clear_route_cache', argument: '' },
      { call: 'foreign', function: 'verify_signature', argument: 'no proto' },
      { call: 'foreign', function: 'set_envoy_filter_state', argument: { hex: 'ff' } },
      { call: 'foreign', function: 'declare_property', argument: { hex: 'ff' } },
      { call: 'foreign', function: 'expr_evaluate', argument: 'abc' },
      { call: 'foreign', function: 'expr_delete', argument: 'abc' },
      { call: 'foreign', function: 'compress', argument: 'x', discard: true },
    ],
  }),
  one(
    'environment-and-output',
    {
      request_headers: [
        { call: 'env' },
        { call: 'stdout', message: 'stdout line' },
        { call: 'stderr', message: 'stderr line' },
        { call: 'get_log_level' },
      ],
    },
    { plugin: { env: { A: '1', B: 'two words' } } },
  ),
  chain(
    'two-roots-in-one-vm',
    [
      {
        vm: 'both',
        steps: { configure: [{ call: 'get_property', path: ['plugin_root_id'] }], tick: [] },
      },
      {
        vm: 'both',
        steps: {
          configure: [
            { call: 'get_property', path: ['plugin_root_id'] },
            { call: 'get_property', path: ['plugin_name'] },
          ],
        },
      },
    ],
    { requests: [{}, {}] },
  ),
  one(
    'body-callbacks-with-a-resume-inside',
    { request_body: [HOLD, atEnd({ call: 'continue_request' }), atEnd({ call: 'get_body' })] },
    { requests: [{ method: 'POST', body: 'hello' }] },
  ),
]
