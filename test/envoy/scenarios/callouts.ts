/** Outcomes of HTTP callouts. */
import type { Scenario, Step } from '../scenario.ts'
import { callout, one, PAUSE } from './steps.ts'

const SEE: Step[] = [
  { call: 'get_header', name: ':status' },
  { call: 'get_header', name: 'x-callee' },
  { call: 'get_header', name: 'X-CALLEE' },
  { call: 'get_header', name: 'x-absent' },
  { call: 'get_pairs', map: 'call' },
  { call: 'get_pairs', map: 'call_trailers' },
  { call: 'get_body', buffer: 'call' },
  { call: 'get_body', buffer: 'call', start: 2, size: 3 },
  { call: 'body_status', buffer: 'call' },
  { call: 'get_status' },
]
const GO: Step[] = [{ call: 'set_effective_context', issuer: true }, { call: 'continue_request' }]

const lines = (rest: readonly (readonly [string, unknown])[], path = '/echo'): unknown[] => [
  [':method', 'POST'],
  [':path', path],
  [':authority', 'callee'],
  ...rest,
]
const outcome = (name: string, step: Step): Scenario =>
  one(
    `callout-${name}`,
    { request_headers: [step, PAUSE], http_call_response: [...SEE, ...GO] },
    {},
  )
/** Refused at once: nothing is waited for. */
const refused = (name: string, ...steps: Step[]): Scenario =>
  one(`callout-${name}`, { request_headers: steps }, {})

export const CALLOUTS: readonly Scenario[] = [
  outcome('answered', callout('echo')),
  ...[200, 204, 302, 401, 404, 500].map((status) =>
    outcome(`answered-${status}`, callout(String(status))),
  ),
  outcome('with-cookies', callout('cookies')),
  outcome('with-trailers', callout('trailers')),
  outcome('refused', callout('echo', { upstream: 'refused' })),
  outcome('reset', callout('reset')),
  outcome('reset-in-its-body', callout('half')),
  outcome('timed-out', callout('silent', { timeout_ms: 150 })),
  outcome(
    'with-a-body',
    callout('echo', { headers: lines([['content-type', 'text/plain']]), body: 'question' }),
  ),
  outcome(
    'with-headers',
    callout('echo', {
      headers: lines([
        ['x-a', '1'],
        ['x-a', '2'],
        ['X-Upper', 'u'],
        ['x-empty', ''],
      ]),
    }),
  ),
  outcome(
    'with-an-authority-of-its-own',
    callout('echo', {
      headers: [
        [':method', 'GET'],
        [':path', '/echo'],
        [':authority', 'other.test'],
      ],
    }),
  ),
  outcome(
    'with-a-host-header',
    callout('echo', {
      headers: [
        [':method', 'GET'],
        [':path', '/echo'],
        ['host', 'callee'],
      ],
    }),
  ),
  outcome('of-a-get-with-a-body', callout('echo', { body: 'question' })),
  outcome(
    'of-head',
    callout('echo', {
      headers: [
        [':method', 'HEAD'],
        [':path', '/echo'],
        [':authority', 'callee'],
      ],
    }),
  ),
  outcome(
    'with-trailers-sent',
    // Envoy's trailers behind a body of known length spoil the connection: nobody else's
    callout('callout/echo', {
      upstream: '@upstream',
      headers: lines([], '/callout/echo'),
      body: 'question',
      trailers: [['x-t', '1']],
    }),
  ),
  outcome('to-the-own-upstream', callout('callout/200', { upstream: '@upstream' })),
  refused(
    'to-an-unknown-upstream',
    callout('echo', { upstream: 'nobody' }),
    callout('echo', { upstream: '' }),
  ),
  refused(
    'without-pseudo-headers',
    callout('echo', {
      headers: [
        [':path', '/'],
        [':authority', 'callee'],
      ],
    }),
    callout('echo', {
      headers: [
        [':method', 'GET'],
        [':authority', 'callee'],
      ],
    }),
    callout('echo', {
      headers: [
        [':method', 'GET'],
        [':path', '/'],
      ],
    }),
    callout('echo', { headers: [] }),
    callout('echo', { headers: { hex: 'ff' } }),
    callout('echo', { timeout_ms: -1 }),
  ),
  one('callouts-of-one-stream-in-turn', {
    request_headers: [callout('200', { label: 'a' }), PAUSE],
    http_call_response: [
      { call: 'get_header', name: ':status' },
      { call: 'set_effective_context', issuer: true },
      { ...callout('401', { label: 'b' }), if: { label: 'a' } },
      { call: 'continue_request', if: { label: 'b' } },
    ],
  }),
  one('callout-from-response-headers', {
    response_headers: [callout('200'), PAUSE],
    http_call_response: [
      ...SEE.slice(0, 1),
      { call: 'set_effective_context', issuer: true },
      { call: 'set_header', map: 'response', name: 'x-late', value: 'yes' },
      { call: 'continue_response' },
    ],
  }),
  one('callout-from-log', { log: [callout('200')], http_call_response: SEE }, { settleMs: 150 }),
  one(
    'callout-answered-behind-its-stream',
    {
      request_headers: [callout('slow')],
      http_call_response: [
        { call: 'get_header', name: ':status' },
        { call: 'set_effective_context', issuer: true },
      ],
    },
    { settleMs: 250 },
  ),
  one('callout-maps-behind-the-callback', {
    request_headers: [callout('200'), PAUSE],
    http_call_response: GO,
    response_headers: [
      { call: 'get_header', map: 'call', name: ':status' },
      { call: 'get_body', buffer: 'call' },
      { call: 'get_status' },
    ],
  }),
  one('callout-reply-edited', {
    request_headers: [callout('200'), PAUSE],
    http_call_response: [
      { call: 'set_header', map: 'call', name: 'x', value: '1' },
      { call: 'add_header', map: 'call', name: 'x', value: '1' },
      { call: 'remove_header', map: 'call', name: 'x-callee' },
      { call: 'set_pairs', map: 'call', pairs: [] },
      { call: 'set_body', buffer: 'call', value: 'x' },
      ...GO,
    ],
  }),
  one('grpc-calls-that-cannot-start', {
    request_headers: [
      { call: 'grpc_call', upstream: 'nobody', service: 's', method: 'm', message: 'x' },
      { call: 'grpc_stream', upstream: 'nobody', service: 's', method: 'm' },
      { call: 'grpc_send', token: 1, message: 'x' },
      { call: 'grpc_send', token: 2, message: 'x' },
      { call: 'grpc_cancel', token: 1 },
      { call: 'grpc_close', token: 2 },
    ],
  }),
]
