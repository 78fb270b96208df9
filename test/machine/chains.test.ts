import { describe, expect, it } from 'vitest'
import { FakeTime } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import {
  callbacks,
  callout,
  calls,
  chunked,
  on,
  PAUSE,
  play,
  playChain,
  playPlugins,
  post,
  reply,
  type Steps,
} from '../support/play.ts'

const VISIBLE =
  /"on":"(request_headers|request_body|response_headers|response_body|log|done|delete)"/

/** `p1 request_headers` … for the callbacks of streams, over all plugins in order. */
function order(logs: readonly { readonly plugin: string; readonly message: string }[]): string[] {
  return logs.flatMap(({ plugin, message }) => {
    const found = VISIBLE.exec(message)
    return found ? [`${plugin} ${found[1]}`] : []
  })
}

const three = (first: Steps = {}, second: Steps = {}, third: Steps = {}) =>
  [first, second, third].map((steps) => ({ configuration: script(steps) }))

const mark = (name: string, value: string): unknown => ({ call: 'add_header', name, value })

describe('a chain', () => {
  it('runs requests in order and responses in reverse', async () => {
    const { host } = await playChain(three(), { request: post('body') })
    expect(order(host.logs)).toEqual([
      'p1 request_headers',
      'p2 request_headers',
      'p3 request_headers',
      'p1 request_body',
      'p2 request_body',
      'p3 request_body',
      'p3 response_headers',
      'p2 response_headers',
      'p1 response_headers',
      'p3 response_body',
      'p2 response_body',
      'p1 response_body',
      'p1 log',
      'p2 log',
      'p3 log',
      'p1 done',
      'p1 delete',
      'p2 done',
      'p2 delete',
      'p3 done',
      'p3 delete',
    ])
  })

  it('shows each plugin the edits of those before it', async () => {
    const both = (value: string): Steps => ({
      request_headers: [mark('x-path', value), { call: 'get_pairs', show: 9999 }],
      response_headers: [mark('x-path', value)],
    })
    const { response, sent, host } = await playChain(three(both('1'), both('2'), both('3')))
    expect(sent?.headers.get('x-path')).toBe('1, 2, 3')
    expect(response.headers.get('x-path')).toBe('3, 2, 1')
    const [pairs] = calls(host.lines('p2'), 'get_pairs')
    expect((pairs?.['pairs'] as string[][] | undefined)?.slice(-2)).toEqual([
      ['x-path', '1'],
      ['x-path', '2'],
    ])
  })

  it('hands edited bodies on, in both directions', async () => {
    const both = (value: string): Steps => {
      const edit = { call: 'set_body', start: 0, size: 0, value }
      return { request_body: [edit], response_body: [edit] }
    }
    const { sent, body } = await playChain(three(both('1'), both('2'), both('3')), {
      request: post('in'),
    })
    expect([sent?.body, body]).toEqual(['321in', '123ok'])
  })

  it.each([0, 1, 2])('held by plugin %i goes on from there', async (holder) => {
    const hold: Steps = {
      request_headers: [callout({ label: 'request' }), PAUSE],
      response_headers: [callout({ label: 'response' }), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request', if: { label: 'request' } },
        { call: 'continue_response', if: { label: 'response' } },
      ],
    }
    const steps: [Steps, Steps, Steps] = [{}, {}, {}]
    steps[holder] = hold
    const { host, sent, body } = await playChain(three(...steps), {
      callout: async () => reply(200),
      request: post(['a', 'b']),
    })
    expect([sent?.body, body]).toEqual(['ab', 'ok'])
    for (const name of ['p1', 'p2', 'p3']) {
      expect(callbacks(host.lines(name), 2)).toContain('response_body')
      expect(on(host.lines(name), 'request_headers')).toHaveLength(1)
      expect(on(host.lines(name), 'response_headers')).toHaveLength(1)
    }
  })

  it('held by two plugins at once lets go one after the other', async () => {
    const hold: Steps = {
      request_headers: [callout(), PAUSE],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'continue_request' },
      ],
    }
    const { host, sent } = await playChain(three(hold, {}, hold), {
      callout: async () => reply(200),
      request: post('body'),
    })
    expect(sent?.body).toBe('body')
    expect(host.calls.map(({ plugin }) => plugin)).toEqual(['p1', 'p3'])
  })

  it('answered in the middle shows the reply to those before, and never reaches those behind', async () => {
    const { response, sent, host } = await playChain(
      three(
        { response_headers: [mark('x-seen', '1')] },
        { request_headers: [{ call: 'local_reply', status: 403 }] },
      ),
    )
    expect([response.status, response.headers.get('x-seen'), sent]).toEqual([403, '1', undefined])
    expect(order(host.logs).filter((line) => line.startsWith('p3'))).toEqual([
      'p3 log',
      'p3 done',
      'p3 delete',
    ])
  })

  it('in one shared vm has one context for each plugin, and one start for each root', async () => {
    const shared = (steps: Steps) => ({
      shareVm: true,
      vmConfiguration: script({}),
      configuration: script(steps),
    })
    const { host, sent } = await playChain([
      shared({ request_headers: [mark('x-a', '1')] }),
      shared({ request_headers: [mark('x-a', '2')] }),
      shared({}),
    ])
    expect(sent?.headers.get('x-a')).toBe('1, 2')
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 3])
    expect(on(host.lines(), 'initialize')).toHaveLength(1)
    expect(on(host.lines(), 'vm_start').map((line) => line['context'])).toEqual([1, 2, 3])
    expect(on(host.lines(), 'create').map((line) => [line['context'], line['parent']])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
      [5, 2],
      [6, 3],
    ])
  })

  it('of the same plugin twice runs it twice', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [mark('x-n', '1')] }),
    })
    const { sent } = await playPlugins(host, [plugin, plugin])
    expect(sent?.headers.get('x-n')).toBe('1, 1')
  })

  it('without plugins passes everything on', async () => {
    const { sent, body, response } = await playPlugins(machine(), [], { request: post('body') })
    expect([sent?.body, body, response.status]).toEqual(['body', 'ok', 200])
  })

  it('may hand its plugins different vms of one module', async () => {
    const { host } = await playChain(three())
    expect([host.pool.size, host.pool.contexts]).toEqual([3, 3])
  })
})

describe('what a plugin wants of the route', () => {
  it('is heard once in the chain', async () => {
    const { sent } = await playChain([
      { configuration: script({}) },
      {
        module: probe('0.1.0'),
        configuration: script({ request_headers: [{ call: 'clear_route_cache' }] }),
      },
    ])
    expect(sent?.routeCleared).toBe(true)
  })
})

describe('an untouched response', () => {
  it('is the very one of the upstream', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe('headers-only'), configuration: script({}) })
    const upstream = new Response(chunked('a', 'b'))
    expect(await host.send([plugin], { upstream: () => upstream })).toBe(upstream)
  })

  it('ends its contexts before its body has passed: no plugin looks at that', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe('headers-only'), configuration: script({}) })
    const endless = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9)) })
    const response = await host.send([plugin], { upstream: () => new Response(endless) })
    expect([host.pool.contexts, plugin.streams]).toEqual([1, 0])
    await response.body?.cancel()
  })

  it('whose headers a plugin edits keeps its body, length and status', async () => {
    const { response, body } = await playChain(
      [
        {
          module: probe('headers-only'),
          configuration: script({ response_headers: [mark('x-a', '1')] }),
        },
      ],
      { response: new Response('teapot', { status: 418, headers: { 'content-length': '6' } }) },
    )
    expect([response.status, body, response.headers.get('content-length')]).toEqual([
      418,
      'teapot',
      '6',
    ])
  })

  it('made bodiless by a plugin loses its body and its length', async () => {
    const { response, body } = await playChain(
      [
        {
          module: probe('headers-only'),
          configuration: script({
            response_headers: [{ call: 'set_header', name: ':status', value: '204' }],
          }),
        },
      ],
      { response: new Response('gone', { headers: { 'content-length': '4' } }) },
    )
    expect([response.status, body, response.headers.get('content-length')]).toEqual([204, '', null])
  })

  it('made bodiless while its body streams is not read to the end', async () => {
    let cancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1024)),
      cancel: () => void (cancelled = true),
    })
    const { response, body } = await play(
      { response_headers: [{ call: 'set_header', name: ':status', value: '204' }] },
      { response: new Response(endless) },
    )
    expect([response.status, body, cancelled]).toEqual([204, '', true])
  })

  it('to HEAD keeps its length', async () => {
    const { response, sent } = await playChain(
      [{ configuration: script({ response_headers: [mark('x-a', '1')] }) }],
      {
        request: new Request('http://a.example/', { method: 'HEAD' }),
        response: new Response(null, { headers: { 'content-length': '4' } }),
      },
    )
    expect([sent?.method, response.headers.get('content-length')]).toEqual(['HEAD', '4'])
  })
})

describe('a request whose method a plugin changes', () => {
  it('to GET is sent without the body and its length', async () => {
    const { sent } = await playChain(
      [
        {
          module: probe('headers-only'),
          configuration: script({
            request_headers: [{ call: 'set_header', name: ':method', value: 'GET' }],
          }),
        },
      ],
      { request: post('body') },
    )
    expect([sent?.method, sent?.body, sent?.headers.has('content-length')]).toEqual([
      'GET',
      '',
      false,
    ])
  })
})

describe('ten thousand requests through five plugins', () => {
  it('leave vms and contexts as they were', async () => {
    const time = new FakeTime()
    const host = machine({
      ports: { clock: time.clock, timers: time.timers, log: { level: 3, log: () => undefined } },
    })
    const plugins = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) =>
        host.plugin({
          name,
          module: probe('headers-only'),
          configuration: JSON.stringify({
            quiet: true,
            quiet_calls: true,
            steps: { request_headers: [{ call: 'set_header', name: `x-${name}`, value: '1' }] },
          }),
        }),
      ),
    )
    const once = (): Promise<Response> => host.send(plugins)
    await once()
    const before = [host.pool.size, host.pool.contexts, host.pool.memoryBytes]
    expect(before.slice(0, 2)).toEqual([5, 5])
    for (let i = 0; i < 10_000; i++) await once()
    expect([host.pool.size, host.pool.contexts, host.pool.memoryBytes]).toEqual(before)
    expect(plugins.map((plugin) => plugin.streams)).toEqual([0, 0, 0, 0, 0])
    expect(time.pending).toBe(0)
  })
})
