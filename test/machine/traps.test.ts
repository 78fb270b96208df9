import { describe, expect, it } from 'vitest'
import type { HttpCallOutcome } from '../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import {
  callout,
  chunked,
  on,
  PAUSE,
  play,
  playChain,
  playPlugins,
  post,
  reply,
} from '../support/play.ts'

const TRAP = { call: 'trap', kind: 'unreachable' }
const PHASES = ['request_headers', 'request_body', 'response_headers'] as const
const at = (path: string): Request => new Request(`http://a.example${path}`)

describe('a trap', () => {
  it.each([...PHASES, 'create'])('in %s is a 503 when the plugin fails closed', async (phase) => {
    const { response, body, host, plugins } = await play(
      { [phase]: [TRAP] },
      { request: post('body'), plugin: phase === 'create' ? streamsOnly(phase) : {} },
    )
    expect([response.status, body]).toEqual([503, ''])
    expect([plugins[0]?.state, host.pool.size, host.pool.contexts]).toEqual(['failed', 0, 0])
    expect(plugins[0]?.lastError?.message).toContain('unreachable')
  })

  it.each([...PHASES, 'create', 'response_body'])(
    'in %s is nothing to the client when it fails open: every byte passes once',
    async (phase) => {
      const { response, body, sent, plugins } = await play(
        { [phase]: [TRAP] },
        {
          request: post('body'),
          plugin: {
            ...(phase === 'create' ? streamsOnly(phase) : {}),
            failStrategy: 'FAIL_OPEN',
          },
        },
      )
      expect([response.status, body, sent?.body]).toEqual([200, 'ok', 'body'])
      expect(plugins[0]?.state).toBe('failed')
    },
  )

  it('in response_body breaks the body when it fails closed', async () => {
    const played = play({ response_body: [TRAP] }, { response: new Response(chunked('a', 'b')) })
    await expect(played).rejects.toThrow('wasm_fail_stream')
  })

  it.each(['log', 'done', 'delete'])('in %s comes too late to matter', async (phase) => {
    const { response, body, plugins } = await play({ [phase]: [{ ...TRAP, if: { root: false } }] })
    expect([response.status, body]).toEqual([200, 'ok'])
    expect(plugins[0]?.state).toBe('failed')
  })

  it.each(['out_of_bounds', 'stack_overflow'])('of the kind %s is one', async (kind) => {
    const { response } = await play({ request_headers: [{ call: 'trap', kind }] })
    expect(response.status).toBe(503)
  })

  it('is logged with the plugin it was', async () => {
    const { host } = await play({ request_headers: [TRAP] })
    const entry = host.logs.find(({ level }) => level === 5)
    expect(entry).toMatchObject({ plugin: 'p1' })
    expect(entry?.message).toContain('the plugin trapped')
  })

  it('mid-body fails open with what was held and what was to come, each byte once', async () => {
    const { sent } = await play(
      { request_body: [{ ...TRAP, if: { nth: 3 } }, PAUSE] },
      { request: post(['ab', 'cd', 'ef', 'gh']), plugin: { failStrategy: 'FAIL_OPEN' } },
    )
    expect(sent?.body).toBe('abcdefgh')
    const response = await play(
      { response_body: [{ ...TRAP, if: { nth: 2 } }] },
      {
        response: new Response(chunked('ab', 'cd', 'ef')),
        plugin: { failStrategy: 'FAIL_OPEN' },
      },
    )
    expect(response.body).toBe('abcdef')
  })

  it('behind a local reply of the same callback: closed is 503, open keeps the reply', async () => {
    const steps = { request_headers: [{ call: 'local_reply', status: 401 }, TRAP] }
    expect((await play(steps)).response.status).toBe(503)
    const open = await play(steps, { plugin: { failStrategy: 'FAIL_OPEN' } })
    expect(open.response.status).toBe(401)
  })

  it('shows its 503 to the plugins before it, and not to those of its vm', async () => {
    const { host, response } = await playChain([
      {
        configuration: script({
          response_headers: [{ call: 'set_header', name: 'x-before', value: '1' }],
        }),
      },
      { configuration: script({ request_headers: [TRAP] }) },
      { configuration: script({}) },
    ])
    expect([response.status, response.headers.get('x-before')]).toEqual([503, '1'])
    expect(on(host.lines('p2'), 'response_headers')).toEqual([])
    expect(on(host.lines('p3'), 'request_headers')).toEqual([])
  })

  it('leaves other vms unharmed', async () => {
    const host = machine()
    const good = await host.plugin({ module: probe(), name: 'good', configuration: script({}) })
    const bad = await host.plugin({
      module: probe(),
      name: 'bad',
      configuration: script({ request_headers: [TRAP] }),
    })
    await playPlugins(host, [good])
    expect((await playPlugins(host, [good, bad])).response.status).toBe(503)
    expect((await playPlugins(host, [good])).body).toBe('ok')
    expect([good.state, bad.state, host.pool.size]).toEqual(['running', 'failed', 1])
    expect(on(host.lines('good'), 'vm_start')).toHaveLength(1)
  })

  it('takes all plugins of its vm with it, each by its own strategy', async () => {
    const shared = { shareVm: true, vmConfiguration: script({}) }
    const { host, response, sent } = await playChain([
      { ...shared, configuration: script({}), failStrategy: 'FAIL_OPEN' },
      { ...shared, configuration: script({ request_headers: [TRAP] }), failStrategy: 'FAIL_OPEN' },
    ])
    expect([response.status, sent?.path, host.pool.size]).toEqual([200, '/items?page=2', 0])
    const closed = await playChain([
      { ...shared, configuration: script({}) },
      { ...shared, configuration: script({ request_headers: [TRAP] }), failStrategy: 'FAIL_OPEN' },
    ])
    expect(closed.response.status).toBe(503)
  })
})

/** Traps in a stream's create, by a script that the root cannot see yet when it is created. */
function streamsOnly(phase: string): { readonly configuration: string } {
  return { configuration: script({ [phase]: [{ ...TRAP, if: { root: false } }] }) }
}

describe('a stream that is paused when its vm ends', () => {
  const steps = {
    request_headers: [
      { ...TRAP, if: { path: '/trap' } },
      callout({ if: { path: '/wait' } }),
      { ...PAUSE, if: { path: '/wait' } },
    ],
  }

  it.each([
    ['FAIL_CLOSE', 503],
    ['FAIL_RELOAD', 503],
    ['FAIL_OPEN', 200],
  ] as const)('follows %s at once', async (failStrategy, status) => {
    const time = new FakeTime()
    const host = machine({
      ports: { clock: time.clock, timers: time.timers },
      callout: () => new Promise(() => undefined),
    })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script(steps),
      failStrategy,
    })
    const waiting = playPlugins(host, [plugin], { request: at('/wait') })
    await settled()
    const trapped = await playPlugins(host, [plugin], { request: at('/trap') })
    expect(trapped.response.status).toBe(status)
    expect((await waiting).response.status).toBe(status)
    expect([host.pool.size, host.pool.contexts, time.pending]).toEqual([0, 0, 0])
  })

  it('hears nothing of its callout afterwards', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({ module: probe(), configuration: script(steps) })
    const waiting = playPlugins(host, [plugin], { request: at('/wait') })
    await settled()
    await playPlugins(host, [plugin], { request: at('/trap') })
    answer.resolve(reply(200))
    await waiting
    await settled()
    expect(on(host.lines(), 'http_call_response')).toEqual([])
  })

  it('by a trap in the callback of its own callout', async () => {
    const { response, host } = await play(
      { request_headers: [callout(), PAUSE], http_call_response: [TRAP] },
      { callout: async () => reply(200) },
    )
    expect([response.status, host.pool.size]).toEqual([503, 0])
  })

  it('with held bytes fails open with every one of them', async () => {
    const { sent, body } = await play(
      { request_body: [callout(), PAUSE], http_call_response: [TRAP] },
      {
        callout: async () => (await settled(), reply(200)),
        request: post(['ab', 'cd', 'ef']),
        plugin: { failStrategy: 'FAIL_OPEN' },
      },
    )
    expect([sent?.body, body]).toEqual(['abcdef', 'ok'])
  })

  it('does not break a response that needs the plugin no more', async () => {
    const host = machine()
    const headers = await host.plugin({
      module: probe('headers-only'),
      name: 'headers',
      configuration: script({ request_headers: [{ ...TRAP, if: { path: '/trap' } }] }),
    })
    const bodies = await host.plugin({ module: probe(), name: 'bodies', configuration: script({}) })
    let feed: ReadableStreamDefaultController | undefined
    const response = await host.send([headers, bodies], {
      upstream: () => new Response(new ReadableStream({ start: (c) => void (feed = c) })),
    })
    await playPlugins(host, [headers], { request: at('/trap') })
    feed?.enqueue(new TextEncoder().encode('whole'))
    feed?.close()
    expect(await response.text()).toBe('whole')
  })
})

describe('after a trap', () => {
  /** Traps on `/trap`; counts the starts of the vm. */
  async function restarting(failStrategy: 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD') {
    const time = new FakeTime()
    const host = machine({ ports: { clock: time.clock, timers: time.timers } })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [{ ...TRAP, if: { path: '/trap' } }] }),
      failStrategy,
    })
    const send = async (path: string): Promise<number> =>
      (await playPlugins(host, [plugin], { request: at(path) })).response.status
    const starts = (): number => on(host.lines(), 'vm_start').length
    return { time, host, plugin, send, starts }
  }

  it('a new vm is made after the back-off, and not before', async () => {
    const { time, plugin, send, starts } = await restarting('FAIL_CLOSE')
    expect([await send('/'), await send('/trap')]).toEqual([200, 503])
    expect([await send('/'), starts()]).toEqual([503, 1])
    time.pass(999)
    expect([await send('/'), starts()]).toEqual([503, 1])
    time.pass(502)
    expect([await send('/'), starts(), plugin.state]).toEqual([200, 2, 'running'])
  })

  it('the back-off doubles while it goes on, and starts anew after a minute of peace', async () => {
    const { time, send } = await restarting('FAIL_CLOSE')
    await send('/trap')
    time.pass(1_501)
    await send('/trap')
    time.pass(1_999)
    expect(await send('/')).toBe(503)
    time.pass(1_002)
    expect(await send('/')).toBe(200)
    time.pass(61_000)
    await send('/trap')
    time.pass(1_501)
    expect(await send('/')).toBe(200)
  })

  it('FAIL_OPEN lets requests pass meanwhile', async () => {
    const { send, starts, time } = await restarting('FAIL_OPEN')
    expect([await send('/trap'), await send('/'), starts()]).toEqual([200, 200, 1])
    time.pass(1_501)
    expect([await send('/'), starts()]).toEqual([200, 2])
  })

  it('FAIL_RELOAD counts from the last start and does not double', async () => {
    const { time, send, starts } = await restarting('FAIL_RELOAD')
    expect([await send('/trap'), await send('/')]).toEqual([503, 503])
    time.pass(1_501)
    expect(await send('/trap')).toBe(503)
    time.pass(1_501)
    expect(await send('/')).toBe(200)
    // it has run for longer than the interval: the next request gets a new vm
    time.pass(1_501)
    expect([await send('/trap'), await send('/'), starts()]).toEqual([503, 200, 4])
  })
})
