import { describe, expect, it } from 'vitest'
import {
  byteStringToBytes,
  byteStringToText,
  bytesToByteString,
  isAscii,
  textToByteString,
} from './byte-string.ts'

describe('byte strings', () => {
  it.each([0, 1, 48, 49, 8192, 8193, 20_000])('keep all of %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7)
    const text = bytesToByteString(bytes)
    expect(text).toHaveLength(length)
    expect(byteStringToBytes(text)).toEqual(bytes)
  })

  it('are the UTF-8 of a text, and back', () => {
    expect(textToByteString('plain')).toBe('plain')
    expect(textToByteString('\u00e9\u65e5')).toBe('\u00c3\u00a9\u00e6\u0097\u00a5')
    expect(byteStringToText('\u00c3\u00a9')).toBe('\u00e9')
    expect(byteStringToText('\u00ff')).toBe('\ufffd')
  })

  it('know ASCII', () => {
    expect([isAscii(''), isAscii('a\x7f\0'), isAscii('\x80')]).toEqual([true, true, false])
  })
})
