/** Frames of gRPC-Web: whole, in pieces, wrong ones; and any cut of any frames gives the same frames. */
import { array, assert, nat, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeMessage,
  GrpcWebDecoder,
  type GrpcWebFrame,
  GrpcWebFrameError,
  parseTrailers,
} from './grpc-web-frames.ts'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

function trailers(block: string): Uint8Array<ArrayBuffer> {
  const frame = encodeMessage(bytes(block))
  frame[0] = 0x80
  return frame
}

function decode(chunks: readonly Uint8Array[], limit = 1000): GrpcWebFrame[] {
  const decoder = new GrpcWebDecoder(limit)
  return chunks.flatMap((chunk) => [...decoder.push(chunk)])
}

describe('encodeMessage', () => {
  it('puts five bytes in front', () => {
    expect([...encodeMessage(bytes('ab'))]).toEqual([0, 0, 0, 0, 2, 97, 98])
    expect([...encodeMessage(new Uint8Array(0))]).toEqual([0, 0, 0, 0, 0])
  })
})

describe('the decoder', () => {
  it('gives messages and trailers in order', () => {
    const whole = [
      encodeMessage(bytes('a')),
      encodeMessage(bytes('')),
      trailers('grpc-status: 0\r\n'),
    ]
    expect(decode(whole)).toEqual([
      { kind: 'message', bytes: bytes('a') },
      { kind: 'message', bytes: bytes('') },
      { kind: 'trailers', lines: ['grpc-status', '0'] },
    ])
  })

  it('knows whether a frame was cut off', () => {
    const decoder = new GrpcWebDecoder(10)
    expect(decoder.unfinished).toBe(false)
    expect([...decoder.push(Uint8Array.of(0, 0))]).toEqual([])
    expect(decoder.unfinished).toBe(true)
    expect([...decoder.push(Uint8Array.of(0, 0, 1, 7))]).toHaveLength(1)
    expect(decoder.unfinished).toBe(false)
  })

  it.each([
    ['longer than the limit', encodeMessage(bytes('abcd')), 'too-large'],
    ['longer than memory', Uint8Array.of(0, 255, 255, 255, 255), 'too-large'],
    ['compressed', Uint8Array.of(1, 0, 0, 0, 0), 'flags'],
    ['of an unknown kind', Uint8Array.of(0x40, 0, 0, 0, 0), 'flags'],
  ])('refuses a frame %s before it is there', (_, frame, reason) => {
    expect(() => decode([frame.subarray(0, 5)], 3)).toThrow(
      expect.objectContaining({ reason }) as GrpcWebFrameError,
    )
  })

  it('gives the same frames however they are cut', () => {
    const frame = uint8Array({ maxLength: 40 })
    assert(
      property(array(frame, { maxLength: 5 }), array(nat(200)), (messages, cuts) => {
        const all = messages.flatMap((message) => [...encodeMessage(message)])
        const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b)
        const chunks = ends.map((end, i) => Uint8Array.from(all.slice(ends[i - 1] ?? 0, end)))
        const wanted = messages.map((message) => ({
          kind: 'message',
          bytes: Uint8Array.from(message),
        }))
        expect(decode(chunks)).toEqual(wanted)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('ends any bytes with frames or an error of its own', () => {
    assert(
      property(array(uint8Array({ maxLength: 30 }), { maxLength: 6 }), (chunks) => {
        try {
          const held = decode(chunks, 64).map((found) =>
            found.kind === 'message' ? found.bytes.length : 0,
          )
          expect(held.every((size) => size <= 64)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(GrpcWebFrameError)
        }
      }),
      { seed: 11, numRuns: 500 },
    )
  })
})

describe('parseTrailers', () => {
  it.each([
    ['', []],
    ['grpc-status:0\r\n', ['grpc-status', '0']],
    ['Grpc-Status:  7 \r\nGRPC-Message: a:b\r\n', ['grpc-status', '7', 'grpc-message', 'a:b']],
    ['a: 1\nb: 2\n', ['a', '1', 'b', '2']],
    ['no colon\r\n: nothing\r\na: 1', ['a', '1']],
    ['a:\r\n', ['a', '']],
  ])('reads %j', (block, lines) => {
    expect(parseTrailers(bytes(block))).toEqual(lines)
  })
})
