import { describe, expect, it } from 'vitest'
import { LoadError } from '../../src/proxy-wasm/index.ts'
import { FakeTime } from '../support/fake-time.ts'
import { machine, moduleAt, probe, type ProbeLine, script } from '../support/machine.ts'
import { callbacks, calls, during, on, play, playChain, playPlugins } from '../support/play.ts'

const callbacksOf = (lines: readonly ProbeLine[]): string[] =>
  lines.flatMap((line) => (line.on ? [`${line.on} ${line['context']}`] : []))

describe('the order a guest sees', () => {
  it('creates, starts and configures the root, then each stream', async () => {
    const { body, lines } = await play({})
    expect(body).toBe('ok')
    expect(callbacksOf(lines)).toEqual([
      'initialize 0',
      'create 1',
      'vm_start 1',
      'configure 1',
      'create 2',
      'request_headers 2',
      'response_headers 2',
      'response_body 2',
      'log 2',
      'done 2',
      'delete 2',
    ])
  })

  it('hands out parents, configuration sizes, header counts and ends of stream', async () => {
    const { lines } = await play({}, { plugin: { vmConfiguration: 'vmconf' } })
    const [root, stream] = on(lines, 'create')
    expect(root).toMatchObject({ context: 1, parent: 0 })
    expect(stream).toMatchObject({ context: 2, parent: 1 })
    expect(on(lines, 'vm_start')).toMatchObject([{ size: 6 }])
    expect(on(lines, 'configure')).toMatchObject([{ size: script({}).length }])
    expect(on(lines, 'request_headers')).toMatchObject([{ num_headers: 4, end_of_stream: true }])
    expect(on(lines, 'response_headers')).toMatchObject([{ num_headers: 3, end_of_stream: false }])
    expect(on(lines, 'response_body')).toMatchObject([{ size: 2, end_of_stream: true }])
  })

  it('calls no body callback for a message without a body', async () => {
    const { lines } = await play({}, { response: new Response(null, { status: 204 }) })
    expect(on(lines, 'response_headers')).toMatchObject([{ end_of_stream: true }])
    expect(on(lines, 'response_body')).toEqual([])
  })

  it('starts the vm with its first stream, and never again while it runs', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    expect([plugin.state, host.pool.size]).toEqual(['idle', 0])
    await playPlugins(host, [plugin])
    await playPlugins(host, [plugin])
    expect([plugin.state, host.pool.size, host.pool.contexts]).toEqual(['running', 1, 1])
    expect(callbacks(host.lines()).filter((name) => name === 'vm_start')).toHaveLength(1)
    expect(on(host.lines(), 'create').map((line) => line['context'])).toEqual([1, 2, 3])
  })

  it('never asks the allocator for 0 bytes', async () => {
    const { lines } = await play(
      {
        request_headers: [
          { call: 'get_header', name: 'x-empty' },
          { call: 'get_body' },
          { call: 'get_pairs', map: 'call' },
        ],
      },
      { request: new Request('http://a.example/', { headers: { 'x-empty': '' } }) },
    )
    expect(on(lines, 'allocate')).toEqual([])
    expect(calls(lines, 'get_header')).toMatchObject([{ status: 0, value: null, size: 0 }])
  })

  it('logs a stream that no callback of the guest has seen', async () => {
    const { host } = await playChain([
      { configuration: script({ request_headers: [{ call: 'local_reply', status: 403 }] }) },
      { configuration: script({}) },
    ])
    expect(callbacks(host.lines('p2'), 2)).toEqual(['create', 'log', 'done', 'delete'])
  })
})

describe('plugins that refuse to start', () => {
  it.each([
    ['vm_start', 'plugin.vm_start_refused'],
    ['configure', 'plugin.configure_refused'],
  ])('%s answering false is a LoadError that says so', async (callback, code) => {
    const host = machine()
    const steps = script({ [callback]: [{ call: 'return_false' }] })
    const plugin = await host.plugin({ module: probe(), vmConfiguration: steps })
    expect(() => plugin.start()).toThrow(expect.objectContaining({ code }) as Error)
    expect([plugin.state, host.pool.size]).toEqual(['failed', 0])
    expect(plugin.lastError).toBeInstanceOf(LoadError)
  })

  it('does not configure after vm_start answered false', async () => {
    const host = machine()
    const steps = script({ vm_start: [{ call: 'return_false' }] })
    const plugin = await host.plugin({ module: probe(), vmConfiguration: steps })
    expect(() => plugin.start()).toThrow(LoadError)
    expect(callbacks(host.lines())).not.toContain('configure')
  })

  it.each(['initialize', 'create', 'vm_start', 'configure'])(
    'a trap in %s is plugin.start_failed and names the callback',
    async (callback) => {
      const host = machine()
      const steps = script({ [callback]: [{ call: 'trap', kind: 'unreachable' }] })
      const plugin = await host.plugin({ module: probe(), environment: [['PROBE', steps]] })
      expect(() => plugin.start()).toThrow(
        expect.objectContaining({ code: 'plugin.start_failed' }) as Error,
      )
      if (callback !== 'initialize') expect(plugin.lastError?.message).toContain(callback)
      expect(host.pool.size).toBe(0)
    },
  )

  it.each([
    ['FAIL_CLOSE', 503, ''],
    ['FAIL_OPEN', 200, 'ok'],
    ['FAIL_RELOAD', 503, ''],
  ] as const)('under %s its streams get %i', async (failStrategy, status, body) => {
    const played = await play(
      { configure: [{ call: 'return_false' }] },
      { plugin: { failStrategy } },
    )
    expect([played.response.status, played.body]).toEqual([status, body])
  })

  it('are tried again after the back-off, not at every request', async () => {
    const time = new FakeTime()
    const host = machine({ ports: time })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ configure: [{ call: 'trap', kind: 'unreachable' }] }),
    })
    const starts = async (): Promise<number> => {
      await playPlugins(host, [plugin])
      return callbacks(host.lines()).filter((name) => name === 'vm_start').length
    }
    expect([await starts(), await starts()]).toEqual([1, 1])
    time.pass(1_501)
    expect([await starts(), await starts()]).toEqual([2, 2])
    // twice as long after the second failure, and half as much again at most
    time.pass(1_999)
    expect(await starts()).toBe(2)
    time.pass(1_002)
    expect(await starts()).toBe(3)
  })

  it('leave nothing behind in a vm that they share', async () => {
    const host = machine()
    const shared = { module: probe(), shareVm: true, vmConfiguration: script({}) }
    const good = await host.plugin({ ...shared, configuration: script({}) })
    good.start()
    const bad = await host.plugin({
      ...shared,
      configuration: script({
        // not yet where it is tried alone
        configure: [
          { call: 'queue_register', name: 'q' },
          { call: 'return_false', if: { total: 2 } },
        ],
      }),
    })
    expect(() => bad.start()).toThrow(LoadError)
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
    const deleted = on(host.lines(), 'delete').map((line) => line['context'])
    expect(deleted).toEqual([2])
  })
})

describe('what a root may read from its first call on', () => {
  it('serves its names in on_context_create, and its configuration', async () => {
    const steps = script({
      create: [
        { call: 'get_property', path: ['plugin_root_id'], if: { root: true } },
        { call: 'get_property', path: ['plugin_name'], if: { root: true } },
        { call: 'get_property', path: ['plugin_vm_id'], if: { root: true } },
        { call: 'get_body', buffer: 'plugin_configuration', if: { root: true } },
      ],
    })
    const { lines } = await playChain([
      {
        module: probe(),
        name: 'named',
        rootId: 'my_root',
        vmId: 'my_vm',
        configuration: 'conf',
        environment: [['PROBE', steps]],
      },
    ])
    expect(during(lines, 'create').map((line) => line['value'])).toEqual([
      'my_root',
      'named',
      'my_vm',
      'conf',
    ])
  })

  it('keeps both configurations readable in a stream', async () => {
    const { lines } = await play(
      {
        request_headers: [
          { call: 'get_body', buffer: 'vm_configuration' },
          { call: 'get_body', buffer: 'plugin_configuration', show: 8 },
          { call: 'set_body', buffer: 'plugin_configuration', value: 'no' },
        ],
      },
      { plugin: { vmConfiguration: 'of the vm' } },
    )
    expect(during(lines, 'request_headers')).toMatchObject([
      { status: 0, value: 'of the vm' },
      { status: 0, value: '{"steps"' },
      { status: 2 },
    ])
  })

  it('edits headers with a real Rust SDK plugin', async () => {
    const { response, sent } = await playChain([
      {
        name: 'header-policy',
        module: moduleAt('plugins/header-policy/1.1.0.wasm'),
        configuration: '{"request":{"set":{"x-a":"1"}},"response":{"set":{"x-b":"2"}}}',
      },
    ])
    expect(sent?.headers.get('x-a')).toBe('1')
    expect(response.headers.get('x-b')).toBe('2')
  })
})
