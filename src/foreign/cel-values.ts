/** What a CEL expression comes to, encoded as a property value. */
import {
  type CelResult,
  type CelValue,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
} from '@bufbuild/cel'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { Status } from '../proxy-wasm/index.ts'
import { textToByteString } from '../proxy-wasm/memory/byte-string.ts'
import {
  boolValue,
  doubleValue,
  intValue,
  listValue,
  mapValue,
  textValue,
  uintValue,
} from '../proxy-wasm/memory/property-values.ts'

const NANOS_PER_SECOND = 1_000_000_000n

/** @returns the bytes; `InternalFailure` for an error, `SerializationFailure` for what has no encoding */
export function encodeCel(result: CelResult): Uint8Array | { readonly status: Status } {
  if (isCelError(result)) return { status: Status.InternalFailure }
  return encode(result) ?? { status: Status.SerializationFailure }
}

function encode(value: CelValue): Uint8Array | undefined {
  if (typeof value === 'string') return textValue(value)
  if (typeof value === 'bigint') return intValue(value)
  if (typeof value === 'number') return doubleValue(value)
  if (typeof value === 'boolean') return boolValue(value)
  if (value === null || isCelType(value)) return undefined
  if (value instanceof Uint8Array) return value
  if (isCelUint(value)) return uintValue(value.value)
  if (isCelList(value)) {
    return listValue(Array.from(value, (item) => encode(item) ?? ''))
  }
  if (isCelMap(value)) {
    return mapValue(
      Array.from(value, ([key, item]) => [textToByteString(String(key)), encode(item) ?? '']),
    )
  }
  return isReflectMessage(value) ? encodeTime(value.message) : undefined
}

/** Timestamps and durations: nanoseconds. */
function encodeTime(message: {
  readonly $typeName: string
  readonly seconds?: unknown
  readonly nanos?: unknown
}): Uint8Array | undefined {
  const { $typeName, seconds, nanos } = message
  if (!/^google\.protobuf\.(Timestamp|Duration)$/.test($typeName)) return undefined
  if (typeof seconds !== 'bigint' || typeof nanos !== 'number') return undefined
  return intValue(seconds * NANOS_PER_SECOND + BigInt(nanos))
}
