/**
 * JSON values as Envoy shows them to plugins: `google.protobuf.Struct` on the wire where a whole message is
 * asked for, property values where a path leads to one of them.
 * @see https://protobuf.dev/reference/protobuf/google.protobuf/#struct
 */
import { textToByteString } from './byte-string.ts'
import {
  boolValue,
  doubleValue,
  type EncodedValue,
  listValue,
  mapValue,
  textValue,
} from './property-values.ts'
import { type ProtoValue, writeProto } from './protobuf.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

/** google.protobuf.Value */
const VALUE = { null: 1, number: 2, string: 3, bool: 4, struct: 5, list: 6 } as const

/** A map field's entry: key 1, value 2. */
export function mapEntry(key: string, value: ProtoValue): Uint8Array {
  return writeProto([
    [1, key],
    [2, value],
  ])
}

/** @returns the object as a Struct */
export function writeStruct(object: JsonObject): Uint8Array<ArrayBuffer> {
  return writeProto(
    Object.entries(object).map(([name, value]) => [1, mapEntry(name, writeValue(value))] as const),
  )
}

function writeValue(value: Json): Uint8Array {
  if (value === null) return writeProto([[VALUE.null, 0]])
  if (typeof value === 'number') return writeProto([[VALUE.number, { double: value }]])
  if (typeof value === 'string') return writeProto([[VALUE.string, value]])
  if (typeof value === 'boolean') return writeProto([[VALUE.bool, value]])
  if (isList(value)) {
    const list = writeProto(value.map((item) => [1, writeValue(item)] as const))
    return writeProto([[VALUE.list, list]])
  }
  return writeProto([[VALUE.struct, writeStruct(value)]])
}

/**
 * Follows a path into a value.
 * @param path - names, and indices of lists, as byte strings
 * @returns the property value there; undefined for what is not there, and for null, which has no encoding
 */
export function jsonProperty(value: Json, path: readonly string[]): Uint8Array | undefined {
  const [name, ...rest] = path
  if (name === undefined) return encoded(value)
  if (typeof value !== 'object' || value === null) return undefined
  const found = Object.entries(value).find(([key]) => textToByteString(key) === name)
  return found && jsonProperty(found[1] as Json, rest)
}

function encoded(value: Json): Uint8Array | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return textValue(value)
  if (typeof value === 'number') return doubleValue(value)
  if (typeof value === 'boolean') return boolValue(value)
  const part = (item: Json): EncodedValue => encoded(item) ?? ''
  if (isList(value)) return listValue(value.map(part))
  return mapValue(
    Object.entries(value).map(([name, item]) => [textToByteString(name), part(item)] as const),
  )
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
