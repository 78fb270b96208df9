/** Header maps on the wire: what is accepted, what is refused, and that nothing throws. */
import { describe, expect, it } from 'vitest'
import type { ByteString } from '../ports.ts'
import { pairsSize, readPairs, writePairs } from './pairs.ts'

/** mulberry32: small, seeded, good enough to make cases with. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function randomString(random: () => number): ByteString {
  const length = Math.floor(random() ** 3 * 200)
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(Math.floor(random() * 256))
  return text
}

function serialised(lines: readonly ByteString[]): Uint8Array {
  const bytes = new Uint8Array(pairsSize(lines))
  writePairs(lines, bytes)
  return bytes
}

const ONE_PAIR = [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0x61, 0, 0x62, 0x63, 0]

describe('writePairs', () => {
  it('lays out count, sizes, then NUL-terminated strings', () => {
    expect([...serialised(['a', 'bc'])]).toEqual(ONE_PAIR)
  })

  it('writes four zero bytes for an empty map', () => {
    expect([...serialised([])]).toEqual([0, 0, 0, 0])
  })

  it('leaves out a last name without a value', () => {
    expect([...serialised(['a', 'bc', 'lost'])]).toEqual(ONE_PAIR)
  })

  it('writes exactly the size it was asked for and nothing behind it', () => {
    const guarded = new Uint8Array(pairsSize(['a', 'bc']) + 2).fill(0xee)
    writePairs(['a', 'bc'], guarded)
    expect([...guarded]).toEqual([...ONE_PAIR, 0xee, 0xee])
  })
})

describe('readPairs', () => {
  it('keeps order, duplicates, case, empty names and values, NULs and high bytes', () => {
    const lines = ['Set-Cookie', 'a', 'set-cookie', 'b', '', '', 'n\0l', 'v\0', 'x', '\x80\xff']
    expect(readPairs(serialised(lines))).toEqual(lines)
  })

  it('reads values longer than one slice', () => {
    const value = 'ab\xe9'.repeat(20_000)
    expect(readPairs(serialised(['long', value]))).toEqual(['long', value])
  })

  it.each([
    ['no bytes', []],
    ['one zero byte', [0]],
    ['four zero bytes', [0, 0, 0, 0]],
  ])('takes %s for an empty map', (_, bytes) => {
    expect(readPairs(Uint8Array.from(bytes))).toEqual([])
  })

  it('reads a view into a larger buffer', () => {
    const memory = new Uint8Array(64)
    memory.set(ONE_PAIR, 20)
    expect(readPairs(memory.subarray(20, 20 + ONE_PAIR.length))).toEqual(['a', 'bc'])
  })

  it('accepts 1024 pairs and 1 MiB', () => {
    const lines = Array.from({ length: 2048 }, () => 'v')
    expect(readPairs(serialised(lines))).toHaveLength(2048)
    const full = ['n', 'v'.repeat(1024 * 1024 - pairsSize(['n', '']))]
    expect(readPairs(serialised(full))).toHaveLength(2)
  })
})

describe('readPairs refuses', () => {
  it.each([
    ['one byte that is not zero', [1]],
    ['three bytes', [0, 0, 0]],
    ['a count without sizes', [1, 0, 0, 0]],
    ['a count of 2^32-1', [255, 255, 255, 255, 0, 0, 0, 0]],
    ['sizes without strings', [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a size beyond the end', [1, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0]],
    ['a name without its NUL', ONE_PAIR.with(13, 1)],
    ['a value without its NUL', ONE_PAIR.with(16, 1)],
    ['a missing last byte', ONE_PAIR.slice(0, -1)],
    ['a byte left over', [...ONE_PAIR, 0]],
    ['an empty map with a byte left over', [0, 0, 0, 0, 0]],
  ])('%s', (_, bytes) => {
    expect(readPairs(Uint8Array.from(bytes))).toBeUndefined()
  })

  it('more than 1024 pairs', () => {
    expect(readPairs(serialised(Array.from({ length: 2050 }, () => '')))).toBeUndefined()
  })

  it('more than 1 MiB', () => {
    expect(readPairs(serialised(['n', 'v'.repeat(1024 * 1024)]))).toBeUndefined()
  })
})

describe('pairs, from a seeded generator', () => {
  it('read back what was written', () => {
    const random = seeded(1)
    for (let run = 0; run < 500; run++) {
      const lines = Array.from({ length: 2 * Math.floor(random() * 20) }, () =>
        randomString(random),
      )
      expect(readPairs(serialised(lines))).toEqual(lines)
    }
  })

  it('never throw on random bytes, and what is accepted is canonical', () => {
    const random = seeded(2)
    for (let run = 0; run < 20_000; run++) {
      // mostly small numbers: else every case fails at the count
      const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () =>
        random() < 0.7 ? Math.floor(random() * 3) : Math.floor(random() * 256),
      )
      const lines = readPairs(bytes)
      if (lines !== undefined && bytes.length >= 4) expect(serialised(lines)).toEqual(bytes)
    }
  })

  it('never throw on one damaged byte', () => {
    const random = seeded(3)
    for (let run = 0; run < 5_000; run++) {
      const bytes = serialised([randomString(random), randomString(random), 'a', 'b'])
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      const lines = readPairs(bytes)
      if (lines !== undefined) expect(serialised(lines)).toEqual(bytes)
    }
  })
})
