/** Two and three plugins: order, what one sees of another's edits, local replies in the middle. */
import type { Scenario, ScenarioPlugin, Step } from '../scenario.ts'
import { atEnd, callout, chain, HOLD, PAUSE } from './steps.ts'

const POST = [{ method: 'POST', headers: [['x-trail', '0']] as const, body: 'body' }]
const append = (text: string): Step => ({
  call: 'set_body',
  start: 2_147_483_647,
  size: 0,
  value: text,
})
const NO_LENGTH: Step = { call: 'remove_header', name: 'content-length' }

/** Leaves its mark on everything, and looks at the marks of the others. */
const marks = (name: string): ScenarioPlugin => ({
  steps: {
    request_headers: [
      NO_LENGTH,
      { call: 'get_header', name: 'x-trail', save: 'trail' },
      { call: 'get_pairs' },
      { call: 'set_header', name: 'x-trail', value: { concat: [{ saved: 'trail' }, name] } },
      { call: 'add_header', name: 'x-all', value: name },
    ],
    request_body: [HOLD, atEnd({ call: 'get_body' }), atEnd(append(name))],
    response_headers: [
      NO_LENGTH,
      { call: 'get_pairs' },
      { call: 'add_header', name: 'x-all', value: name },
    ],
    response_body: [HOLD, atEnd({ call: 'get_body' }), atEnd(append(name))],
  },
})

const REPLY: Step = { call: 'local_reply', status: 403, body: 'no', headers: [['x-by', 'middle']] }
const sees = (rest: Readonly<Record<string, Step[]>> = {}): ScenarioPlugin => ({
  steps: {
    response_headers: [{ call: 'get_header', name: ':status' }, { call: 'get_pairs' }],
    ...rest,
  },
})
const held = (on: string): ScenarioPlugin => ({
  steps: {
    [on]: [callout('echo'), PAUSE],
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: on === 'request_headers' ? 'continue_request' : 'continue_response' },
    ],
  },
})

export const CHAINS: readonly Scenario[] = [
  chain('two-plugins-mark-everything', [marks('a'), marks('b')], { requests: POST }),
  chain('three-plugins-mark-everything', [marks('a'), marks('b'), marks('c')], { requests: POST }),
  chain(
    'two-plugins-in-one-vm',
    [
      { ...marks('a'), vm: 'both' },
      { ...marks('b'), vm: 'both' },
    ],
    { requests: POST },
  ),
  chain('reply-by-the-first-of-three', [sees({ request_headers: [REPLY] }), sees(), sees()]),
  chain('reply-by-the-second-of-three', [sees(), sees({ request_headers: [REPLY] }), sees()], {
    requests: POST,
  }),
  chain('reply-by-the-last-of-three', [sees(), sees(), sees({ request_headers: [REPLY] })]),
  chain('reply-by-the-second-in-the-response', [
    sees(),
    sees({ response_headers: [REPLY] }),
    sees(),
  ]),
  chain(
    'reply-by-the-second-in-the-body',
    [sees(), sees({ request_body: [HOLD, atEnd(REPLY)] }), sees()],
    { requests: POST },
  ),
  chain('reply-edited-on-its-way-out', [
    {
      steps: {
        response_headers: [
          { call: 'set_header', name: 'x-by', value: 'first' },
          { call: 'set_header', name: ':status', value: '200' },
        ],
      },
    },
    sees({ request_headers: [REPLY] }),
  ]),
  chain('two-replies-the-second-to-the-first', [
    sees({ response_headers: [{ call: 'local_reply', status: 500, body: 'second' }] }),
    sees({ request_headers: [REPLY] }),
  ]),
  chain('the-first-of-two-pauses', [held('request_headers'), marks('b')], { requests: POST }),
  chain('the-second-of-two-pauses', [marks('a'), held('request_headers')], { requests: POST }),
  chain('both-pause-one-after-another', [held('request_headers'), held('request_headers')], {
    requests: POST,
  }),
  chain('the-first-of-two-pauses-the-response', [held('response_headers'), marks('b')]),
  chain('the-second-of-two-pauses-the-response', [marks('a'), held('response_headers')]),
  chain(
    'both-hold-the-body',
    [
      {
        steps: {
          request_body: [HOLD, atEnd(callout('echo')), atEnd(PAUSE)],
          http_call_response: [
            { call: 'set_effective_context', issuer: true },
            { call: 'continue_request' },
          ],
        },
      },
      { steps: { request_body: [HOLD, atEnd({ call: 'get_body' })] } },
    ],
    { requests: [{ method: 'POST', chunks: ['one', 'two'] }] },
  ),
  chain('a-property-from-plugin-to-plugin', [
    {
      steps: {
        request_headers: [
          { call: 'set_property', path: ['team'], value: 'blue' },
          { call: 'set_property', path: ['deep', 'path'], value: 'down' },
          { call: 'set_property', path: ['empty'], value: '' },
          { call: 'set_property', path: ['again'], value: '1' },
          { call: 'set_property', path: ['again'], value: '2' },
          { call: 'set_property', path: ['request', 'path'], value: '/other' },
        ],
        response_headers: [{ call: 'get_property', path: ['by-b'] }],
      },
    },
    {
      steps: {
        request_headers: [
          ...['team', 'empty', 'again'].map((path) => ({ call: 'get_property', path: [path] })),
          { call: 'get_property', path: ['deep', 'path'] },
          { call: 'get_property', path: ['filter_state', 'wasm.team'] },
          { call: 'get_property', path: ['filter_state', 'team'] },
          { call: 'get_property', path: ['request', 'path'] },
          { call: 'set_property', path: ['by-b'], value: 'yes' },
        ],
      },
    },
  ]),
  chain(
    'route-and-authority-edited-by-the-first',
    [
      {
        steps: {
          request_headers: [
            { call: 'set_header', name: ':path', value: '/other?x=1' },
            { call: 'set_header', name: ':method', value: 'PUT' },
            { call: 'set_header', name: ':authority', value: 'other.test' },
          ],
        },
      },
      {
        steps: {
          request_headers: [
            { call: 'get_property', path: ['request', 'path'] },
            { call: 'get_property', path: ['request', 'host'] },
            { call: 'get_property', path: ['request', 'method'] },
            { call: 'get_header', name: 'host' },
          ],
        },
      },
    ],
    { requests: POST },
  ),
  chain('the-response-is-removed-by-the-first', [
    { steps: { response_headers: [{ call: 'remove_header', name: ':status' }] } },
    sees(),
  ]),
  chain('the-path-is-removed-by-the-first', [
    { steps: { request_headers: [{ call: 'remove_header', name: ':path' }] } },
    sees(),
  ]),
  chain(
    'headers-only-plugin-beside-a-body-plugin',
    [{ ...sees(), module: 'probe:0.2.1-headers-only' }, marks('b')],
    { requests: POST },
  ),
]
