/** Reading and editing bodies. */
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, callout, HOLD, one, PAUSE } from './steps.ts'

const BODY = '0123456789'
const POST = [{ method: 'POST', body: BODY }]
const CHUNKS = [{ method: 'POST', chunks: ['01234', '56789'] }]

/** start, size, value: every form of a splice. */
const SPLICES: readonly (readonly [name: string, start: number, size: number, value: string])[] = [
  ['prepended', 0, 0, 'new'],
  ['appended', 10, 0, 'new'],
  ['appended-far-behind', 2_147_483_647, 0, 'new'],
  ['appended-with-a-size', 10, 5, 'new'],
  ['replaced', 0, 10, 'new'],
  ['replaced-by-minus-one', 0, -1, 'new'],
  ['replaced-by-more', 0, 100, 'new'],
  ['replaced-in-front', 0, 3, 'new'],
  ['replaced-in-the-middle', 3, 4, 'new'],
  ['replaced-to-the-end', 3, 7, 'new'],
  ['inserted', 5, 0, 'new'],
  ['emptied', 0, 10, ''],
  ['cut-in-front', 0, 4, ''],
  ['unchanged', 0, 0, ''],
  ['grown', 0, 10, 'a much longer body than before'],
]

const edit = (start: number, size: number, value: string): Step[] => [
  HOLD,
  atEnd({ call: 'set_body', start, size, value }),
  atEnd({ call: 'body_status' }),
  atEnd({ call: 'get_body' }),
]

const NO_LENGTH = { call: 'remove_header', name: 'content-length' }

export const BODIES: readonly Scenario[] = [
  ...SPLICES.map(([name, start, size, value]) =>
    one(
      `request-body-${name}`,
      { request_headers: [NO_LENGTH], request_body: edit(start, size, value) },
      { requests: POST },
    ),
  ),
  ...SPLICES.map(([name, start, size, value]) =>
    one(
      `response-body-${name}`,
      { response_headers: [NO_LENGTH], response_body: edit(start, size, value) },
      { answer: { body: BODY } },
    ),
  ),
  one(
    'request-body-grown-with-its-length',
    { request_body: edit(0, 10, 'longer than it was') },
    { requests: POST },
  ),
  one(
    'response-body-grown-with-its-length',
    { response_body: edit(0, 10, 'longer than it was') },
    { answer: { body: BODY } },
  ),
  one(
    'response-body-cut-with-its-length',
    { response_body: edit(0, 10, 'cut') },
    { answer: { body: BODY } },
  ),
  one('chunked-request-body-edited', { request_body: edit(0, 10, 'new') }, { requests: CHUNKS }),
  one(
    'chunked-response-body-edited',
    { response_body: edit(0, 10, 'new') },
    { answer: { chunks: ['01234', '56789'] } },
  ),
  one(
    'each-chunk-edited',
    {
      request_headers: [NO_LENGTH],
      request_body: [{ call: 'set_body', start: 0, size: 0, value: '<' }],
      response_headers: [NO_LENGTH],
      response_body: [{ call: 'set_body', start: 2_147_483_647, size: 0, value: '>' }],
    },
    { requests: CHUNKS, answer: { chunks: ['ab', 'cd'] } },
  ),
  one(
    'body-read-in-parts',
    {
      request_body: [
        HOLD,
        ...[
          { call: 'get_body', start: 0, size: 4 },
          { call: 'get_body', start: 4, size: 100 },
          { call: 'get_body', start: 10, size: 1 },
          { call: 'get_body', start: 11, size: 1 },
          { call: 'get_body', start: -1, size: -1 },
          { call: 'get_body', start: 2, size: 0 },
          { call: 'body_status' },
        ].map(atEnd),
      ],
    },
    { requests: POST },
  ),
  one(
    'body-edited-twice-in-one-callback',
    {
      request_headers: [NO_LENGTH],
      request_body: [
        ...edit(0, 10, 'first'),
        atEnd({ call: 'set_body', start: 0, size: 0, value: 'second, ' }),
        atEnd({ call: 'get_body' }),
      ],
    },
    { requests: POST },
  ),
  one(
    'body-of-the-other-direction',
    {
      request_body: [
        HOLD,
        atEnd({ call: 'get_body', buffer: 'response' }),
        atEnd({ call: 'set_body', buffer: 'response', value: 'x' }),
      ],
      response_body: [
        HOLD,
        atEnd({ call: 'get_body', buffer: 'request' }),
        atEnd({ call: 'set_body', buffer: 'request', value: 'x' }),
      ],
    },
    { requests: POST },
  ),
  one(
    'body-edited-from-a-callout-while-it-is-held',
    {
      request_headers: [NO_LENGTH],
      request_body: [HOLD, atEnd(callout('echo')), atEnd(PAUSE)],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'get_body', buffer: 'request' },
        { call: 'set_body', buffer: 'request', value: 'from a callout' },
        { call: 'get_body', buffer: 'request' },
        { call: 'continue_request' },
      ],
    },
    { requests: POST },
  ),
  one(
    'body-edited-from-a-callout-while-headers-are-held',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'get_body', buffer: 'request' },
        { call: 'set_body', buffer: 'request', value: 'from a callout' },
        { call: 'continue_request' },
      ],
    },
    { requests: POST },
  ),
  one(
    'body-shown-behind-held-headers',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request' },
      ],
      request_body: [HOLD, atEnd({ call: 'get_body' })],
    },
    { requests: CHUNKS },
  ),
  one(
    'request-body-beyond-the-limit',
    { request_body: [HOLD] },
    {
      requests: [{ method: 'POST', body: 'x'.repeat(300_000) }],
      plugin: { bodyBytes: 100_000 },
    },
  ),
  one(
    'response-body-beyond-the-limit',
    { response_body: [HOLD] },
    {
      answer: { body: 'x'.repeat(300_000) },
      plugin: { bodyBytes: 100_000 },
    },
  ),
  one(
    'a-large-body-streams-beyond-the-limit',
    {},
    {
      requests: [{ method: 'POST', body: 'x'.repeat(100_000) }],
      answer: { body: 'y'.repeat(100_000) },
      plugin: { bodyBytes: 1024 },
    },
  ),
  one(
    'binary-bodies',
    {
      request_body: [HOLD, atEnd({ call: 'get_body' })],
      response_body: [HOLD, atEnd({ call: 'get_body' })],
    },
    {
      requests: [{ method: 'POST', body: '\u0000\u0001\u0080\u00ff\r\n' }],
      answer: { body: '\u00ff\u00fe\u0000' },
    },
  ),
  one(
    'a-head-request',
    { response_headers: [], response_body: [] },
    { requests: [{ method: 'HEAD' }], answer: { body: 'not sent' } },
  ),
  one(
    'a-204',
    { response_headers: [{ call: 'get_pairs' }] },
    { answer: { status: 204, headers: [['x-one', '1']] } },
  ),
  one(
    'a-304',
    { response_headers: [{ call: 'get_pairs' }] },
    { answer: { status: 304, headers: [['etag', '"1"']] } },
  ),
  one('an-empty-request-body', {}, { requests: [{ method: 'POST', body: '' }] }),
  one('an-empty-response-body', {}, { answer: { body: '' } }),
  one(
    'an-empty-chunked-body',
    {},
    { requests: [{ method: 'POST', chunks: [] }], answer: { chunks: [] } },
  ),
  one(
    'a-get-with-a-body',
    { request_body: [HOLD, atEnd({ call: 'get_body' })] },
    { requests: [{ method: 'GET', body: 'hello' }] },
  ),
  one(
    'request-trailers',
    {
      request_trailers: [{ call: 'get_pairs' }, { call: 'add_header', name: 'x-more', value: '1' }],
    },
    {
      requests: [
        {
          method: 'POST',
          headers: [['trailer', 'x-end']],
          chunks: ['one'],
          trailers: [['x-end', 'yes']],
        },
      ],
    },
  ),
  one(
    'response-trailers',
    {
      response_trailers: [
        { call: 'get_pairs' },
        { call: 'add_header', name: 'x-more', value: '1' },
      ],
    },
    {
      answer: { chunks: ['one'], trailers: [['x-end', 'yes']] },
    },
  ),
  one('a-response-broken-before-its-head', {}, { answer: { breaks: 'before' } }),
  one('a-response-broken-in-its-body', {}, { answer: { chunks: ['one'], breaks: 'behind' } }),
  one(
    'a-response-broken-while-its-body-is-held',
    { response_body: [HOLD] },
    { answer: { chunks: ['one'], breaks: 'behind' } },
  ),
]
