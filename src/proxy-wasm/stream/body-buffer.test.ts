import { describe, expect, it } from 'vitest'
import { bytesToText, textToBytes } from '../memory/byte-string.ts'
import { BodyBuffer } from './body-buffer.ts'

function holding(...chunks: string[]): BodyBuffer {
  const buffer = new BodyBuffer()
  for (const chunk of chunks) buffer.append(textToBytes(chunk))
  return buffer
}

const text = (buffer: BodyBuffer): string => bytesToText(buffer.whole())

describe('BodyBuffer', () => {
  it('joins chunks in order', () => {
    const buffer = holding('ab', '', 'cde')
    expect([buffer.size, text(buffer), text(buffer)]).toEqual([5, 'abcde', 'abcde'])
  })

  it('is empty to begin with, and after it was taken', () => {
    const buffer = holding('ab', 'c')
    expect(bytesToText(buffer.take())).toBe('abc')
    expect([buffer.size, text(buffer), bytesToText(buffer.take())]).toEqual([0, '', ''])
    expect(text(new BodyBuffer())).toBe('')
  })

  it('goes on after it was cleared', () => {
    const buffer = holding('ab')
    buffer.clear()
    buffer.append(textToBytes('c'))
    expect([buffer.size, text(buffer)]).toEqual([1, 'c'])
  })

  const old = 'abcdef'
  const sizes = [0, 1, 3, 6, 7, 0xffff_ffff]

  it.each([0, 1, 3, 5, 6, 7, 0x7fff_ffff])('splices at %i as an array would', (start) => {
    for (const size of sizes) {
      for (const data of ['', 'X', 'XYZ']) {
        const chars = [...old]
        chars.splice(start, size, ...data)
        for (const buffer of [holding(old), holding('ab', 'cd', 'ef')]) {
          buffer.splice(start, size, textToBytes(data))
          expect([text(buffer), buffer.size]).toEqual([chars.join(''), chars.length])
          expect(buffer.edited).toBe(true)
        }
      }
    }
  })

  it('does not change the chunks it was given', () => {
    const chunk = textToBytes('abc')
    const buffer = new BodyBuffer()
    buffer.append(chunk)
    buffer.splice(1, 1, textToBytes('__'))
    expect([text(buffer), bytesToText(chunk)]).toEqual(['a__c', 'abc'])
  })
})
