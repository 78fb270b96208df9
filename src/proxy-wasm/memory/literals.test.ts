import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textToBytes } from './byte-string.ts'
import { Literals } from './literals.ts'
import { readWords, sameWords, writeWords } from './words.ts'

/** A view of memory with a text at an address. */
function memory() {
  const bytes = new Uint8Array(4096)
  const put = (at: number, text: string): number => {
    bytes.set(textToBytes(text), at)
    return text.length
  }
  return { bytes, view: new DataView(bytes.buffer), put }
}

describe('names that guests repeat', () => {
  it('are found again at any address, by their bytes', () => {
    const { view, put } = memory()
    const literals = new Literals()
    const first = literals.find(view, 8, put(8, 'X-Request-Id'))
    expect(literals.find(view, 101, put(101, 'X-Request-Id'))).toBe(first)
    expect([first.text, first.headerName]).toEqual(['X-Request-Id', 'x-request-id'])
  })

  it('are never taken for what stands at their place now', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 20, unit: 'binary-ascii' }), { maxLength: 60 }),
        (texts) => {
          const { view, put } = memory()
          const literals = new Literals()
          // twice: made, and found or made again
          for (const text of [...texts, ...texts]) {
            expect(literals.find(view, 16, put(16, text)).text).toBe(text)
          }
        },
      ),
    )
  })

  it('stay when two of them share a slot and are asked for by turns', () => {
    const { view, put } = memory()
    const literals = new Literals()
    // alike in size and in the bytes that say where they are kept
    const texts = ['x-aa-b-cc', 'x-ba-b-dc']
    const find = (text: string): unknown => literals.find(view, 0, put(0, text))
    const made = texts.map(find)
    expect(made[0]).not.toBe(made[1])
    for (let i = 0; i < 3; i++) expect(texts.map(find)).toEqual(made)
    expect(texts.map(find)[0]).toBe(made[0])
  })

  it.each(['', 'x'.repeat(129), '__proto__', '7', '\0'])('may be anything: %j', (text) => {
    const { view, put } = memory()
    const literals = new Literals()
    for (let i = 0; i < 2; i++) expect(literals.find(view, 0, put(0, text)).text).toBe(text)
  })

  it('remember the bytes of a value that comes again, and of no other', () => {
    const { view, put } = memory()
    const literal = new Literals().find(view, 0, put(0, 'host'))
    const give = (value: string): boolean => {
      put(64, value)
      const known = literal.wordsOf(value)
      if (known === undefined) literal.remember(value, view, 64)
      else expect(sameWords(view, 64, value.length, known)).toBe(true)
      return known !== undefined
    }
    expect(['a.test', 'a.test', 'a.test', 'b.test', 'a.test'].map(give)).toEqual([
      false,
      false,
      true,
      false,
      false,
    ])
    const long = 'x'.repeat(129)
    expect([long, long, long].map(give)).toEqual([false, false, false])
  })
})

describe('runs of bytes', () => {
  it('are read, compared and written whole, and nothing around them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), fc.nat(9), (run, from, to) => {
        const { bytes, view } = memory()
        bytes.set(run, from)
        const words = readWords(view, from, run.length)
        expect(sameWords(view, from, run.length, words)).toBe(true)
        const target = new Uint8Array(64).fill(0xee)
        writeWords(new DataView(target.buffer), to, run.length, words)
        const expected = new Uint8Array(64).fill(0xee)
        expected.set(run, to)
        expect(target).toEqual(expected)
      }),
    )
  })

  it('differ when any byte differs', () => {
    for (let size = 1; size < 12; size++) {
      const { bytes, view } = memory()
      const words = readWords(view, 0, size)
      for (let i = 0; i < size; i++) {
        bytes[i] = 1
        expect(sameWords(view, 0, size, words)).toBe(false)
        bytes[i] = 0
      }
    }
  })
})
