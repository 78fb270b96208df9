/**
 * Just enough of protobuf's wire format for the few messages that cross the boundary: fields in, fields
 * out, without schemas. Groups are refused.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import { byteStringToBytes, bytesToByteString, bytesToText, textToBytes } from './byte-string.ts'

/** A field by its number: varints and fixed sizes as bigint, what has a length as its bytes. */
export interface ProtoField {
  readonly field: number
  readonly value: bigint | Uint8Array<ArrayBuffer>
}

/** What a field may be written from: text as UTF-8, bytes (a message, too) as they are. */
export type ProtoValue =
  | string
  | Uint8Array
  | bigint
  | number
  | boolean
  | { readonly double: number }
  | undefined

const FIXED_64 = 1
const LENGTH = 2
const FIXED_32 = 5
const VARINT_BYTES = 10

/** @returns the message's fields in order, or undefined when the bytes are no message */
export function readProto(bytes: Uint8Array<ArrayBuffer>): ProtoField[] | undefined {
  const fields: ProtoField[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const varint = (): bigint | undefined => {
    let value = 0n
    for (let i = 0; i < VARINT_BYTES && at < bytes.length; i++) {
      const byte = bytes[at++] as number
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    return undefined
  }
  const take = (type: number): ProtoField['value'] | undefined => {
    if (type === 0) return varint()
    const size =
      type === FIXED_64 ? 8 : type === FIXED_32 ? 4 : type === LENGTH ? varint() : undefined
    if (size === undefined || size > bytes.length - at) return undefined
    const start = at
    at += Number(size)
    if (type === LENGTH) return bytes.subarray(start, at)
    return type === FIXED_64 ? view.getBigUint64(start, true) : BigInt(view.getUint32(start, true))
  }
  while (at < bytes.length) {
    const tag = varint()
    if (tag === undefined || tag >> 3n === 0n || tag > 0xffff_ffffn) return undefined
    const value = take(Number(tag & 7n))
    if (value === undefined) return undefined
    fields.push({ field: Number(tag >> 3n), value })
  }
  return fields
}

/** The last value of a bytes field, as protobuf has it; undefined when absent. */
export function protoBytes(
  fields: readonly ProtoField[],
  field: number,
): Uint8Array<ArrayBuffer> | undefined {
  const found = fields.findLast((entry) => entry.field === field)?.value
  return typeof found === 'bigint' ? undefined : found
}

/** The last value of a string field; empty when absent, as in proto3. */
export function protoText(fields: readonly ProtoField[], field: number): string {
  const bytes = protoBytes(fields, field)
  return bytes === undefined ? '' : bytesToText(bytes)
}

/** The last value of a number, enum or bool field; 0 when absent, as in proto3. */
export function protoNumber(fields: readonly ProtoField[], field: number): number {
  const found = fields.findLast((entry) => entry.field === field)?.value
  return typeof found === 'bigint' ? Number(BigInt.asIntN(64, found)) : 0
}

/**
 * @param fields - number and value; undefined is left out; a number is a varint unless it is a `double`
 * @returns the message
 */
export function writeProto(
  fields: Iterable<readonly [field: number, value: ProtoValue]>,
): Uint8Array<ArrayBuffer> {
  let text = ''
  for (const [field, value] of fields) {
    if (value === undefined) continue
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const bytes = typeof value === 'string' ? textToBytes(value) : value
      text += varintText(BigInt((field << 3) | LENGTH)) + varintText(BigInt(bytes.length))
      text += bytesToByteString(bytes)
    } else if (typeof value === 'object') {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setFloat64(0, value.double, true)
      text += varintText(BigInt((field << 3) | FIXED_64)) + bytesToByteString(bytes)
    } else text += varintText(BigInt(field << 3)) + varintText(BigInt(value))
  }
  return byteStringToBytes(text)
}

function varintText(value: bigint): string {
  let text = ''
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) text += String.fromCharCode(Number(rest & 0x7fn) | 0x80)
  return text + String.fromCharCode(Number(rest))
}
