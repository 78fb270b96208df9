/** Local replies, from every phase. */
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, callout, HOLD, one, PAUSE } from './steps.ts'

const POST = [{ method: 'POST', body: 'hello' }]
const REPLY: Step = {
  call: 'local_reply',
  status: 418,
  details: 'short and stout',
  headers: [['x-from', 'plugin']],
  body: 'teapot',
}
/** What the response callbacks see of it. */
const SEE: Step[] = [{ call: 'get_pairs', map: 'response' }]

const reply = (rest: Step): Step => ({ call: 'local_reply', status: 403, ...rest })
const at = (name: string, steps: Step[], request: object = {}): Scenario =>
  one(`reply-${name}`, { request_headers: steps, response_headers: SEE }, { requests: [request] })

export const REPLIES: readonly Scenario[] = [
  one('reply-from-create', { create: [{ ...REPLY, if: { root: false } }], response_headers: SEE }),
  one(
    'reply-from-request-headers',
    { request_headers: [REPLY], response_headers: SEE },
    { requests: POST },
  ),
  one(
    'reply-from-request-headers-and-paused',
    { request_headers: [REPLY, PAUSE], response_headers: SEE },
    { requests: POST },
  ),
  one(
    'reply-from-request-body',
    { request_body: [HOLD, atEnd(REPLY)], response_headers: SEE },
    { requests: POST },
  ),
  one('reply-from-response-headers', { response_headers: [REPLY], log: SEE }, {}),
  one('reply-from-response-body-held', { response_headers: [PAUSE], response_body: [REPLY] }, {}),
  one('reply-from-response-body', { response_body: [atEnd(REPLY)], log: SEE }, {}),
  one(
    'reply-from-response-body-first-chunk',
    { response_body: [{ ...REPLY, if: { nth: 1 } }] },
    { answer: { chunks: ['one', 'two', 'three'] } },
  ),
  one('reply-from-log', { log: [REPLY] }, { alone: true }),
  one('reply-from-done', { done: [REPLY] }, { alone: true }),
  one('reply-from-configure', { configure: [REPLY] }, {}),
  one(
    'reply-from-a-callout',
    {
      request_headers: [callout('401'), PAUSE],
      http_call_response: [{ call: 'set_effective_context', issuer: true }, REPLY],
      response_headers: SEE,
    },
    { requests: POST },
  ),
  one(
    'reply-from-a-callout-of-a-held-body',
    {
      request_body: [HOLD, atEnd(callout('401')), atEnd(PAUSE)],
      http_call_response: [{ call: 'set_effective_context', issuer: true }, REPLY],
      response_headers: SEE,
    },
    { requests: POST },
  ),
  one(
    'reply-from-a-callout-of-response-headers',
    {
      response_headers: [callout('401'), PAUSE],
      http_call_response: [{ call: 'set_effective_context', issuer: true }, REPLY],
    },
    {},
  ),
  one(
    'reply-from-a-callout-without-effective-context',
    {
      request_headers: [callout('401'), PAUSE],
      http_call_response: [
        REPLY,
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request' },
      ],
    },
    {},
  ),
  one(
    'reply-from-a-queue',
    {
      request_headers: [
        { call: 'queue_register', name: 'q', save: 'q' },
        { call: 'remember_context', as: 'stream' },
        { call: 'queue_enqueue', queue: { saved: 'q' }, value: 'x' },
        PAUSE,
      ],
      queue_ready: [{ call: 'set_effective_context', remembered: 'stream' }, REPLY],
    },
    {},
  ),
  one('reply-edited-in-response-callbacks', {
    request_headers: [REPLY],
    response_headers: [
      { call: 'set_header', name: ':status', value: '200' },
      { call: 'set_header', name: 'x-edited', value: 'yes' },
      { call: 'remove_header', name: 'content-length' },
    ],
    response_body: [{ call: 'set_body', value: 'edited' }],
  }),
  one('reply-then-calls', {
    request_headers: [
      REPLY,
      { call: 'get_header', map: 'request', name: ':path' },
      { call: 'set_header', map: 'request', name: 'x-late', value: '1' },
      { call: 'continue_request' },
    ],
  }),
  at('empty', [reply({})]),
  at('with-status-200', [{ call: 'local_reply', status: 200, body: 'fine' }]),
  at('with-status-204', [{ call: 'local_reply', status: 204, body: 'not sent' }]),
  at('with-status-304', [{ call: 'local_reply', status: 304, headers: [['etag', '"1"']] }]),
  at('with-status-500', [{ call: 'local_reply', status: 500, body: 'broken' }]),
  at('with-content-type', [reply({ headers: [['Content-Type', 'application/json']], body: '{}' })]),
  at('with-content-type-and-no-body', [reply({ headers: [['content-type', 'application/json']] })]),
  at('with-content-length', [reply({ headers: [['content-length', '99']], body: 'four' })]),
  at('with-cookies', [
    reply({
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-two', '1'],
        ['x-two', '2'],
      ],
    }),
  ]),
  at('with-pseudo-headers', [
    reply({
      headers: [
        [':status', '200'],
        [':path', '/x'],
        ['x-ok', '1'],
      ],
    }),
  ]),
  at('with-malformed-headers', [reply({ headers: { hex: 'ffffffff' }, body: 'x' })]),
  at('to-head', [reply({ body: 'not sent' })], { method: 'HEAD' }),
  at('to-grpc', [reply({ body: 'no way: ü%' })], {
    method: 'POST',
    headers: [['content-type', 'application/grpc']],
    body: 'x',
  }),
  at('to-grpc-with-a-status', [reply({ body: 'no', grpc_status: 7 })], {
    method: 'POST',
    headers: [['content-type', 'application/grpc+proto']],
    body: 'x',
  }),
  at('to-grpc-with-a-wrong-status', [reply({ grpc_status: 99 })], {
    method: 'POST',
    headers: [['content-type', 'application/grpc']],
    body: 'x',
  }),
  at('to-grpc-web', [reply({ body: 'no', grpc_status: 7 })], {
    method: 'POST',
    headers: [['content-type', 'application/grpc-web']],
    body: 'x',
  }),
  at('with-a-grpc-status-to-http', [reply({ body: 'no', grpc_status: 7 })]),
  ...[400, 401, 403, 404, 408, 429, 502, 503, 504, 501].map((status) =>
    at(`to-grpc-with-${status}`, [{ call: 'local_reply', status }], {
      method: 'POST',
      headers: [['content-type', 'application/grpc']],
      body: 'x',
    }),
  ),
  one('second-reply-in-one-callback', {
    request_headers: [REPLY, { call: 'local_reply', status: 500, body: 'second' }],
  }),
  one('second-reply-in-response-headers', {
    request_headers: [REPLY],
    response_headers: [{ call: 'local_reply', status: 500, body: 'second' }],
  }),
  one('second-reply-in-the-response-body', {
    request_headers: [REPLY],
    response_body: [{ call: 'local_reply', status: 500, body: 'second' }],
  }),
  one(
    'second-reply-in-response-headers-of-the-upstream',
    {
      response_headers: [REPLY, { call: 'local_reply', status: 500, body: 'second' }],
    },
    { alone: true },
  ),
]
