/** What refuses a module, what is only said, and what is read out of it. */
import { describe, expect, it } from 'vitest'
import { buildWasm, fn, type WasmShape } from '../testing/build-wasm.ts'
import { inspect, type InspectReport } from './inspect.ts'

const PLUGIN = {
  proxy_abi_version_0_2_1: fn(),
  proxy_on_memory_allocate: fn('i32', 'i32'),
  proxy_on_context_create: fn('i32 i32'),
} as const

/** A plugin with more in it. */
function inspected(functions: WasmShape['functions'] = {}, rest: WasmShape = {}): InspectReport {
  return inspect(buildWasm({ functions: { ...PLUGIN, ...functions }, ...rest }))
}

const codesOf = (findings: InspectReport['problems']): string[] => findings.map(({ code }) => code)

/** A plugin without one of its exports. */
function without(name: keyof typeof PLUGIN, more: WasmShape['functions'] = {}): InspectReport {
  const functions = Object.entries(PLUGIN).filter(([other]) => other !== name)
  return inspect(buildWasm({ functions: { ...Object.fromEntries(functions), ...more } }))
}

describe('inspect, of a plugin', () => {
  it('finds nothing wrong with the least there can be', () => {
    expect(inspected()).toMatchObject({
      ok: true,
      abi: '0.2.1',
      allocator: 'proxy_on_memory_allocate',
      start: 'none',
      callbacks: [{ name: 'proxy_on_context_create', support: 'full' }],
      memory: { initial: 2, imported: false },
      problems: [],
      warnings: [],
    })
  })

  it('warns of more memory than an isolate has', () => {
    const { ok, warnings } = inspected({}, { memory: [0, 0x81, 0x10] })
    expect([ok, codesOf(warnings)]).toEqual([true, ['memory-large']])
    expect(inspected({}, { memory: [0, 0x80, 0x10] }).warnings).toEqual([])
  })

  it.each<[InspectReport['start'], WasmShape['functions']]>([
    ['_initialize', { _initialize: fn() }],
    ['_initialize', { _initialize: fn(), _start: fn() }],
    ['_initialize+main', { _initialize: fn(), main: fn('i32 i32', 'i32') }],
    ['_start', { _start: fn(), main: fn() }],
  ])('starts by %s', (start, functions) => {
    expect(inspected(functions)).toMatchObject({ ok: true, start })
  })

  it('prefers malloc', () => {
    expect(inspected({ malloc: fn('i32', 'i32') }).allocator).toBe('malloc')
  })

  it('lists callbacks, and which of them never happen here', () => {
    const { ok, callbacks } = inspected({
      proxy_on_request_headers: fn('i32 i32 i32', 'i32'),
      proxy_on_request_trailers: fn('i32 i32', 'i32'),
    })
    expect(ok).toBe(true)
    expect(callbacks.slice(1)).toEqual([
      { name: 'proxy_on_request_headers', support: 'full' },
      { name: 'proxy_on_request_trailers', support: 'never' },
    ])
  })

  it('knows the two parameters of 0.1.0', () => {
    const { ok, abi } = without('proxy_abi_version_0_2_1', {
      proxy_abi_version_0_1_0: fn(),
      proxy_on_request_headers: fn('i32 i32', 'i32'),
    })
    expect({ ok, abi }).toEqual({ ok: true, abi: '0.1.0' })
  })

  it('is plain JSON', () => {
    const report = inspected()
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })
})

describe('inspect refuses', () => {
  it.each<[string, () => InspectReport]>([
    ['not-wasm', () => inspect(new TextEncoder().encode('<html>'))],
    ['malformed', () => inspect(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9]))],
    ['component', () => inspect(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]))],
    ['abi-missing', () => without('proxy_abi_version_0_2_1')],
    [
      'abi-unsupported',
      () => without('proxy_abi_version_0_2_1', { proxy_abi_version_0_2_100: fn() }),
    ],
    ['allocator-missing', () => without('proxy_on_memory_allocate')],
    ['callback-signature', () => inspected({ proxy_on_log: fn('i64') })],
    ['callback-signature', () => inspected({ malloc: fn('i64', 'i32') })],
    ['callback-signature', () => inspected({ _initialize: fn(), main: fn() })],
    ['memory-missing', () => inspected({}, { memory: false })],
    ['memory64', () => inspected({}, { memory: [4, 1] })],
    [
      'import-global',
      () => inspected({}, { imports: [['env', 'g', { kind: 3, description: [0x7f, 0] }]] }),
    ],
    [
      'import-tag',
      () => inspected({}, { imports: [['env', 't', { kind: 4, description: [0, 0] }]] }),
    ],
  ])('%s', (code, run) => {
    const report = run()
    expect(report.ok).toBe(false)
    expect(codesOf(report.problems)).toEqual([code])
    expect(report.problems[0]?.message.length).toBeGreaterThan(20)
  })

  it('for every reason at once', () => {
    const report = inspect(buildWasm({ functions: { proxy_on_tick: fn() }, memory: false }))
    expect(codesOf(report.problems)).toEqual([
      'abi-missing',
      'allocator-missing',
      'callback-signature',
      'memory-missing',
    ])
  })
})

describe('inspect, of imports', () => {
  it('tells what works, what only answers and what is unknown', () => {
    const { ok, hostFunctions, unknownImports, warnings } = inspected(
      {},
      {
        imports: [
          ['env', 'proxy_log', fn('i32 i32 i32', 'i32')],
          ['env', 'envoy_resolve_dns', fn('i32 i32 i32', 'i32')],
          ['wasi_unstable', 'fd_read', fn('i32 i32 i32 i32', 'i32')],
          ['env', 'proxy_frobnicate', fn('i32 i64', 'i32')],
          ['wbg', '__wbindgen_throw', fn('i32 i32')],
        ],
      },
    )
    expect(ok).toBe(true)
    expect(hostFunctions.map(({ name, support }) => [name, support])).toEqual([
      ['proxy_log', 'full'],
      ['envoy_resolve_dns', 'answers'],
      ['fd_read', 'answers'],
    ])
    expect(unknownImports).toEqual([
      { module: 'env', name: 'proxy_frobnicate', signature: '(i32, i64) -> i32' },
      { module: 'wbg', name: '__wbindgen_throw', signature: '(i32, i32) -> ()' },
    ])
    expect(codesOf(warnings)).toEqual(['unknown-import', 'unknown-import', 'answers-only'])
  })

  it('notices a signature that is not the table’s', () => {
    const tenParams = fn('i32 i32 i32 i32 i32 i32 i32 i32 i32 i32', 'i32')
    const { mismatches, warnings } = inspected(
      {},
      { imports: [['env', 'proxy_grpc_call', tenParams]] },
    )
    expect(mismatches).toMatchObject([{ module: 'env', name: 'proxy_grpc_call' }])
    expect(mismatches[0]?.expected.match(/i32/g)).toHaveLength(13)
    expect(codesOf(warnings)).toContain('import-signature')
  })

  it('says when a function belongs to another version, whichever result it declares', () => {
    for (const result of ['i32', '']) {
      const { mismatches, warnings } = inspected(
        {},
        { imports: [['env', 'proxy_clear_route_cache', fn('', result)]] },
      )
      expect(mismatches).toEqual([])
      expect(codesOf(warnings)).toEqual(['other-version'])
    }
  })

  it('reports the limits of an imported memory and table', () => {
    const report = inspected(
      {},
      {
        memory: false,
        imports: [
          ['env', 'memory', { kind: 2, description: [1, 4, 16] }],
          ['env', 'table', { kind: 1, description: [0x70, 0, 7] }],
        ],
      },
    )
    expect(report).toMatchObject({
      ok: true,
      memory: { initial: 4, maximum: 16, imported: true },
      importedMemory: { initial: 4, maximum: 16 },
      importedTable: { initial: 7 },
    })
  })
})

describe('the guess at the SDK', () => {
  const marked020 = { proxy_abi_version_0_2_0: fn() }
  it.each<[InspectReport['sdk'], () => InspectReport]>([
    ['rust', () => inspected({}, { producers: { language: [['Rust', '']] } })],
    ['go', () => inspected({}, { producers: { language: [['Go', 'go1.24']] } })],
    ['tinygo', () => inspected({}, { producers: { 'processed-by': [['TinyGo', '0.34']] } })],
    ['c++', () => inspected({}, { producers: { language: [['C_plus_plus_17', '']] } })],
    ['c++', () => inspected({ stackSave: fn('', 'i32') })],
    ['assemblyscript', () => inspected({ __pin: fn('i32', 'i32') })],
    ['assemblyscript', () => inspected({}, { imports: [['env', 'abort', fn('i32 i32 i32 i32')]] })],
    ['rust', () => inspected()],
    ['tinygo', () => without('proxy_abi_version_0_2_1', marked020)],
    ['unknown', () => without('proxy_on_context_create')],
  ])('is %s', (sdk, run) => {
    expect(run().sdk).toBe(sdk)
  })
})
