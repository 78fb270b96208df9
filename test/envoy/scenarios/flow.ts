/** Pausing and going on: actions of headers and body callbacks, resumes from where they may come. */
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, callout, GO_ON, HOLD, one, PAUSE } from './steps.ts'

const POST = [{ method: 'POST', body: 'hello' }]
const CHUNKS = [{ method: 'POST', chunks: ['one', 'two', 'three'] }]
const CHUNKED = { chunks: ['one', 'two', 'three'] }

const returns = (action: number, rest: object = {}): Step => ({ call: 'return', action, ...rest })
const RESUME = { call: 'continue_request' }
const RESUME_RESPONSE = { call: 'continue_response' }

/** A Pause that a callout ends. */
const resumed = (on: string, action: number, last: Step = RESUME): Record<string, Step[]> => ({
  // 0 and 2 do not pause: nobody would wait for the callout
  [on]: [...(action === 0 || action === 2 ? [] : [callout('echo')]), returns(action)],
  http_call_response: [{ call: 'set_effective_context', issuer: true }, last],
})

export const FLOW: readonly Scenario[] = [
  ...[0, 1, 2, 3, 4, 5, 77].map((action) =>
    one(`action-${action}-in-request-headers`, resumed('request_headers', action), {
      requests: POST,
    }),
  ),
  ...[0, 1, 2, 3, 4, 5, 77].map((action) =>
    one(
      `action-${action}-in-response-headers`,
      resumed('response_headers', action, RESUME_RESPONSE),
    ),
  ),
  ...[0, 1, 2, 3, 4, 5].map((action) =>
    one(
      `action-${action}-in-request-body`,
      { request_body: [returns(action, { if: { end_of_stream: false } })] },
      { requests: CHUNKS, everyChunk: 'request' },
    ),
  ),
  ...[0, 1, 2, 3, 4, 5].map((action) =>
    one(
      `action-${action}-in-response-body`,
      { response_body: [returns(action, { if: { end_of_stream: false } })] },
      { answer: CHUNKED, everyChunk: 'response' },
    ),
  ),
  one(
    'request-body-held-until-its-end',
    { request_body: [HOLD] },
    { requests: CHUNKS, everyChunk: 'request' },
  ),
  one(
    'response-body-held-until-its-end',
    { response_body: [HOLD] },
    { answer: CHUNKED, everyChunk: 'response' },
  ),
  one(
    'request-body-paused-at-its-end-resumed-by-a-callout',
    { request_body: [HOLD, atEnd(callout('echo')), atEnd(PAUSE)], http_call_response: GO_ON },
    { requests: POST },
  ),
  one(
    'response-body-paused-at-its-end-resumed-by-a-callout',
    {
      response_body: [HOLD, atEnd(callout('echo')), atEnd(PAUSE)],
      http_call_response: [{ call: 'set_effective_context', issuer: true }, RESUME_RESPONSE],
    },
    {},
  ),
  one(
    'resumed-after-two-callouts',
    {
      request_headers: [callout('slow', { label: 'a' }), callout('204', { label: 'b' }), PAUSE],
      http_call_response: GO_ON.map((step) => ({ ...step, if: { total: 2 } })),
    },
    { requests: POST },
  ),
  one(
    'resumed-and-paused-in-one-callback',
    { request_headers: [RESUME, PAUSE] },
    { requests: POST },
  ),
  one('resumed-without-a-pause', { request_headers: [RESUME] }, {}),
  one('resumed-without-a-pause-with-a-body', { request_headers: [RESUME] }, { requests: POST }),
  one('response-resumed-without-a-pause', { response_headers: [RESUME_RESPONSE] }, {}),
  one(
    'response-resumed-before-there-is-one',
    { request_headers: [RESUME_RESPONSE] },
    { alone: true },
  ),
  one('request-resumed-from-its-response', { response_headers: [RESUME] }, { requests: POST }),
  one(
    'resumed-twice',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [...GO_ON, RESUME],
    },
    {},
  ),
  one(
    'headers-edited-while-paused',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'get_header', map: 'request', name: 'x-one' },
        { call: 'set_header', map: 'request', name: 'x-two', value: '2' },
        { call: 'add_header', map: 'request', name: 'x-one', value: 'more' },
        RESUME,
      ],
    },
    { requests: [{ method: 'POST', headers: [['x-one', '1']], body: 'hello' }] },
  ),
  one(
    'headers-read-behind-the-resume',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        RESUME,
        { call: 'get_header', map: 'request', name: 'x-one' },
        { call: 'set_header', map: 'request', name: 'x-two', value: '2' },
      ],
    },
    { requests: [{ headers: [['x-one', '1']] }] },
  ),
  one(
    'headers-stop-alone-when-allowed',
    {
      request_headers: [PAUSE],
      request_body: [
        HOLD,
        atEnd({ call: 'get_header', map: 'request', name: 'x-one' }),
        atEnd({ call: 'set_header', map: 'request', name: 'x-seen', value: 'body' }),
        atEnd({ call: 'get_body' }),
      ],
    },
    {
      requests: [{ method: 'POST', headers: [['x-one', '1']], body: 'hello' }],
      plugin: { allowOnHeadersStopIteration: true },
    },
  ),
  one(
    'response-headers-stop-alone-when-allowed',
    {
      response_headers: [PAUSE],
      response_body: [
        HOLD,
        atEnd({ call: 'set_header', map: 'response', name: 'x-seen', value: 'body' }),
        atEnd({ call: 'set_header', map: 'response', name: ':status', value: '203' }),
      ],
    },
    { plugin: { allowOnHeadersStopIteration: true } },
  ),
  one(
    'one-stream-resumes-another',
    {
      request_headers: [
        { call: 'remember_context', as: 'first', if: { path: '/waits' } },
        returns(1, { if: { path: '/waits' } }),
        { call: 'set_effective_context', remembered: 'first', if: { path: '/resumes' } },
        { ...RESUME, if: { total: 2 } },
        // two requests to the upstream would race
        { call: 'set_effective_context', if: { total: 2 } },
        { call: 'local_reply', status: 200, body: 'resumed', if: { total: 2 } },
      ],
    },
    { requests: [{ path: '/waits', background: true }, { path: '/resumes' }] },
  ),
  one(
    'a-client-leaves-nothing-behind',
    { request_headers: [PAUSE], log: [{ call: 'get_property', path: ['response', 'code'] }] },
    { requests: [{ leavesAfterMs: 80 }], settleMs: 100 },
  ),
]
