/** Property values as the SDKs' decoders expect them, and paths as the SDKs send them. */
import { describe, expect, it } from 'vitest'
import { readPairs } from './pairs.ts'
import {
  boolValue,
  bytesValue,
  doubleValue,
  durationValue,
  intValue,
  listValue,
  mapValue,
  parsePath,
  stringValue,
  textValue,
  timestampValue,
  uintValue,
} from './property-values.ts'

const EIGHT_FF = Array.from({ length: 8 }, () => 255)

describe('property values', () => {
  it('keep the bytes of a byte string', () => {
    expect([...stringValue('a\0\x80\xff')]).toEqual([0x61, 0, 0x80, 0xff])
  })

  it('encode text as UTF-8', () => {
    expect([...textValue('é')]).toEqual([0xc3, 0xa9])
  })

  it('copy bytes', () => {
    const source = Uint8Array.of(1, 2)
    const value = bytesValue(source)
    source[0] = 9
    expect([...value]).toEqual([1, 2])
  })

  it('write integers as 8 bytes, little-endian', () => {
    expect([...intValue(443)]).toEqual([0xbb, 1, 0, 0, 0, 0, 0, 0])
    expect([...intValue(-1)]).toEqual(EIGHT_FF)
    expect([...uintValue(0xffff_ffff_ffff_ffffn)]).toEqual(EIGHT_FF)
    expect([...intValue(2.9)]).toEqual([2, 0, 0, 0, 0, 0, 0, 0])
    expect([...intValue(Number.NaN)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('write doubles and booleans', () => {
    expect([...doubleValue(1)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
    expect([...boolValue(true)]).toEqual([1])
    expect([...boolValue(false)]).toEqual([0])
  })

  it('write times in nanoseconds', () => {
    expect([...durationValue(256n)]).toEqual([0, 1, 0, 0, 0, 0, 0, 0])
    const at = 1_700_000_000_123_456_789n
    expect(new DataView(timestampValue(at).buffer).getBigInt64(0, true)).toBe(at)
  })

  it('write maps as pairs, nested values included', () => {
    const inner = mapValue([['x', 'y']])
    const pairs = readPairs(
      mapValue([
        ['a', 'b'],
        ['inner', inner],
      ]),
    )
    expect(pairs?.slice(0, 3)).toEqual(['a', 'b', 'inner'])
    expect(readPairs(stringValue(pairs?.[3] ?? ''))).toEqual(['x', 'y'])
  })

  it('write lists as pairs without values', () => {
    expect(readPairs(listValue(['a', Uint8Array.of(0xff)]))).toEqual(['a', '', '\xff', ''])
    expect([...listValue([])]).toEqual([0, 0, 0, 0])
  })
})

describe('parsePath', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['plugin_name', ['plugin_name']],
    ['request\0path', ['request', 'path']],
    ['request\0path\0', ['request', 'path']],
    ['a\0\0b', ['a', '', 'b']],
    ['\0', ['']],
  ])('splits %j', (path, segments) => {
    expect(parsePath(path)).toEqual(segments)
    expect(parsePath(stringValue(path))).toEqual(segments)
  })

  it('keeps segments as bytes', () => {
    expect(parsePath(textValue('é'))).toEqual(['\xc3\xa9'])
  })
})
