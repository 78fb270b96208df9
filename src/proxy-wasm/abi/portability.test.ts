/** Whether other hosts would run a module, rule by rule. */
import { describe, expect, it } from 'vitest'
import { buildWasm, fn, type WasmShape } from '../testing/build-wasm.ts'
import { CALLBACKS } from './callbacks.ts'
import { HOST_FUNCTIONS } from './host-functions.ts'
import { inspect } from './inspect.ts'
import { type HostPortability, portability } from './portability.ts'
import { HOSTS } from './portability-hosts.ts'

const PLUGIN = {
  proxy_abi_version_0_2_1: fn(),
  proxy_on_memory_allocate: fn('i32', 'i32'),
  proxy_on_context_create: fn('i32 i32'),
} as const

type Imports = NonNullable<WasmShape['imports']>

function on(
  shape: WasmShape = {},
  bytes = buildWasm({ functions: PLUGIN, ...shape }),
): {
  readonly [host: string]: HostPortability
} {
  const hosts = portability(inspect(bytes))
  return Object.fromEntries(hosts.map((host) => [host.host.split(' ')[0] ?? '', host]))
}

const importing = (...imports: Imports): ReturnType<typeof on> => on({ imports })
const codes = (host: HostPortability | undefined): string[] =>
  [...(host?.stops ?? []), ...(host?.limits ?? [])].map(({ code }) => code)

describe('portability', () => {
  it('lets the least there can be run everywhere', () => {
    expect(Object.values(on()).map(({ verdict }) => verdict)).toEqual(['yes', 'yes', 'yes', 'yes'])
  })

  it('refuses what nobody can load', () => {
    const hosts = on({}, new TextEncoder().encode('<html>'))
    expect(Object.values(hosts).map(({ verdict }) => verdict)).toEqual(['no', 'no', 'no', 'no'])
    expect(codes(hosts['Envoy'])).toEqual(['not-wasm'])
    const unmarked = on({ functions: { proxy_on_memory_allocate: fn('i32', 'i32') } })
    expect(codes(unmarked['nginx'])).toEqual(['abi-missing'])
  })

  it('has an unknown import stop every host', () => {
    const hosts = importing(['env', 'acme_call', fn('i32', 'i32')])
    expect(Object.values(hosts).map(({ verdict }) => verdict)).toEqual(['no', 'no', 'no', 'no'])
    expect(hosts['Envoy']?.stops[0]?.message).toBe('env.acme_call does not exist there.')
  })

  it('has Envoy link the functions of one version alone', () => {
    const hosts = importing(['env', 'proxy_get_configuration', fn('i32 i32', 'i32')])
    expect(codes(hosts['Envoy'])).toEqual(['import-version'])
    expect(hosts['nginx']?.verdict).toBe('yes')
  })

  it('has Envoy compare signatures, of WASI too', () => {
    const grpc = importing(['env', 'proxy_grpc_cancel', fn('i32 i32', 'i32')])
    expect(codes(grpc['Envoy'])).toEqual(['import-signature'])
    const wasi = importing(['wasi_snapshot_preview1', 'fd_close', fn('i64', 'i32')])
    expect(codes(wasi['Envoy'])).toEqual(['import-signature'])
    expect(codes(wasi['APISIX'])).toEqual([])
  })

  it('knows whose extensions are whose', () => {
    const dns = importing(['env', 'envoy_resolve_dns', fn('i32 i32 i32', 'i32')])
    expect([dns['Envoy'], dns['nginx'], dns['Google']].map((host) => host?.verdict)).toEqual([
      'yes',
      'no',
      'no',
    ])
    const abort = importing(['env', 'abort', fn('i32 i32 i32 i32')])
    expect(abort['Envoy']?.verdict).toBe('no')
  })

  it('names what links and does not work', () => {
    const hosts = importing(
      ['env', 'proxy_resolve_shared_queue', fn('i32 i32 i32 i32 i32', 'i32')],
      ['env', 'proxy_http_call', fn('i32 i32 i32 i32 i32 i32 i32 i32 i32 i32', 'i32')],
    )
    expect(hosts['Envoy']?.verdict).toBe('yes')
    expect(hosts['nginx']?.limits).toEqual([
      {
        code: 'call-missing',
        message: 'Not implemented there, and a trap if called: proxy_resolve_shared_queue.',
      },
    ])
    expect(hosts['Google']?.limits[0]?.message).toContain('proxy_http_call')
    expect(hosts['APISIX']?.limits[0]?.message).not.toContain('proxy_http_call')
  })

  it('names callbacks that are never called', () => {
    const hosts = on({
      functions: { ...PLUGIN, proxy_on_queue_ready: fn('i32 i32'), proxy_on_tick: fn('i32') },
    })
    expect(hosts['nginx']?.limits[0]?.message).toBe('Never called there: proxy_on_queue_ready.')
    expect(hosts['Google']?.limits[0]?.message).toContain('proxy_on_tick')
  })

  it('compares memory and size', () => {
    expect(codes(on({ memory: [0, 0x81, 0x02] })['Google'])).toEqual(['memory-size'])
    const memory = { kind: 2, description: [0, 1] }
    const imported = on({ memory: false, imports: [['env', 'memory', memory]] })
    expect(codes(imported['APISIX'])).toEqual(['memory-imported'])
    expect(imported['Envoy']?.verdict).toBe('yes')
    const report = { ...inspect(buildWasm({ functions: PLUGIN })), size: 6 * 1024 * 1024 }
    expect(codes(portability(report).at(-1))).toEqual(['module-size'])
  })

  it('speaks of functions and callbacks that are in the tables', () => {
    const functions = new Set(HOST_FUNCTIONS.map(({ name }) => name))
    const callbacks = new Set(CALLBACKS.map(({ name }) => name))
    for (const host of HOSTS) {
      const called = [...host.missingCalls, ...host.extensions]
      expect(called.filter((name) => !functions.has(name))).toEqual([])
      expect([...host.missingCallbacks].filter((name) => !callbacks.has(name))).toEqual([])
    }
  })
})
