/**
 * The wire format of header maps: u32 count, then two u32 sizes per pair, then each name and each value
 * followed by a NUL; all little-endian. In JavaScript a map is one flat list of byte strings: name,
 * value, name, value. Names keep their case here.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#serialization
 */
import type { ByteString, HeaderLines } from '../ports.ts'

/** The reference host's bounds on what a guest hands over. */
const MAX_BYTES = 1024 * 1024
const MAX_PAIRS = 1024

/** String.fromCharCode.apply takes its arguments from the stack: so many at a time are safe everywhere. */
const CHUNK = 8192

/**
 * @param lines - flat: name, value, …
 * @returns how many bytes `writePairs` writes for them, 4 for an empty map
 */
export function pairsSize(lines: HeaderLines): number {
  const strings = lines.length & ~1
  let size = 4 + strings * 5
  for (let i = 0; i < strings; i++) size += (lines[i] as ByteString).length
  return size
}

/**
 * Writes `lines` to the start of `target`, which must hold `pairsSize(lines)` bytes.
 * @param lines - flat: name, value, …; a last name without a value is left out
 */
export function writePairs(lines: HeaderLines, target: Uint8Array): void {
  const strings = lines.length & ~1
  writeUint32(target, 0, strings >>> 1)
  let sizeAt = 4
  let at = 4 + strings * 4
  for (let i = 0; i < strings; i++) {
    const text = lines[i] as ByteString
    const length = text.length
    writeUint32(target, sizeAt, length)
    sizeAt += 4
    for (let j = 0; j < length; j++) target[at + j] = text.charCodeAt(j)
    at += length
    target[at++] = 0
  }
}

/**
 * Reads what a guest serialised.
 * @param bytes - the whole map; nothing, one 0x00 (the specification's empty map) and four 0x00 (Rust's
 *   and Go's) are empty maps
 * @returns flat name, value, …; undefined when malformed: more than 1 MiB or 1024 pairs, sizes that
 *   reach beyond the end, a missing NUL, bytes left over
 */
export function readPairs(bytes: Uint8Array): ByteString[] | undefined {
  const end = bytes.length
  if (end === 0 || (end === 1 && bytes[0] === 0)) return []
  if (end < 4 || end > MAX_BYTES) return undefined
  const count = readUint32(bytes, 0)
  if (count > MAX_PAIRS) return undefined
  const strings = count * 2
  let at = 4 + strings * 4
  if (at > end) return undefined

  const lines: ByteString[] = []
  for (let i = 0; i < strings; i++) {
    const stop = at + readUint32(bytes, 4 + i * 4)
    // stop is below 2^33: no wrap-around to fear in a double
    if (stop >= end || bytes[stop] !== 0) return undefined
    lines.push(readByteString(bytes, at, stop))
    at = stop + 1
  }
  return at === end ? lines : undefined
}

function readUint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** Eight characters per call up to 64: making a view costs more than eight calls. Measured in V8. */
function readByteString(bytes: Uint8Array, start: number, end: number): ByteString {
  let text = ''
  let at = start
  if (end - start > 64) {
    for (; at < end; at += CHUNK) {
      const slice = bytes.subarray(at, Math.min(at + CHUNK, end))
      text += String.fromCharCode.apply(null, slice as unknown as number[])
    }
    return text
  }
  for (; at + 8 <= end; at += 8) {
    text += String.fromCharCode(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    )
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at] as number)
  return text
}
