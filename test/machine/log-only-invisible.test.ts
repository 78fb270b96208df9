/** Whatever a log-only plugin does, everybody else sees what they would see without it. */
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  oneof,
  record,
  string,
} from 'fast-check'
import { expect, it } from 'vitest'
import type { PluginOptions } from '../../src/proxy-wasm/index.ts'
import { logOnly, steps, world } from '../support/log-only.ts'
import { callout, calls, chunked, type Played, post, reply } from '../support/play.ts'

const PHASES = [
  'request_headers',
  'request_body',
  'response_headers',
  'response_body',
  'http_call_response',
  'log',
  'done',
]
const names = constantFrom(
  'x-mine',
  'x-old',
  ':path',
  ':method',
  ':status',
  'content-length',
  'accept-encoding',
)
const maps = constantFrom('request', 'response')

/** A step that does something to somebody, at any time, in any order. */
const act = oneof(
  record({
    call: constantFrom('set_header', 'add_header'),
    map: maps,
    name: names,
    value: string(),
  }),
  record({ call: constant('remove_header'), map: maps, name: names }),
  record({ call: constant('set_pairs'), map: maps, pairs: constant([['x-all', 'gone']]) }),
  record({
    call: constant('set_body'),
    buffer: maps,
    value: string(),
    start: constantFrom(0, 1, 9),
  }),
  record({ call: constant('local_reply'), status: constantFrom(200, 403, 999), body: string() }),
  record({ call: constant('return'), action: constantFrom(0, 1, 2, 3, 4) }),
  record({
    call: constantFrom(
      'continue_request',
      'continue_response',
      'close_request',
      'close_response',
      'done',
    ),
  }),
  record({ call: constant('set_property'), path: constant(['shared']), value: string() }),
  record({ call: constant('shared_data_set'), key: constant('k'), value: string() }),
  record({ call: constant('set_effective_context'), issuer: constant(true) }),
  constantFrom({ call: 'trap', kind: 'unreachable' }, { call: 'exit' }),
)
/** A call in the answer to a call would have no end. */
const actsIn = (phase: string): Arbitrary<unknown[]> =>
  array(phase === 'http_call_response' ? act : oneof(act, constant(callout())), { maxLength: 4 })
const scripts = record(Object.fromEntries(PHASES.map((phase) => [phase, actsIn(phase)])))
const bodies = constantFrom<string | string[]>('', 'small', ['one ', 'two ', 'three'])

const ENFORCING = steps({
  request_headers: [
    { call: 'get_pairs', map: 'request' },
    { call: 'get_property', path: ['shared'] },
    { call: 'shared_data_get', key: 'k' },
  ],
  request_body: [{ call: 'get_body' }],
  response_headers: [{ call: 'get_pairs', map: 'response' }],
  response_body: [{ call: 'get_body' }],
})

it('holds for random plugins, before and behind one that enforces', async () => {
  const run = async (
    plugins: readonly Partial<PluginOptions>[],
    body: string | string[],
  ): Promise<unknown> => {
    const w = world({ callout: async () => reply(200) })
    const response = new Response(chunked('a', 'bc'), { status: 201, headers: { 'x-old': 'r' } })
    const request = body === '' ? new Request('http://shop.example/') : post(body, { 'x-old': '1' })
    const played: Played = await w.play(plugins, { request, response })
    await Promise.all(w.background)
    const seen = w.host.lines('enforcing').filter(({ call }) => call !== undefined)
    expect(calls(seen, 'get_pairs')).toHaveLength(2)
    return {
      sent: played.sent && { ...played.sent, headers: [...played.sent.headers] },
      status: played.response.status,
      headers: [...played.response.headers],
      body: played.body,
      seen: seen.map((line) =>
        JSON.stringify(line, (member, value: unknown) => (member === 'context' ? 0 : value)),
      ),
      left: w.host.pool.lingering,
    }
  }
  const enforcing = { ...ENFORCING, name: 'enforcing' }
  await assert(
    asyncProperty(scripts, scripts, bodies, async (first, second, body) => {
      const before = { ...logOnly(first), name: 'before' }
      const behind = { ...logOnly(second), name: 'behind' }
      expect(await run([before, enforcing, behind], body)).toEqual(await run([enforcing], body))
    }),
    { numRuns: 100 },
  )
})
