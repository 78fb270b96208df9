import { describe, expect, it } from 'vitest'
import type { LoadedModule } from './loaded-module.ts'
import { type PluginOptions, pluginSpec } from './plugin-spec.ts'
import { vmKey } from './vm-key.ts'

const module = (sha256: string): LoadedModule => ({
  sha256,
  module: new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
  abi: '0.2.1',
  start: 'none',
  imports: [],
  importedMemory: { initial: 0 },
  importedTable: { initial: 0 },
})

const one = module('1')
const key = (options: Partial<PluginOptions> = {}): Promise<string> =>
  vmKey(pluginSpec({ name: 'a', module: one, ...options }))

describe('vmKey', () => {
  it('of log-only plugins differs by what becomes of their calls', async () => {
    const run = await key({ logOnly: { callouts: 'run' } })
    expect(await key({ logOnly: { callouts: 'block' } })).not.toBe(run)
    expect(await key({ logOnly: { callouts: 'run' } })).toBe(run)
  })

  it.each<[string, Partial<PluginOptions>]>([
    ['a budget', { failOpenBudget: { percent: 1, minimum: 0 } }],
    ['its decisions', { decisions: { sampling: 1, mask: [] } }],
  ])('is the same whatever %s, which no guest can tell', async (_, options) => {
    expect(await key(options)).toBe(await key())
  })

  it('is a SHA-256 in hex, the same for the same plugin', async () => {
    expect(await key()).toMatch(/^[\da-f]{64}$/)
    expect(await key()).toBe(await key())
  })

  it.each<[string, Partial<PluginOptions>]>([
    ['the plugin', { name: 'b' }],
    ['the vm id', { vmId: 'v' }],
    ['the vm configuration', { vmConfiguration: 'c' }],
    ['the environment', { environment: [['A', '1']] }],
    ['the capabilities', { allowedCapabilities: ['proxy_log'] }],
    ['no capabilities at all', { allowedCapabilities: [] }],
    ['a limit', { limits: { pauseMs: 1 } }],
    ['allowOnHeadersStopIteration', { allowOnHeadersStopIteration: true }],
    ['the mode', { logOnly: { callouts: 'run' } }],
    ['the module', { module: module('2') }],
  ])('differs by %s', async (_, options) => {
    expect(await key(options)).not.toBe(await key())
  })

  it.each<[string, Partial<PluginOptions>]>([
    ['the configuration', { configuration: 'c' }],
    ['the root id', { rootId: 'r' }],
    ['the fail strategy', { failStrategy: 'FAIL_OPEN' }],
  ])('does not differ by %s', async (_, options) => {
    expect(await key(options)).toBe(await key())
  })

  it('forgets the name of plugins that share, and the order of sets', async () => {
    const shared = { shareVm: true }
    expect(await key({ ...shared, name: 'b' })).toBe(await key(shared))
    expect(
      await key({
        environment: [
          ['A', '1'],
          ['B', '2'],
        ],
      }),
    ).toBe(
      await key({
        environment: [
          ['B', '2'],
          ['A', '1'],
        ],
      }),
    )
    expect(await key({ allowedCapabilities: ['x', 'y'] })).toBe(
      await key({ allowedCapabilities: ['y', 'x'] }),
    )
  })

  it('keeps the sides of a rollout apart', async () => {
    const spec = pluginSpec({ name: 'a', module: one })
    const keys = await Promise.all([
      vmKey(spec),
      vmKey(spec, { rollout: 'stable', mode: 'enforce' }),
      vmKey(spec, { rollout: 'candidate', mode: 'enforce' }),
      vmKey(spec, { rollout: 'candidate', mode: 'shadow' }),
    ])
    expect(new Set(keys).size).toBe(3)
    expect(keys[0]).toBe(keys[1])
  })
})
