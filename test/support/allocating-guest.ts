/**
 * A guest by hand whose allocator makes host calls of its own, while the host takes memory for the result
 * of another. It keeps what came of it in shared data, under the keys `status`, `data` and `inside`.
 */
import type { AbiVersion, LoadedModule } from '../../src/proxy-wasm/index.ts'
import { rowOf } from './row-of.ts'
import { compileWat } from './hand-made.ts'

/** A number; bytes, which become address and length; or the address of one of four result slots. */
export type GuestArg = number | string | { readonly out: number }
export type GuestCall = readonly [name: string, ...args: GuestArg[]]

export interface AllocatingGuest {
  readonly version: AbiVersion
  readonly allocator: 'malloc' | 'proxy_on_memory_allocate'
  /** Calls in `request_headers`, before all else. */
  readonly before: readonly GuestCall[]
  /** The call for whose result the host allocates, made once, and the callback that makes it. */
  readonly call: GuestCall
  readonly phase: GuestPhase
  /** Calls that the allocator makes. */
  readonly inside: readonly GuestCall[]
}

const CALLBACKS = {
  configure: '(param i32 i32) (result i32)',
  request_headers: '(param i32 i32 i32) (result i32)',
  request_body: '(param i32 i32 i32) (result i32)',
  http_call_response: '(param i32 i32 i32 i32 i32)',
} as const
export type GuestPhase = keyof typeof CALLBACKS

/** Result slots of eight bytes, of the outer call and of those inside; then statuses, then data. */
const OUTER_SLOTS = 64
const INNER_SLOTS = 128
const STATUS = 192
const INNER_STATUSES = 256
const DATA = 1024
const HEAP = 65_536

/** Builds the guest. */
export function allocatingGuest(guest: AllocatingGuest): LoadedModule {
  const { before, call, inside, phase, version, allocator } = guest
  // no status as long as the call was not made
  const unmade = escaped('\xff'.repeat(inside.length * 4))
  const segments: string[] = [`(data (i32.const ${INNER_STATUSES}) "${unmade}")`]
  let free = DATA
  // the same bytes are at the same address, as literals of a program are
  const placed = new Map<string, number>()
  const place = (bytes: string): [address: number, size: number] => {
    const known = placed.get(bytes)
    if (known !== undefined) return [known, bytes.length]
    const at = free
    free += bytes.length
    placed.set(bytes, at)
    segments.push(`(data (i32.const ${at}) "${escaped(bytes)}")`)
    return [at, bytes.length]
  }
  const invoke = ([name, ...args]: GuestCall, slots: number): string => {
    const numbers = args.flatMap((arg) => {
      if (typeof arg === 'number') return [arg]
      return typeof arg === 'string' ? place(arg) : [slots + arg.out * 8]
    })
    const { params } = rowOf(name)
    const constants = numbers.map((n, i) => `(${params[i]?.type}.const ${n})`)
    return `(call $${name} ${constants.join(' ')})`
  }
  const keep = (key: string, address: string, size: string): string => {
    const [at, length] = place(key)
    return `(drop (call $proxy_set_shared_data (i32.const ${at}) (i32.const ${length})
      ${address} ${size} (i32.const 0)))`
  }
  const first = before.map((each) => `(drop ${invoke(each, OUTER_SLOTS)})`)
  const log = (message: string): string => `(drop ${invoke(['proxy_log', 2, message], 0)})`
  const [dataAt, sizeAt] = resultSlots(call)
  const outer = `(if (i32.eqz (global.get $made)) (then
    (global.set $made (i32.const 1))
    ${log('before')}
    (global.set $armed (i32.const 1))
    (i32.store (i32.const ${STATUS}) ${invoke(call, OUTER_SLOTS)})
    (global.set $armed (i32.const 0))
    ${log('after')}
    ${keep('status', `(i32.const ${STATUS})`, '(i32.const 4)')}
    ${keep('data', `(i32.load (i32.const ${dataAt}))`, `(i32.load (i32.const ${sizeAt}))`)}
    ${keep('inside', `(i32.const ${INNER_STATUSES})`, `(i32.const ${inside.length * 4})`)}))`
  const hostile = inside.map(
    (each, i) => `(i32.store (i32.const ${INNER_STATUSES + i * 4}) ${invoke(each, INNER_SLOTS)})`,
  )
  const callbacks = Object.entries(CALLBACKS).map(([name, signature]) => {
    const body = [...(name === 'request_headers' ? first : []), ...(name === phase ? [outer] : [])]
    const result = signature.includes('result') ? `(i32.const ${name === 'configure' ? 1 : 0})` : ''
    return `(func (export "proxy_on_${name}") ${signature} ${body.join('\n')} ${result})`
  })
  const used = new Set([...before, call, ...inside].map(([name]) => name))
  return compileWat(`(module
    ${[...used, 'proxy_log', 'proxy_set_shared_data'].map(imported).filter(unique).join('\n')}
    (memory (export "memory") 4)
    ${segments.join('\n')}
    (global $made (mut i32) (i32.const 0))
    (global $armed (mut i32) (i32.const 0))
    (global $free (mut i32) (i32.const ${HEAP}))
    (func (export "${allocator}") (param $size i32) (result i32)
      (if (global.get $armed) (then
        (global.set $armed (i32.const 0))
        (drop (memory.grow (i32.const 1)))
        ${hostile.join('\n')}))
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (local.get $size))))
    ${callbacks.join('\n')}
    (func (export "proxy_abi_version_${version.replaceAll('.', '_')}")))`)
}

function imported(name: string): string {
  const params = rowOf(name).params.map(({ type }) => type)
  return `(import "env" "${name}" (func $${name} (param ${params.join(' ')}) (result i32)))`
}

function unique(text: string, i: number, all: readonly string[]): boolean {
  return all.indexOf(text) === i
}

/** Where the call's result is told: addresses of its address and its size. */
function resultSlots([name, ...args]: GuestCall): [number, number] {
  const outs = args.flatMap((arg) => (typeof arg === 'object' ? arg.out : []))
  const results = rowOf(name).params.filter((param) => param.name.startsWith('return_'))
  const at = results.findIndex((param) => param.name.endsWith('_data'))
  const slot = (i: number): number => OUTER_SLOTS + Number(outs[i]) * 8
  return [slot(at), slot(at + 1)]
}

function escaped(bytes: string): string {
  return [...bytes].map((c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
}
