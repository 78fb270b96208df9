/**
 * Guests written by hand, for what no SDK and not the probe imports: one host function, declared with any
 * signature, called once with constant arguments when a request's headers come.
 */
import wabt from 'wabt'
import { loadModule, type LoadedModule, type Ports } from '../../src/proxy-wasm/index.ts'
import { type Machine, machine } from './machine.ts'

const { parseWat } = await wabt()

export interface ByHandOptions {
  /** Data segments. Address 64 on is the guest's own. */
  readonly data?: string
  readonly result?: '(result i32)' | ''
  readonly ports?: Partial<Ports>
  /** The marker export; `proxy_abi_version_0_2_1` unless said. */
  readonly version?: string
}

const ALLOCATOR = `
    (global $free (mut i32) (i32.const 1024))
    (func (export "malloc") (param $size i32) (result i32)
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (local.get $size))))`

/**
 * Compiles a guest.
 * @param wat - what its module holds besides marker, memory and allocator
 * @param options - another marker than that of 0.2.1, another allocator in WAT
 */
export function handMade(
  wat: string,
  { version = '0_2_1', allocator = ALLOCATOR }: { version?: string; allocator?: string } = {},
): LoadedModule {
  const text = `(module ${wat}
    (memory (export "memory") 1)
    ${allocator}
    (func (export "proxy_abi_version_${version}")))`
  return compileWat(text)
}

/** Compiles a whole module. @param text - the module in WAT */
export function compileWat(text: string): LoadedModule {
  const module = parseWat('guest.wat', text, { exceptions: true })
  const { buffer } = module.toBinary({})
  module.destroy()
  return loadModule(new WebAssembly.Module(Uint8Array.from(buffer)), 'by-hand')
}

/**
 * Calls a host function by its own declaration.
 * @param params - in WAT
 * @param args - constants in WAT
 * @returns what it answered; undefined when the guest trapped, or when it answers nothing
 */
export async function callByHand(
  name: string,
  params: string,
  args: string,
  { data = '', result = '(result i32)', ports, version }: ByHandOptions = {},
): Promise<number | undefined> {
  const kept =
    result === '' ? `(call $call ${args})` : `(i32.store (i32.const 64) (call $call ${args}))`
  const module = handMade(
    `(import "env" "${name}" (func $call ${params} ${result}))
     (import "env" "proxy_set_shared_data"
       (func $keep (param i32 i32 i32 i32 i32) (result i32)))
     ${data}
     (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
       (i32.store (i32.const 64) (i32.const -1))
       ${kept}
       (call $keep (i32.const 64) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0)))`,
    version === undefined ? {} : { version },
  )
  const host: Machine = machine(ports && { ports })
  const plugin = await host.plugin({ module })
  await host.send([plugin])
  const answer = host.pool.ports.sharedData.get('', '')?.value
  return answer && new DataView(answer.buffer, answer.byteOffset).getInt32(0, true)
}
