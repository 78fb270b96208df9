/** The generated registry: order, names, quoting, and that nothing unfit gets into it. */
import { describe, expect, it } from 'vitest'
import { inspect } from '../proxy-wasm/abi/inspect.ts'
import { buildWasm, fn } from '../proxy-wasm/testing/build-wasm.ts'
import type { PluginModule, PluginModules } from './plugin-modules.ts'
import { registrySource } from './registry-source.ts'

const REPORT = inspect(
  buildWasm({
    imports: [['env', 'table', { kind: 1, description: [0x70, 1, 2, 9] }]],
    functions: { proxy_abi_version_0_2_0: fn(), malloc: fn('i32', 'i32') },
  }),
)

function version(name: string, rest: Partial<PluginModule> = {}): PluginModule {
  return { version: name, file: `${name}.wasm`, sha256: 'ab', report: REPORT, ...rest }
}

const plugin = (name: string, ...versions: PluginModule[]): PluginModules => ({ name, versions })

describe('registrySource', () => {
  it('is the same whatever order plugins come in', () => {
    const [a, b] = [plugin('a', version('1.0.0')), plugin('b', version('1.0.0'))]
    expect(registrySource([a, b])).toBe(registrySource([b, a]))
  })

  it('keeps the order of versions', () => {
    const source = registrySource([plugin('a', version('1.10.0'), version('1.9.0'))])
    expect(source.indexOf('1.10.0')).toBeLessThan(source.indexOf('1.9.0'))
  })

  it('makes an identifier of every name and version, each once', () => {
    const source = registrySource([
      plugin('2fa-check', version('1.0.0-rc.1'), version('1.0.0+rc.1')),
      plugin('header-policy', version('1.1.0')),
    ])
    expect(source).toContain("import _2faCheck_1_0_0_rc_1 from './2fa-check/1.0.0-rc.1.wasm'")
    expect(source).toContain('import _2faCheck_1_0_0_rc_1__2 from')
    expect(source).toContain('import headerPolicy_1_1_0 from')
  })

  it('holds urls, size and facts', () => {
    const urls = ["oci://x/it's:1"]
    const source = registrySource([plugin('a', version('1.0.0', { urls }))])
    expect(source).toContain(String.raw`urls: ['oci://x/it\'s:1'],`)
    expect(source).toContain(`size: ${REPORT.size},`)
    expect(source).toContain("abi: '0.2.0',")
    expect(source).toContain('memory: { initial: 2 },')
    expect(source).toContain('importedTable: { initial: 2, maximum: 9 },')
  })

  it('is an empty list without plugins', () => {
    expect(registrySource([])).toContain(
      'export const registry: readonly RegisteredModule[] = [\n]',
    )
  })

  it('imports its type from where it is told', () => {
    expect(registrySource([], { typesFrom: 'postern' })).toContain(
      "RegisteredModule } from 'postern'",
    )
  })

  it('refuses a module that cannot run', () => {
    const broken = version('1.0.0', { report: inspect(new Uint8Array(0)) })
    expect(() => registrySource([plugin('a', broken)])).toThrow('no WebAssembly')
  })
})
