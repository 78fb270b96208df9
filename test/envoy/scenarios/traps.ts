/** What a trap does to its stream, to the next one, and to plugins beside it, by fail strategy. */
import type { Scenario, ScenarioPlugin } from '../scenario.ts'
import { atEnd, callout, chain, HOLD, one, PAUSE } from './steps.ts'

const TRAP = { call: 'trap', kind: 'unreachable' }
const POST = { method: 'POST', body: 'hello' }
const STRATEGIES = ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'] as const
const ON_BAD = { if: { path: '/bad' } }

const beside: ScenarioPlugin = {
  steps: { response_headers: [{ call: 'get_header', name: ':status' }] },
}

export const TRAPS: readonly Scenario[] = [
  ...STRATEGIES.flatMap((failStrategy): Scenario[] => {
    const plugin = { failStrategy }
    const name = failStrategy.toLowerCase().replace('_', '-')
    // behind the back-off of FAIL_RELOAD, which counts from the start: here, the first request
    const requests =
      failStrategy === 'FAIL_RELOAD' ? [POST, { ...POST, waitMs: 1700 }] : [POST, POST]
    return [
      one(`trap-in-request-headers-${name}`, { request_headers: [TRAP] }, { plugin, requests }),
      one(
        `trap-in-request-body-${name}`,
        { request_body: [HOLD, atEnd(TRAP)] },
        { plugin, requests },
      ),
      one(`trap-in-response-headers-${name}`, { response_headers: [TRAP] }, { plugin, requests }),
      one(
        `trap-in-response-body-${name}`,
        { response_body: [HOLD, atEnd(TRAP)] },
        { plugin, requests },
      ),
      one(
        `trap-in-create-${name}`,
        { create: [{ ...TRAP, if: { root: false } }] },
        { plugin, requests },
      ),
      one(`trap-in-log-${name}`, { log: [TRAP] }, { plugin, requests }),
      one(
        `trap-in-a-callout-${name}`,
        { request_headers: [callout('echo'), PAUSE], http_call_response: [TRAP] },
        { plugin, requests: [POST] },
      ),
      one(
        `trap-beside-a-stream-that-waits-${name}`,
        {
          request_headers: [
            { ...TRAP, ...ON_BAD },
            { ...callout('slow'), if: { path: '/waits' } },
            { ...PAUSE, if: { path: '/waits' } },
          ],
        },
        { plugin, requests: [{ path: '/waits', background: true }, { path: '/bad' }] },
      ),
      chain(
        `trap-in-the-middle-of-three-${name}`,
        [beside, { failStrategy, steps: { request_headers: [TRAP] } }, beside],
        { requests: [POST] },
      ),
      one(
        `configure-refused-${name}`,
        { configure: [{ call: 'return_false' }] },
        { plugin, refused: true },
      ),
    ]
  }),
  chain(
    'trap-of-one-of-two-in-one-vm',
    [
      { vm: 'both', steps: { request_headers: [{ ...TRAP, ...ON_BAD }] } },
      { vm: 'both', steps: {} },
    ],
    { requests: [{ path: '/fine' }, { path: '/bad' }, { path: '/fine' }] },
  ),
  one(
    'reloaded-behind-its-back-off',
    { request_headers: [{ ...TRAP, ...ON_BAD }] },
    {
      plugin: { failStrategy: 'FAIL_RELOAD' },
      requests: [
        { path: '/fine' },
        { path: '/bad', waitMs: 1600 },
        { path: '/fine', waitMs: 1700 },
      ],
    },
  ),
  one(
    'exit-in-request-headers',
    { request_headers: [{ call: 'exit', code: 3 }] },
    { requests: [{}, {}] },
  ),
  one(
    'panic-in-request-headers',
    { request_headers: [{ call: 'panic', message: 'oh' }] },
    { requests: [{}] },
  ),
  one(
    'out-of-bounds-in-request-headers',
    { request_headers: [{ call: 'trap', kind: 'out_of_bounds' }] },
    { requests: [{}] },
  ),
  one(
    'stack-overflow-in-request-headers',
    { request_headers: [{ call: 'trap', kind: 'stack_overflow' }] },
    { requests: [{}] },
  ),
  one(
    'trap-behind-a-local-reply',
    { request_headers: [{ call: 'local_reply', status: 403, body: 'no' }, TRAP] },
    { requests: [{}] },
  ),
  one(
    'trap-behind-a-resume',
    {
      request_headers: [callout('echo'), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request' },
        TRAP,
      ],
    },
    { requests: [{}] },
  ),
  one(
    'vm-start-refused',
    {},
    {
      plugin: { vmConfiguration: '{"steps":{"vm_start":[{"call":"return_false"}]}}' },
      refused: true,
    },
  ),
  one('trap-in-configure', { configure: [TRAP] }, { refused: true }),
  one(
    'host-call-while-starting',
    {},
    {
      plugin: { env: { PROBE: '{"steps":{"initialize":[{"call":"shared_data_get","key":"k"}]}}' } },
      refused: true,
    },
  ),
  one(
    'a-log-line-while-starting',
    {},
    {
      plugin: {
        env: {
          PROBE: '{"steps":{"initialize":[{"call":"log","message":"early"}]}}',
        },
      },
    },
  ),
  one(
    'the-time-asked-while-starting',
    {},
    { plugin: { env: { PROBE: '{"steps":{"initialize":[{"call":"time"}]}}' } }, refused: true },
  ),
]
