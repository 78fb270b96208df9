import { array, assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textToBytes } from './byte-string.ts'
import { type Literal, Literals } from './literals.ts'

/** A view of memory with a text at an address. */
function memory() {
  const bytes = new Uint8Array(4096)
  const put = (at: number, text: string): number => {
    bytes.set(textToBytes(text), at)
    return text.length
  }
  return { bytes, view: new DataView(bytes.buffer), put }
}

function find(literals: Literals, view: DataView, at: number, size: number): Literal {
  const found = literals.find(view, view.byteLength, at, size)
  if (found === undefined) throw new Error('out of bounds')
  return found
}

describe('names that guests repeat', () => {
  it('are found again at any address, by their bytes', () => {
    const { view, put } = memory()
    const literals = new Literals()
    const first = find(literals, view, 8, put(8, 'X-Request-Id'))
    expect(find(literals, view, 101, put(101, 'X-Request-Id'))).toBe(first)
    expect([first.text, first.headerName]).toEqual(['X-Request-Id', 'x-request-id'])
  })

  it('are never taken for what stands at their place now', () => {
    assert(
      property(
        array(string({ maxLength: 20, unit: 'binary-ascii' }), { maxLength: 60 }),
        (texts) => {
          const { view, put } = memory()
          const literals = new Literals()
          // twice: made, and found or made again
          for (const text of [...texts, ...texts]) {
            expect(find(literals, view, 16, put(16, text)).text).toBe(text)
          }
        },
      ),
    )
  })

  it('stay when two of them share a slot and are asked for by turns', () => {
    const { view, put } = memory()
    const literals = new Literals()
    // alike in size and in the bytes that say where they are kept
    const texts = ['x-aa-1-c-end', 'x-aa-2-c-end']
    const again = (text: string): unknown => find(literals, view, 0, put(0, text))
    const made = texts.map(again)
    expect(made[0]).not.toBe(made[1])
    for (let i = 0; i < 3; i++) expect(texts.map(again)).toEqual(made)
    expect(texts.map(again)[0]).toBe(made[0])
  })

  it.each(['', 'x'.repeat(129), '__proto__', '7', '\0'])('may be anything: %j', (text) => {
    const { view, put } = memory()
    const literals = new Literals()
    for (let i = 0; i < 2; i++) expect(find(literals, view, 0, put(0, text)).text).toBe(text)
  })

  it('are not taken for what begins and ends alike, or is longer', () => {
    const { view, put, bytes } = memory()
    const literals = new Literals()
    for (let size = 1; size < 20; size++) {
      const now = (): string => find(literals, view, 32, size).text
      put(32, 'y'.repeat(30))
      const before = now()
      for (let i = 0; i < size; i++) {
        bytes[32 + i] = 0x7a
        expect(now()).not.toBe(before)
        bytes[32 + i] = 0x79
        expect(now()).toBe(before)
      }
      bytes[32 + size] = 0x7a
      expect(now()).toBe(before)
    }
  })

  it('are not there where memory has ended', () => {
    const { view, bytes } = memory()
    const literals = new Literals()
    const end = bytes.length
    for (const [at, size] of [
      [end, 1],
      [end - 3, 4],
      [end - 100, 101],
      [0xffff_ffff, 0xffff_ffff],
      [end - 100, 200],
    ] as const) {
      expect(literals.find(view, end, at, size)).toBeUndefined()
    }
  })

  it('may stand at the very end of memory', () => {
    const { view, put, bytes } = memory()
    const literals = new Literals()
    for (const text of ['a', 'date', 'x-end', 'location']) {
      const at = bytes.length - text.length
      put(at, text)
      for (let i = 0; i < 2; i++) expect(find(literals, view, at, text.length).text).toBe(text)
    }
  })

  it('remember the bytes of a value that comes again, and of no other', () => {
    const { view, put } = memory()
    const literal = find(new Literals(), view, 0, put(0, 'host'))
    const give = (value: string): boolean => {
      literal.remember(value, textToBytes(value))
      return literal.value === value && literal.valueBytes !== undefined
    }
    expect(['a.test', 'a.test', 'a.test', 'b.test', 'a.test'].map(give)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
    const long = 'x'.repeat(129)
    expect([long, long, long].map(give)).toEqual([false, false, false])
  })
})
