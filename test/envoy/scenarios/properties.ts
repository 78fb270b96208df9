/** Properties: every attribute, their encodings, paths of every form. */
import { ATTRIBUTES } from '../../../src/proxy-wasm/stream/attributes.ts'
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, HOLD, one } from './steps.ts'

/** Attributes that Envoy documents and Fetch cannot fill, beside those that are served here. */
const OTHERS = [
  'connection.subject_local_certificate',
  'connection.dns_san_local_certificate',
  'connection.dns_san_peer_certificate',
  'connection.uri_san_local_certificate',
  'connection.uri_san_peer_certificate',
  'connection.transport_failure_reason',
  'connection.termination_details',
  'upstream.local_address',
  'upstream.tls_version',
  'upstream.subject_peer_certificate',
  'upstream.transport_failure_reason',
  'upstream.request_attempt_count',
  'upstream.cx_pool_ready_duration',
  'upstream.locality',
  'metadata',
  'filter_state',
  'xds.node',
  'xds.cluster_metadata',
  'xds.route_metadata',
  'xds.virtual_host_metadata',
  'xds.upstream_host_metadata',
  'xds.filter_chain_name',
  'xds.listener_metadata',
  'node',
  'cluster_metadata',
  'route_metadata',
  'upstream_host_metadata',
  'listener_metadata',
]

const read = (names: readonly string[]): Step[] =>
  names.map((name) => ({ call: 'get_property', path: name.split('.') }))
const all: Step[] = read([...new Set([...Object.keys(ATTRIBUTES), ...OTHERS])].sort())

const REQUESTS = [
  {
    method: 'POST',
    path: '/shop/items?page=2',
    headers: [
      ['referer', 'http://other.test/'],
      ['user-agent', 'compare/1'],
      ['x-one', '1'],
      ['x-request-id', 'r-1'],
    ] as const,
    body: 'hello',
  },
]
const ANSWER = {
  headers: [
    ['content-type', 'text/plain'],
    ['x-answer', 'yes'],
  ] as const,
}

const PATHS: Step[] = [
  ['request', 'headers', 'x-one'],
  ['request', 'headers', 'X-ONE'],
  ['request', 'headers', 'x-absent'],
  ['request', 'headers', ':path'],
  ['request', 'headers', 'host'],
  ['request', 'path', 'more'],
  ['request', 'absent'],
  ['request'],
  ['response'],
  ['connection'],
  ['source'],
  ['upstream'],
  ['xds'],
  ['plugin_name'],
  ['plugin_root_id'],
  ['plugin_vm_id'],
  ['plugin_name', 'more'],
  ['constructor'],
  ['__proto__'],
  ['absent'],
  ['absent', 'deeper'],
  [''],
  ['', 'request'],
  ['metadata', 'filter_metadata', 'absent'],
  ['filter_state', 'absent'],
  ['xds', 'node', 'id'],
  ['node', 'id'],
].map((path) => ({ call: 'get_property', path }))

export const PROPERTIES: readonly Scenario[] = [
  ...['request_headers', 'response_headers', 'log', 'done'].map((on) =>
    one(
      `attributes-in-${on.replace('_', '-')}`,
      { [on]: all },
      { requests: REQUESTS, answer: ANSWER },
    ),
  ),
  one(
    'attributes-in-request-body',
    { request_body: [HOLD, ...all.map(atEnd)] },
    { requests: REQUESTS },
  ),
  one(
    'attributes-in-response-body',
    { response_body: [HOLD, ...all.map(atEnd)] },
    { requests: REQUESTS },
  ),
  one('attributes-in-a-root', { configure: all }, {}),
  one(
    'attributes-of-a-local-reply',
    {
      request_headers: [{ call: 'local_reply', status: 403, details: 'a b', body: 'no' }],
      log: all,
    },
    {},
  ),
  one('attributes-of-a-get-without-a-query', {
    request_headers: read([
      'request.query',
      'request.url_path',
      'request.size',
      'request.referer',
      'request.useragent',
      'request.id',
    ]),
  }),
  one('property-paths', { request_headers: PATHS }, { requests: REQUESTS }),
  one(
    'property-paths-with-a-nul-behind',
    {
      request_headers: [
        { call: 'get_property', path: ['request', 'path'], trailing_nul: true },
        { call: 'set_property', path: ['mine'], value: '1' },
        { call: 'get_property', path: ['mine'], trailing_nul: true },
        { call: 'get_property', path: { hex: '' } },
        { call: 'get_property', path: { hex: '00' } },
      ],
    },
    { requests: REQUESTS },
  ),
  one('property-set-in-one-phase-read-in-the-next', {
    request_headers: [{ call: 'set_property', path: ['mine'], value: { hex: '00ff' } }],
    response_headers: [{ call: 'get_property', path: ['mine'] }],
    log: [{ call: 'get_property', path: ['mine'] }],
  }),
  one(
    'property-set-by-the-stream-before',
    {
      request_headers: [
        { call: 'get_property', path: ['mine'] },
        { call: 'set_property', path: ['mine'], value: 'x' },
      ],
    },
    { requests: [{}, {}] },
  ),
]
