/**
 * Property values and paths as bytes. Values carry no type: the guest knows from the path what to
 * expect. Numbers take 8 bytes, little-endian; maps and lists use the format of header maps.
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_get_property
 */
import type { ByteString, HeaderLines } from '../ports.ts'
import { byteStringToBytes, bytesToByteString, textToBytes } from './byte-string.ts'
import { pairsSize, writePairs } from './pairs.ts'

/** A value already encoded, or a byte string that stands for itself. */
export type EncodedValue = Uint8Array | ByteString

/** What a property is when it is read: encoded, or an integer that becomes an int64 where it is needed. */
export type PropertyValue = EncodedValue | number | bigint

/** @returns the bytes that a guest gets */
export function encodeProperty(value: PropertyValue): Uint8Array {
  if (typeof value === 'string') return stringValue(value)
  return typeof value === 'object' ? value : intValue(value)
}

/** A byte string (header values and what is made of them): its bytes as they are. */
export function stringValue(value: ByteString): Uint8Array<ArrayBuffer> {
  return byteStringToBytes(value)
}

/** JavaScript text (names from the configuration): UTF-8. */
export function textValue(value: string): Uint8Array<ArrayBuffer> {
  return textToBytes(value)
}

/** Bytes: a copy, so that later writes to `value` do not reach the guest. */
export function bytesValue(value: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(value)
}

/** int64. A number is cut to its integer part; what is no finite number is 0. */
export function intValue(value: number | bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, toBigInt(value), true)
  return bytes
}

/** uint64. As `intValue`; both take any 64 bits, so they differ in name alone. */
export function uintValue(value: number | bigint): Uint8Array<ArrayBuffer> {
  return intValue(value)
}

/** IEEE 754 double. */
export function doubleValue(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return bytes
}

/** One byte, 0 or 1. */
export function boolValue(value: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value ? 1 : 0)
}

/** A duration: int64 nanoseconds. */
export function durationValue(nanoseconds: bigint): Uint8Array<ArrayBuffer> {
  return intValue(nanoseconds)
}

/** A point in time: int64 nanoseconds since the Unix epoch. */
export function timestampValue(nanoseconds: bigint): Uint8Array<ArrayBuffer> {
  return intValue(nanoseconds)
}

/**
 * A map, whose values may be encoded maps and lists again.
 * @param entries - each key with its value
 */
export function mapValue(
  entries: Iterable<readonly [ByteString, EncodedValue]>,
): Uint8Array<ArrayBuffer> {
  const lines: ByteString[] = []
  for (const [key, value] of entries) lines.push(key, asByteString(value))
  return pairs(lines)
}

/** A list: a map whose keys are the items and whose values are empty. */
export function listValue(items: Iterable<EncodedValue>): Uint8Array<ArrayBuffer> {
  const lines: ByteString[] = []
  for (const item of items) lines.push(asByteString(item), '')
  return pairs(lines)
}

/**
 * Splits a property path at its NULs. The C++ SDK ends paths with one, Rust and Go do not: both are read.
 * @returns the segments as byte strings; none for an empty path
 */
export function parsePath(path: Uint8Array | ByteString): ByteString[] {
  const text = asByteString(path)
  if (text === '') return []
  const segments = text.split('\0')
  if (segments.length > 1 && segments.at(-1) === '') segments.pop()
  return segments
}

function asByteString(value: EncodedValue): ByteString {
  return typeof value === 'string' ? value : bytesToByteString(value)
}

function pairs(lines: HeaderLines): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pairsSize(lines))
  writePairs(lines, bytes)
  return bytes
}

function toBigInt(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n
}
