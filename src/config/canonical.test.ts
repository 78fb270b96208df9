/** Equal values have equal bytes, and bytes their name. */
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical.ts'
import { sha256Hex } from './digest.ts'

describe('canonical JSON', () => {
  it('sorts keys at every depth and keeps the order of lists', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 1], a: null })).toBe(
      '{"a":null,"b":[{"c":2,"d":1},1]}',
    )
  })

  it('keeps keys that objects have by nature, and numbers as keys', () => {
    const value: unknown = JSON.parse('{"toString":1,"__proto__":{"b":1,"a":2},"10":1,"9":2}')
    expect(JSON.parse(canonicalJson(value))).toEqual(value)
    expect(canonicalJson(value)).toContain('"__proto__":{"a":2,"b":1}')
  })
})

it('names text by the sha256 of its UTF-8', async () => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  expect(await sha256Hex('')).toBe(empty)
  expect(await sha256Hex('é')).toBe(await sha256Hex(new Uint8Array([0xc3, 0xa9])))
})
