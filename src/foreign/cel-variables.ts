/**
 * Attributes as CEL variables: `request`, `source`, `xds` and so on, each read when the expression asks
 * for it. What a property's bytes mean is in the table of attributes.
 */
import { celUint, type CelInput } from '@bufbuild/cel'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { ATTRIBUTES, type AttributeType } from '../proxy-wasm/abi/attributes.ts'
import type { ForeignCaller } from '../proxy-wasm/index.ts'
import {
  bytesToText,
  textToByteString,
  byteStringToText,
} from '../proxy-wasm/memory/byte-string.ts'
import { readPairs } from '../proxy-wasm/memory/pairs.ts'
import { readMetadata, readNode } from './cel-messages.ts'

const NANOS_PER_MS = 1_000_000n
const NANOS_PER_SECOND = 1_000_000_000n

/** Names by their namespace; what stands alone is under ''. */
const NAMESPACES: ReadonlyMap<string, ReadonlyMap<string, AttributeType>> = namespaces()

function namespaces(): Map<string, Map<string, AttributeType>> {
  const all = new Map<string, Map<string, AttributeType>>([['', new Map()]])
  for (const { path, type, source } of ATTRIBUTES) {
    if (source === undefined || path === 'filter_state') continue
    const [first = '', second] = path.split('.')
    const [namespace, name] = second === undefined ? ['', first] : [first, second]
    const names = all.get(namespace) ?? new Map<string, AttributeType>()
    all.set(namespace, names.set(name, type))
  }
  return all
}

/** A map whose values are looked up when they are asked for, and cannot be listed. */
class LookedUp extends Map<string, CelInput> {
  readonly #find: (key: string) => CelInput | undefined

  constructor(find: (key: string) => CelInput | undefined) {
    super()
    this.#find = find
  }

  override get(key: string): CelInput | undefined {
    return this.#find(key)
  }

  override has(key: string): boolean {
    return this.#find(key) !== undefined
  }
}

/** @returns what an expression may name; values are read through `caller` while it runs */
export function celVariables(caller: ForeignCaller): Record<string, CelInput> {
  const variables: Record<string, CelInput> = {}
  const lazy = (name: string, read: () => CelInput | undefined): void => {
    Object.defineProperty(variables, name, { get: read, enumerable: true })
  }
  for (const [namespace, names] of NAMESPACES) {
    if (namespace === '') {
      for (const [name, type] of names) lazy(name, () => valueOf(caller, [name], type))
    } else {
      lazy(namespace, () => {
        const find = (key: string): CelInput | undefined => {
          const type = names.get(key)
          return type && valueOf(caller, [namespace, key], type)
        }
        return new LookedUp(find) as CelInput
      })
    }
  }
  // what plugins set are bytes; as text they are of use in expressions
  lazy('filter_state', () => {
    const find = (key: string): CelInput | undefined => {
      const bytes = caller.property(['filter_state', textToByteString(key)])
      return bytes && bytesToText(bytes)
    }
    return new LookedUp(find) as CelInput
  })
  return variables
}

function valueOf(
  caller: ForeignCaller,
  path: readonly string[],
  type: AttributeType,
): CelInput | undefined {
  const bytes = caller.property(path)
  if (bytes === undefined) return undefined
  const copy = Uint8Array.from(bytes)
  if (type !== 'message') return decode(copy, type)
  return path[0] === 'metadata' ? readMetadata(copy) : readNode(copy)
}

function decode(bytes: Uint8Array<ArrayBuffer>, type: Exclude<AttributeType, 'message'>): CelInput {
  const integer = (): bigint => new DataView(bytes.buffer).getBigInt64(0, true)
  switch (type) {
    case 'string':
      return bytesToText(bytes)
    case 'bool':
      return bytes[0] === 1
    case 'int':
      return integer()
    case 'uint':
      return celUint(BigInt.asUintN(64, integer()))
    case 'timestamp': {
      const nanos = integer()
      const timestamp = timestampFromMs(Number(nanos / NANOS_PER_MS))
      return { ...timestamp, nanos: Number(nanos % NANOS_PER_SECOND) }
    }
    case 'duration': {
      const nanos = integer()
      const duration = durationFromMs(Number(nanos / NANOS_PER_MS))
      return { ...duration, nanos: Number(nanos % NANOS_PER_SECOND) }
    }
    case 'map':
      return new Map(
        pairsOf(bytes).map(([name, value]) => [byteStringToText(name), byteStringToText(value)]),
      )
  }
}

function pairsOf(bytes: Uint8Array<ArrayBuffer>): (readonly [string, string])[] {
  const lines = readPairs(bytes) ?? []
  return lines.flatMap((name, i) => (i % 2 === 0 ? [[name, lines[i + 1] ?? ''] as const] : []))
}
