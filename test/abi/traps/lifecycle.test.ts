/** Known traps of the ABI: contexts, from the start of a vm to the end of a stream. */
import { describe, expect, it } from 'vitest'
import { type HttpCallOutcome, LoadError } from '../../../src/proxy-wasm/index.ts'
import { deferred, FakeTime, settled } from '../../support/fake-time.ts'
import { machine, moduleAt, probe, script } from '../../support/machine.ts'
import {
  callbacks,
  callout,
  calls,
  during,
  on,
  PAUSE,
  play,
  playChain,
  playPlugins,
  post,
  reply,
  statuses,
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const SHARED = { shareVm: true, vmConfiguration: script({}), configuration: script({}) } as const
const TRAP = { call: 'trap', kind: 'unreachable' }
const at = (path: string): Request => new Request(`http://a.example${path}`)

describe('roots', () => {
  it('trap 37: on_vm_start comes once for each plugin of a shared vm, with the id of its root', async () => {
    const { host } = await playChain([SHARED, { ...SHARED, configuration: script({ log: [] }) }])
    expect(host.pool.size).toBe(1)
    const roots = on(host.lines(), 'create').filter((line) => line['parent'] === 0)
    const started = on(host.lines(), 'vm_start').map((line) => line['context'])
    expect(started).toEqual(roots.map((line) => line['context']))
    expect(new Set(started).size).toBe(2)
  })

  it('trap 38: every root is created before it is configured, and once', async () => {
    const { host } = await playChain([SHARED, { ...SHARED, configuration: script({ log: [] }) }])
    for (const root of on(host.lines(), 'vm_start').map((line) => Number(line['context']))) {
      expect(callbacks(host.lines(), root)).toEqual(['create', 'vm_start', 'configure'])
    }
    const { alive } = await record('rust', ['request_headers get :path'])
    expect(alive).toBe(true)
  })

  it('trap 39: one root id with two configurations is two roots, each with its own', async () => {
    const plugin = (text: string) => ({
      ...SHARED,
      rootId: 'same',
      configuration: script({ request_headers: [{ call: 'log', message: text }] }),
    })
    const { host } = await playChain([plugin('one'), plugin('two')])
    const said = host.logs.filter(({ message }) => message === 'one' || message === 'two')
    expect(said.map(({ plugin: name, message }) => [name, message])).toEqual([
      ['p1', 'one'],
      ['p2', 'two'],
    ])
    expect(new Set(said.map(({ contextId }) => contextId)).size).toBe(2)
  })

  it.each([
    ['refuses its configuration', { call: 'return_false' }, SHARED],
    ['traps over its configuration', TRAP, {}],
  ])('trap 39: a new version that %s leaves the running one as it is', async (_, step, options) => {
    const host = machine()
    const running = await host.plugin({ ...options, module: probe(), configuration: script({}) })
    await playPlugins(host, [running])
    const rejected = await host.plugin({
      ...options,
      module: probe(),
      configuration: script({ configure: [step] }),
    })
    expect(() => rejected.start()).toThrow(LoadError)
    expect((await playPlugins(host, [running])).body).toBe('ok')
    expect([running.state, host.pool.size, host.pool.contexts]).toEqual(['running', 1, 1])
    expect(on(host.lines(), 'vm_start').filter((line) => line['context'] === 1)).not.toEqual([])
  })

  it('trap 40: plugins of one vm id do not share what one of them may do', async () => {
    const edit = script({ request_headers: [{ call: 'set_header', name: 'x-a', value: '1' }] })
    const allowedCapabilities = (
      'proxy_log proxy_get_buffer_bytes environ_get environ_sizes_get random_get ' +
      'proxy_on_context_create proxy_on_vm_start proxy_on_configure proxy_on_request_headers'
    ).split(' ')
    const { host } = await playChain([
      { ...SHARED, configuration: edit, allowedCapabilities },
      { ...SHARED, configuration: edit },
    ])
    expect(statuses(calls(host.lines('p1'), 'set_header'))).toEqual([10])
    expect(statuses(calls(host.lines('p2'), 'set_header'))).toEqual([0])
    expect(host.pool.size).toBe(2)
  })

  it('trap 41: a root that says proxy_done in a callback is deleted when that has returned', async () => {
    const answer = deferred<HttpCallOutcome>()
    const host = machine({ callout: () => answer.promise })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        configure: [callout()],
        done: [{ call: 'return_false', if: { root: true } }],
        http_call_response: [{ call: 'done' }, { call: 'get_property', path: ['plugin_name'] }],
      }),
    })
    await playPlugins(host, [plugin])
    plugin.retire()
    expect(host.pool.size).toBe(1)
    answer.resolve(reply(200))
    await settled()
    const names = host.lines().map((line) => line.on ?? line.call)
    expect(names.slice(-3)).toEqual(['done', 'get_property', 'delete'])
    expect([statuses(calls(host.lines(), 'get_property')), host.pool.size]).toEqual([[0], 0])
  })
})

describe('streams', () => {
  // Envoy's order for HTTP; the specification has on_log behind on_done. There is no TCP here
  it('trap 42: a stream ends with on_log, on_done, on_delete, and nothing behind', async () => {
    const { lines } = await play({}, { request: post('body') })
    expect(callbacks(lines, 2).slice(-3)).toEqual(['log', 'done', 'delete'])
  })

  // Envoy stays dead unless it is FAIL_RELOAD: docs/HOST_DIFFERENCES.md, new-vm
  it('trap 43: a trap ends all plugins of its vm, and a new vm comes after the back-off', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time })
    const bad = script({ request_headers: [{ ...TRAP, if: { path: '/trap' } }] })
    const one = await host.plugin({ ...SHARED, module: probe(), name: 'one' })
    const two = await host.plugin({ ...SHARED, module: probe(), name: 'two', configuration: bad })
    const send = async (path: string): Promise<number> =>
      (await playPlugins(host, [one, two], { request: at(path) })).response.status
    expect([await send('/'), await send('/trap')]).toEqual([200, 503])
    expect([one.state, two.state, await send('/')]).toEqual(['failed', 'failed', 503])
    time.pass(1_501)
    expect([await send('/'), one.state, two.state]).toEqual([200, 'running', 'running'])
  })

  // Envoy answers those 503: docs/HOST_DIFFERENCES.md, fail-open
  it('trap 44: FAIL_OPEN covers streams in flight: what the plugin held goes on', async () => {
    const { sent, response } = await play(
      { request_body: [{ ...TRAP, if: { nth: 2 } }, PAUSE] },
      { request: post(['ab', 'cd', 'ef']), plugin: { failStrategy: 'FAIL_OPEN' } },
    )
    expect([sent?.body, response.status]).toEqual(['abcdef', 200])
  })

  it('trap 45: the reply to a call from on_tick comes to the root, whatever was effective', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time, callout: async () => reply(200) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        configure: [{ call: 'set_tick_period', ms: 100 }],
        request_headers: [{ call: 'remember_context', as: 'stream' }, PAUSE],
        tick: [
          { call: 'set_effective_context', remembered: 'stream', if: { remembered: 'stream' } },
          { ...(callout() as object), if: { total: 1 } },
        ],
        http_call_response: [
          { call: 'get_header', map: 'request', name: ':path' },
          { call: 'set_effective_context', remembered: 'stream' },
          { call: 'get_header', map: 'request', name: ':path' },
          { call: 'continue_request' },
          { call: 'set_tick_period', ms: 0 },
        ],
      }),
    })
    const played = playPlugins(host, [plugin])
    await time.advance(150)
    expect((await played).body).toBe('ok')
    expect(on(host.lines(), 'http_call_response')).toMatchObject([{ context: 1 }])
    // the tick's effective context has gone with the tick
    expect(statuses(during(host.lines(), 'http_call_response'))).toEqual([1, 0, 0, 0, 0])
  })

  it.each(['rust', 'go', 'assemblyscript'] as const)(
    'trap 46: a reply that comes when its stream has gone does a plugin in %s no harm',
    async (sdk) => {
      const answer = deferred<HttpCallOutcome>()
      const played = await record(
        sdk,
        ['request_headers call authz /check', 'http_call_response get :status'],
        { callout: () => answer.promise },
      )
      expect([played.body, played.host.pool.contexts]).toEqual(['ok', 1])
      answer.resolve(reply(200))
      await settled()
      expect(played.alive).toBe(true)
      const again = await playPlugins(played.host, played.plugins)
      expect([again.body, played.alive]).toEqual(['ok', true])
    },
  )

  it('trap 46: the root hears of it under its token, once', async () => {
    const answer = deferred<HttpCallOutcome>()
    const { host, body } = await play(
      { request_headers: [callout()] },
      { callout: () => answer.promise },
    )
    answer.resolve(reply(200))
    await settled()
    expect(body).toBe('ok')
    expect(on(host.lines(), 'http_call_response')).toMatchObject([{ context: 1, token: 4 }])
  })

  it('trap 47: while a module starts it may log, and a call that needs a context ends it', async () => {
    const allowed = script({
      initialize: [
        { call: 'log', message: 'starting' },
        { call: 'clock' },
        { call: 'random' },
        { call: 'env' },
      ],
    })
    const { host, body } = await play({}, { plugin: { environment: [['PROBE', allowed]] } })
    expect([body, host.logs.some(({ message }) => message === 'starting')]).toEqual(['ok', true])
    const restricted = await machine().plugin({
      module: moduleAt('test/fixtures/start-conventions/restricted-call.wasm'),
    })
    expect(() => restricted.start()).toThrow(
      expect.objectContaining({ code: 'plugin.start_failed' }) as Error,
    )
  })

  it('trap 48: ids are never 0, never those of a context that the guest still has', async () => {
    const host = machine({ callout: () => new Promise(() => undefined) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [{ ...PAUSE, if: { path: '/wait' } }] }),
    })
    const left = new AbortController()
    const waiting = Array.from({ length: 5 }, () =>
      playPlugins(host, [plugin], {
        request: new Request('http://a.example/wait', { signal: left.signal }),
      }).catch(() => undefined),
    )
    await settled()
    for (let i = 0; i < 20; i++) await playPlugins(host, [plugin], { request: at('/') })
    left.abort()
    await Promise.all(waiting)
    const known = new Set<unknown>([0])
    for (const line of host.lines()) {
      if (line.on === 'create') {
        expect(known.has(line['context'])).toBe(false)
        known.add(line['context'])
      } else if (line.on === 'delete') known.delete(line['context'])
    }
    expect(on(host.lines(), 'create')).toHaveLength(26)
  })
})
