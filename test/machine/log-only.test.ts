/** A log-only plugin: it runs for real, it sees its own edits and answers, and nobody else does. */
import { describe, expect, it } from 'vitest'
import { LOG_ONLY, logOnly, set, steps, world } from '../support/log-only.ts'
import { moduleAt, probe } from '../support/machine.ts'
import { calls, chunked, on, PAUSE, post, type Steps } from '../support/play.ts'

const EDITS: Steps = {
  request_headers: [
    set('x-new', 'mine'),
    set(':path', '/elsewhere'),
    { call: 'remove_header', name: 'x-old' },
    { call: 'get_header', name: 'x-new' },
  ],
  request_body: [{ call: 'set_body', value: 'longer than before' }, { call: 'get_body' }],
  response_headers: [set('x-answer', 'mine'), { call: 'get_header', name: 'x-answer' }],
  response_body: [{ call: 'set_body', value: '' }],
}

describe('edits of a log-only plugin', () => {
  const request = (): Request => post('before', { 'x-old': '1' })

  it('are seen by itself alone', async () => {
    const w = world()
    const { sent, response, body } = await w.play([logOnly(EDITS)], { request: request() })
    expect(sent).toMatchObject({ path: '/items?page=2', body: 'before' })
    expect([sent?.headers.get('x-new'), sent?.headers.get('x-old')]).toEqual([null, '1'])
    expect([response.headers.get('x-answer'), body]).toEqual([null, 'ok'])
    expect(response.headers.get('content-length')).toBe('2')
    const lines = w.host.lines()
    expect(calls(lines, 'get_header').map(({ value }) => value)).toEqual(['mine', 'mine'])
    expect(calls(lines, 'get_body')).toMatchObject([{ value: 'longer than before' }])
  })

  it('are told by class, with names of headers and sizes of bodies', async () => {
    const w = world()
    await w.play([logOnly(EDITS)], { request: request() })
    expect(w.told).toEqual([
      {
        by: 'p1',
        class: 'request-headers',
        headers: [
          { name: ':path', before: ['/items?page=2'], after: ['/elsewhere'] },
          { name: 'x-old', before: ['1'], after: undefined },
          { name: 'x-new', before: undefined, after: ['mine'] },
        ],
      },
      { by: 'p1', class: 'request-body', bytes: { before: 6, after: 18 } },
      {
        by: 'p1',
        class: 'response-headers',
        headers: [{ name: 'x-answer', before: undefined, after: ['mine'] }],
      },
      { by: 'p1', class: 'response-body', bytes: { before: 2, after: 0 } },
    ])
  })

  it('are counted by class, and nothing else is', async () => {
    const w = world()
    const { plugins } = await w.play([logOnly(EDITS)], { request: request() })
    expect(plugins[0]?.counts).toMatchObject({
      localReplies: 0,
      wouldBe: {
        'request-headers': 1,
        'request-body': 1,
        'response-headers': 1,
        'response-body': 1,
      },
    })
  })

  it.each(['before', 'behind'])('do not reach a plugin that enforces %s it', async (where) => {
    const w = world()
    const look: Steps = {
      request_headers: [
        { call: 'get_header', name: 'x-new' },
        { call: 'get_header', name: 'x-old' },
        set('x-enforced', '1'),
      ],
      request_body: [{ call: 'get_body' }],
      response_headers: [{ call: 'get_header', name: 'x-answer' }, set('x-seen', '1')],
      response_body: [{ call: 'get_body' }],
    }
    const one = { ...logOnly(EDITS), name: 'trial' }
    const other = { ...steps(look), name: 'enforcing' }
    const { sent, response } = await w.play(where === 'before' ? [other, one] : [one, other], {
      request: request(),
    })
    const seen = w.host.lines('enforcing')
    expect(calls(seen, 'get_header').map(({ value }) => value)).toEqual([undefined, '1', undefined])
    expect(calls(seen, 'get_body').map(({ value }) => value)).toEqual(['before', 'ok'])
    expect(sent?.headers.get('x-enforced')).toBe('1')
    expect(response.headers.get('x-seen')).toBe('1')
  })

  it('are compared with what the plugins before it have made of the message', async () => {
    const w = world()
    await w.play([
      steps({ request_headers: [set('x-a', '1')] }),
      logOnly({ request_headers: [set('x-a', '2')] }),
    ])
    expect(w.told).toMatchObject([{ headers: [{ name: 'x-a', before: ['1'], after: ['2'] }] }])
  })

  it('of chunks are seen as the chunks pass, and the body goes on as it came', async () => {
    const w = world()
    const { sent, body } = await w.play(
      [
        logOnly({
          request_body: [{ call: 'set_body', value: 'x' }],
          response_body: [{ call: 'get_body' }],
        }),
      ],
      { request: post(['one ', 'two ', 'three']), response: new Response(chunked('a', 'b', 'c')) },
    )
    expect([sent?.body, body]).toEqual(['one two three', 'abc'])
    expect(on(w.host.lines(), 'request_body').length).toBeGreaterThan(1)
    expect(calls(w.host.lines(), 'get_body').map(({ value }) => value)).toEqual([
      'a',
      'b',
      'c',
      null,
    ])
    expect(w.told).toMatchObject([{ class: 'request-body', bytes: { before: 13 } }])
  })

  it('of a body that it gathers first are told, and its waiting for the rest is not', async () => {
    const w = world()
    const { sent } = await w.play(
      [
        logOnly({
          request_body: [
            { call: 'return', action: 1 },
            { call: 'get_body', if: { end_of_stream: true } },
            { call: 'set_body', value: 'all of it', if: { end_of_stream: true } },
            { call: 'return', action: 0, if: { end_of_stream: true } },
          ],
        }),
      ],
      { request: post(['one ', 'two']) },
    )
    expect(sent?.body).toBe('one two')
    expect(calls(w.host.lines(), 'get_body')).toMatchObject([{ value: 'one two' }])
    expect(w.told).toEqual([{ by: 'p1', class: 'request-body', bytes: { before: 7, after: 9 } }])
  })
})

describe('a log-only plugin that answers', () => {
  const DENY: Steps = {
    request_headers: [
      {
        call: 'local_reply',
        status: 403,
        details: 'no key',
        body: 'denied',
        headers: [['x-why', 'no key']],
      },
      PAUSE,
    ],
  }

  it('answers nobody; what it would have said is told', async () => {
    const w = world()
    const { response, body, sent, plugins } = await w.play([logOnly(DENY)])
    expect([response.status, body, sent?.path]).toEqual([200, 'ok', '/items?page=2'])
    expect(w.told).toEqual([
      {
        by: 'p1',
        class: 'local-reply',
        status: 403,
        details: 'no_key',
        headers: [{ name: 'x-why', before: undefined, after: ['no key'] }],
        bytes: { before: 0, after: 6 },
      },
    ])
    expect(plugins[0]?.counts).toMatchObject({ localReplies: 0, wouldBe: { 'local-reply': 1 } })
  })

  it('sees its own answer come by, as it would if it were enforced', async () => {
    const w = world()
    await w.play([
      logOnly({ ...DENY, response_headers: [{ call: 'get_header', name: ':status' }] }),
    ])
    expect(calls(w.host.lines(), 'get_header')).toMatchObject([{ value: '403' }])
  })

  it('in a response leaves the response as it is', async () => {
    const w = world()
    const { response, body } = await w.play([
      logOnly({ response_headers: [{ call: 'local_reply', status: 500 }] }),
    ])
    expect([response.status, body]).toEqual([200, 'ok'])
    expect(w.told).toMatchObject([{ class: 'local-reply', status: 500 }])
  })

  it('is not asked about the answer of a plugin before it, and sees that of one behind it', async () => {
    const w = world()
    const look = logOnly({ response_headers: [{ call: 'get_header', name: ':status' }] })
    const deny = steps({ request_headers: [{ call: 'local_reply', status: 401 }] })
    const first = await w.play([
      { ...deny, name: 'a' },
      { ...look, name: 'b' },
    ])
    expect(first.response.status).toBe(401)
    expect(on(w.host.lines('b'), 'response_headers')).toEqual([])
    const second = await w.play([
      { ...look, name: 'c' },
      { ...deny, name: 'd' },
    ])
    expect(second.response.status).toBe(401)
    expect(calls(w.host.lines('c'), 'get_header')).toMatchObject([{ value: '401' }])
  })

  it('closes no stream and picks no upstream again', async () => {
    const w = world()
    const close = logOnly({ request_headers: [{ call: 'close_request' }] })
    const route = logOnly(
      { request_headers: [{ call: 'clear_route_cache' }, { call: 'clear_route_cache' }] },
      { module: probe('0.1.0') },
    )
    const { response, sent } = await w.play([close, route])
    expect([response.status, sent?.routeCleared]).toEqual([200, false])
    expect(w.told).toEqual([
      { by: 'p1', class: 'reset', details: 'wasm_close_stream' },
      { by: 'p2', class: 'clear-route-cache' },
    ])
  })

  it('by taking away what HTTP needs is told as the answer that would have given', async () => {
    const w = world()
    const { response } = await w.play([
      logOnly({ request_headers: [{ call: 'remove_header', name: ':path' }] }),
    ])
    expect(response.status).toBe(200)
    expect(w.told).toMatchObject([
      { class: 'local-reply', status: 404, details: 'route_not_found' },
    ])
  })
})

it('a shipped plugin acts in earnest or for the log alone, from one configuration', async () => {
  const w = world()
  const module = moduleAt('plugins/header-policy/1.0.0.wasm')
  const configuration = JSON.stringify({ request: { set: { 'x-tier': 'gold' } } })
  const enforced = await w.play([{ module, configuration }])
  expect([enforced.sent?.headers.get('x-tier'), w.told]).toEqual(['gold', []])
  const trial = await w.play([{ module, configuration, ...LOG_ONLY }])
  expect(trial.sent?.headers.get('x-tier')).toBe(null)
  expect(w.told).toMatchObject([
    { class: 'request-headers', headers: [{ name: 'x-tier', after: ['gold'] }] },
    {
      class: 'response-headers',
      headers: [{ name: 'x-policy-version', after: ['header-policy/1.0.0'] }],
    },
  ])
})
