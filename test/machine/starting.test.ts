import { describe, expect, it } from 'vitest'
import { LoadError } from '../../src/proxy-wasm/index.ts'
import { compileWat, handMade } from '../support/hand-made.ts'
import { machine, moduleAt } from '../support/machine.ts'
import { playPlugins } from '../support/play.ts'

const fixture = (name: string) => moduleAt(`test/fixtures/start-conventions/${name}.wasm`)

/** What the guest said while it was started and configured. */
async function said(name: string): Promise<string[]> {
  const host = machine()
  const plugin = await host.plugin({ module: fixture(name), configuration: 'conf text' })
  plugin.start()
  return host.logs.filter((entry) => entry.level === 2).map((entry) => entry.message)
}

describe('how a module starts', () => {
  it.each([
    ['initialize', ['_initialize', 'configure']],
    ['initialize-main', ['_initialize', 'main', 'configure']],
    ['initialize-main-void', ['_initialize', '__main_void', 'configure']],
    ['initialize-and-start', ['_initialize', 'configure']],
    ['start', ['_start', 'configure']],
    ['main-only', ['configure']],
    ['no-start', ['configure']],
  ])('%s', async (name, expected) => {
    expect(await said(name)).toEqual(expected)
  })

  it('may not use its contexts before it has one', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: fixture('restricted-call') })
    expect(() => plugin.start()).toThrow(/while the module was starting/)
  })

  it('survives a module that logs before the host can see its memory', async () => {
    await expect(said('start-section')).resolves.toContain('configure')
  })

  it('answers a start section that asks WASI for what has no place yet', async () => {
    const module =
      handMade(`(import "wasi_unstable" "random_get" (func $f (param i32 i32) (result i32)))
      (func $begin (if (i32.ne (call $f (i32.const 0) (i32.const 8)) (i32.const 21)) (then unreachable)))
      (start $begin)`)
    const plugin = await machine().plugin({ module })
    plugin.start()
    expect(plugin.state).toBe('running')
  })

  it('reads what a start section logs where the memory is imported', async () => {
    const module = compileWat(`(module (import "env" "memory" (memory 1))
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      (data (i32.const 0) "begun")
      (func $begin (if (call $log (i32.const 2) (i32.const 0) (i32.const 5)) (then unreachable)))
      (start $begin)
      (func (export "malloc") (param i32) (result i32) (i32.const 1024))
      (func (export "proxy_abi_version_0_2_1")))`)
    const host = machine()
    const plugin = await host.plugin({ module })
    plugin.start()
    expect(host.logs.map(({ message }) => message)).toContain('begun')
  })

  it('says of an exception that ends the vm that it is one', async () => {
    const module =
      handMade(`(tag $e) (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (throw $e))`)
    const host = machine()
    const plugin = await host.plugin({ module })
    const { response } = await playPlugins(host, [plugin])
    expect(response.status).toBe(503)
    expect(plugin.lastError?.message).toContain('an exception that it did not catch')
  })

  it('takes any number but 0 for true', async () => {
    await expect(said('configure-true-2')).resolves.toBeDefined()
  })

  it.each([
    ['configure-false', 'plugin.configure_refused'],
    ['vm-start-false', 'plugin.vm_start_refused'],
    ['trap-initialize', 'plugin.start_failed'],
    ['trap-configure', 'plugin.start_failed'],
  ])('%s is refused', async (name, code) => {
    const host = machine()
    const plugin = await host.plugin({ module: fixture(name) })
    expect(() => plugin.start()).toThrow(expect.objectContaining({ code }) as Error)
  })

  it.each(['no-allocator', 'no-marker', 'marker-global', 'marker-unknown', 'marker-0-2-100'])(
    '%s is no module to begin with',
    (name) => {
      expect(() => fixture(name)).toThrow(LoadError)
    },
  )

  it('speaks the version of the marker that is exported first', () => {
    expect(fixture('two-markers').abi).toBe('0.1.0')
  })
})

describe('memory and allocation', () => {
  it.each(['malloc-only', 'allocate-only', 'allocate-grows', 'high-memory'])(
    '%s reads its configuration',
    async (name) => {
      expect((await said(name)).at(-1)).toContain('conf text')
    },
  )

  it('gives a module the memory that it imports', async () => {
    expect(await said('imported-memory')).toEqual(['configure'])
  })

  it('calls malloc where there are both', async () => {
    expect(await said('both-allocators')).toEqual(['malloc', 'conf text'])
  })

  it.each(['allocate-null', 'allocate-beyond'])('%s answers 6', async (name) => {
    // the guest says the status as a letter, `a` for 0
    expect(await said(name)).toEqual(['g'])
  })

  it.each(['minimal', 'no-memory', 'initialize-main-untyped', 'headers-two-parameters'])(
    '%s runs',
    async (name) => {
      const host = machine()
      const plugin = await host.plugin({ module: fixture(name) })
      const { body } = await playPlugins(host, [plugin])
      expect([body, plugin.state]).toEqual(['ok', 'running'])
    },
  )

  it('a trap in the allocator ends the vm', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: fixture('trap-allocate'), configuration: 'conf' })
    const { response } = await playPlugins(host, [plugin])
    expect([response.status, plugin.state]).toEqual([503, 'failed'])
  })
})

describe('imports', () => {
  it('answers Unimplemented for what nobody knows, and says so once', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: fixture('unknown-import') })
    plugin.start()
    plugin.retire()
    const unknown = host.logs.filter((entry) => entry.message.includes('is unknown here'))
    expect(unknown).toHaveLength(1)
  })

  it.each([
    ['i64', '(i64.ne (call $f) (i64.const 12))'],
    ['f32', '(f32.ne (call $f) (f32.const 12))'],
    ['f64', '(f64.ne (call $f) (f64.const 12))'],
  ])('answers it in the type that is declared: %s', async (type, differs) => {
    const module = handMade(`(import "env" "nobody_knows" (func $f (result ${type})))
      (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
        (if ${differs} (then unreachable)) (i32.const 1))`)
    const host = machine()
    const plugin = await host.plugin({ module })
    plugin.start()
    expect(plugin.state).toBe('running')
  })

  it('does not mind an unknown import that is never called', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: fixture('unknown-import-unused') })
    await playPlugins(host, [plugin])
    expect(host.logs.filter((entry) => entry.message.includes('is unknown here'))).toEqual([])
  })

  it('knows the imports of older toolchains', async () => {
    expect(await said('legacy-imports')).toContain('written.')
  })
})
