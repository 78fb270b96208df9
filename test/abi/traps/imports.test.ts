/** Known traps of the ABI: what modules import and export, under which names. */
import { describe, expect, it } from 'vitest'
import { envoyFunctions } from '../../../src/foreign/index.ts'
import { HOST_ANSWERS } from '../../../src/proxy-wasm/abi/host-answers.ts'
import { HOST_FUNCTIONS } from '../../../src/proxy-wasm/abi/host-functions.ts'
import { WASI_FUNCTIONS, WASI_MODULES } from '../../../src/proxy-wasm/abi/wasi-functions.ts'
import type { GrpcCall, GrpcCallsPort, GrpcEvent } from '../../../src/proxy-wasm/index.ts'
import { settled } from '../../support/fake-time.ts'
import { callByHand, handMade } from '../../support/hand-made.ts'
import { machine, moduleAt, probe } from '../../support/machine.ts'
import {
  callout,
  calls,
  latin1,
  PAUSE,
  play,
  playPlugins,
  post,
  reply,
  statuses,
} from '../../support/play.ts'
import { record } from '../../support/recorder.ts'

const fixture = (name: string) => moduleAt(`test/fixtures/start-conventions/${name}.wasm`)

const EVENTS: readonly GrpcEvent[] = [
  { kind: 'initial-metadata', metadata: ['x-a', '1'] },
  { kind: 'trailing-metadata', metadata: ['x-b', '2'] },
  { kind: 'close', status: 0, message: '' },
]

/** A gRPC stream that says these events and keeps how it was asked for. */
function grpcPort(seen: GrpcCall[] = []): GrpcCallsPort {
  async function* events(): AsyncGenerator<GrpcEvent, void, void> {
    yield* EVENTS
  }
  return {
    declares: (_plugin, upstream) => upstream === 'up',
    start: (call) => (seen.push(call), { events: events(), cancel() {} }),
  }
}

describe('WASI', () => {
  it('trap 49: a module that imports all of WASI, under either name, starts', async () => {
    const imports = WASI_MODULES.flatMap((module) =>
      WASI_FUNCTIONS.map(({ name, params, result }) => {
        const types = params.map(({ type }) => type).join(' ')
        const returns = result === 'void' ? '' : '(result i32)'
        return `(import "${module}" "${name}" (func (param ${types}) ${returns}))`
      }),
    )
    const plugin = await machine().plugin({ module: handMade(imports.join('\n')) })
    plugin.start()
    expect([plugin.state, plugin.unknownImports]).toEqual(['running', []])
  })

  // Envoy refuses the module: docs/HOST_DIFFERENCES.md, unknown-imports
  it('trap 49: one that WASI has not got is a stub, and named', async () => {
    const module = handMade('(import "wasi_snapshot_preview1" "sock_open" (func (result i32)))')
    const plugin = await machine().plugin({ module })
    plugin.start()
    expect(plugin.unknownImports).toEqual(['wasi_snapshot_preview1.sock_open'])
  })

  it('trap 50: of two allocators malloc is taken, and either will do', async () => {
    for (const [name, expected] of [
      ['both-allocators', ['malloc', 'conf text']],
      ['malloc-only', ['conf text']],
      ['allocate-only', ['conf text']],
    ] as const) {
      const host = machine()
      const plugin = await host.plugin({ module: fixture(name), configuration: 'conf text' })
      plugin.start()
      expect(host.logs.map(({ message }) => message)).toEqual(expected)
    }
  })

  it('trap 51: the marker 0.2.0 has the functions of that specification, none of which is Unimplemented', () => {
    const names = HOST_FUNCTIONS.filter(({ versions }) => versions.includes('0.2.0')).map(
      ({ name }) => name,
    )
    const unimplemented = names.filter((name) =>
      HOST_ANSWERS.get(name)?.statuses.includes('Unimplemented'),
    )
    // upstream TCP alone, which no SDK for HTTP asks for
    expect(unimplemented).toEqual(['proxy_continue_stream'])
  })

  it('trap 51: functions of the draft that had the same marker are stubs and break nothing', async () => {
    const module = handMade(
      '(import "env" "proxy_get_map_values" (func (param i32 i32 i32 i32 i32) (result i32)))',
      { version: '0_2_0' },
    )
    const host = machine()
    const plugin = await host.plugin({ module })
    expect((await playPlugins(host, [plugin])).body).toBe('ok')
    expect(plugin.unknownImports).toEqual(['env.proxy_get_map_values'])
  })

  it('trap 52: an allocator may ask for time, wait, yield, and write', async () => {
    const host = machine()
    const wasi = (name: string, types: string): string =>
      `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${types} (result i32)))`
    const module = handMade(
      `${wasi('clock_time_get', '(param i32 i64 i32)')}
       ${wasi('poll_oneoff', '(param i32 i32 i32 i32)')}
       ${wasi('sched_yield', '')}
       ${wasi('fd_write', '(param i32 i32 i32 i32)')}
       (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
       (import "env" "proxy_set_shared_data" (func $keep (param i32 i32 i32 i32 i32) (result i32)))
       (data (i32.const 0) "plugin_name")
       (data (i32.const 80) "collected")
       (data (i32.const 96) "\\50\\00\\00\\00\\09\\00\\00\\00")
       (func (export "malloc") (param i32) (result i32)
         (i32.store (i32.const 32) (i32.add (i32.const 100)
           (i32.add (i32.add
             (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 40))
             (call $poll_oneoff (i32.const 48) (i32.const 200) (i32.const 1) (i32.const 300)))
             (i32.add (call $sched_yield)
               (call $fd_write (i32.const 1) (i32.const 96) (i32.const 1) (i32.const 304))))))
         (i32.const 512))
       (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
         (i32.store8 (i32.const 36) (call $get
           (i32.const 0) (i32.const 11) (i32.const 64) (i32.const 68)))
         (call $keep (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 5) (i32.const 0)))`,
      { allocator: '' },
    )
    const { body } = await playPlugins(host, [await host.plugin({ module })])
    const kept = host.pool.ports.sharedData.get('', '')?.value
    // 100 and the sum of all errnos, then the status of the call that allocated
    expect([body, kept && Array.from(kept)]).toEqual(['ok', [100, 0, 0, 0, 0]])
    expect(host.logs.some(({ message }) => message.includes('collected'))).toBe(true)
  })
})

describe('names', () => {
  it('trap 53: trailing metadata comes under the name of the specification, never under the one that SDKs mistook', async () => {
    const exported = WebAssembly.Module.exports(
      moduleAt('test/fixtures/sdk-as/sdk-as.wasm').module,
    ).map(({ name }) => name)
    expect(exported).toContain('proxy_on_grpc_trailing_metadata')
    const host = machine({ ports: { grpcCalls: grpcPort() } })
    const module = handMade(
      `(import "env" "proxy_grpc_stream"
         (func $open (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
       (import "env" "proxy_grpc_send" (func $send (param i32 i32 i32 i32) (result i32)))
       (import "env" "proxy_set_shared_data" (func $keep (param i32 i32 i32 i32 i32) (result i32)))
       (data (i32.const 0) "up")
       (data (i32.const 8) "12")
       (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
         (drop (call $open (i32.const 0) (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 9)
           (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64)))
         (call $send (i32.load (i32.const 64)) (i32.const 0) (i32.const 0) (i32.const 1)))
       (func (export "proxy_on_grpc_trailing_metadata") (param i32 i32 i32) unreachable)
       (func (export "proxy_on_grpc_receive_trailing_metadata") (param i32 i32 i32)
         (drop (call $keep (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 0))))
       (func (export "proxy_on_grpc_close") (param i32 i32 i32)
         (drop (call $keep (i32.const 9) (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 0))))`,
    )
    const plugin = await host.plugin({ module })
    await playPlugins(host, [plugin])
    await settled()
    const { sharedData } = host.pool.ports
    expect(plugin.state).toBe('running')
    expect([sharedData.get('', '1'), sharedData.get('', '2')]).toMatchObject([{}, {}])
  })

  it('trap 54: proxy_grpc_call with the parameters of AssemblyScript’s SDK starts that call', async () => {
    const seen: GrpcCall[] = []
    const status = await callByHand(
      'proxy_grpc_call',
      '(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)',
      `(i32.const 0) (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 9) (i32.const 1)
       (i32.const 0) (i32.const 2) (i32.const 70) (i32.const 16)`,
      {
        data: '(data (i32.const 0) "up") (data (i32.const 8) "sm")',
        ports: { grpcCalls: grpcPort(seen) },
      },
    )
    expect(status).toBe(0)
    expect(seen).toMatchObject([{ upstream: 'up', service: 's', method: 'm', metadata: [] }])
    expect(latin1(seen[0]?.message ?? new Uint8Array(0))).toBe('up')
  })

  // the chain stays as it is: docs/HOST_DIFFERENCES.md, clear-route-cache
  it.each([
    ['0.1.0', 'its own function', { call: 'clear_route_cache' }],
    ['0.2.1', 'a foreign function', { call: 'foreign', function: 'clear_route_cache' }],
  ] as const)(
    'trap 55: %s chooses the route again by %s; an edit alone does not',
    async (version, _, step) => {
      const ports = { foreignFunctions: envoyFunctions() }
      const edit = { call: 'set_header', name: ':path', value: '/elsewhere' }
      const plugin = { module: probe(version) }
      const edited = await play({ request_headers: [edit] }, { plugin, ports })
      expect(edited.sent).toMatchObject({ path: '/elsewhere', routeCleared: false })
      const cleared = await play({ request_headers: [edit, step] }, { plugin, ports })
      expect(statuses(calls(cleared.lines, step.call))).toEqual([0])
      expect(cleared.sent).toMatchObject({ path: '/elsewhere', routeCleared: true })
    },
  )

  it.each([true, false])(
    'trap 56: a foreign function acts on the effective context (set: %s)',
    async (effective) => {
      const clear = { call: 'foreign', function: 'clear_route_cache' }
      const issuer = { call: 'set_effective_context', issuer: true }
      const { sent } = await play(
        {
          request_headers: [callout(), PAUSE],
          http_call_response: [
            ...(effective ? [issuer, clear] : [clear, issuer]),
            { call: 'continue_request' },
          ],
        },
        { ports: { foreignFunctions: envoyFunctions() }, callout: async () => reply(200) },
      )
      expect(sent?.routeCleared).toBe(effective)
    },
  )

  it('trap 57: CEL that was not registered is NotFound, and Rust goes on', async () => {
    const asked = ['expr_create', 'expr_evaluate', 'expr_delete']
    const ports = { foreignFunctions: envoyFunctions() }
    const { lines } = await play(
      {
        request_headers: asked.map((name) => ({ call: 'foreign', function: name, argument: 'x' })),
      },
      { ports },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual([1, 1, 1])
    const { alive, body } = await record('rust', ['request_headers foreign expr_create true'], {
      ports,
      request: post('x'),
    })
    expect([alive, body]).toEqual([true, 'ok'])
  })
})
