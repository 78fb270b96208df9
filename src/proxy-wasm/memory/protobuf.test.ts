/** Fields of protobuf messages: what is written is read, and what is no message is refused. */
import { describe, expect, it } from 'vitest'
import { upstreamOfGrpcService } from './grpc-service.ts'
import { protoBytes, protoNumber, protoText, readProto, writeProto } from './protobuf.ts'

const of = (...bytes: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes)

describe('writeProto and readProto', () => {
  it('agree', () => {
    const message = writeProto([
      [1, 'é'],
      [2, of(0, 255)],
      [3, true],
      [4, 300],
      [5, -1],
      [6, undefined],
      [2000, 'far'],
    ])
    const fields = readProto(message) ?? []
    expect(fields.map(({ field }) => field)).toEqual([1, 2, 3, 4, 5, 2000])
    expect(protoText(fields, 1)).toBe('é')
    expect(protoBytes(fields, 2)).toEqual(of(0, 255))
    expect([3, 4, 5, 6].map((field) => protoNumber(fields, field))).toEqual([1, 300, -1, 0])
    expect(protoText(fields, 2000)).toBe('far')
    expect(protoText(fields, 9)).toBe('')
  })

  it('reads fixed sizes, and takes the last of a field that comes twice', () => {
    const fields = readProto(of(0x0d, 1, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 0, 0, 0, 0x08, 7)) ?? []
    expect([protoNumber(fields, 1), protoNumber(fields, 2)]).toEqual([7, 2])
  })

  it.each([
    ['a cut varint', of(0x80)],
    ['a varint that never ends', of(8, ...Array.from({ length: 11 }, () => 0x80))],
    ['a length beyond the end', of(0x0a, 2, 65)],
    ['a cut fixed size', of(0x0d, 1)],
    ['field 0', of(0)],
    ['a group', of(0x0b)],
  ])('refuse %s', (_, bytes) => {
    expect(readProto(bytes)).toBeUndefined()
  })
})

describe('upstreamOfGrpcService', () => {
  it('finds the cluster of envoy_grpc and nothing else', () => {
    expect(upstreamOfGrpcService(writeProto([[1, writeProto([[1, 'authz']])]]))).toBe('authz')
    expect(upstreamOfGrpcService(writeProto([[2, writeProto([[1, 'uri']])]]))).toBeUndefined()
    expect(upstreamOfGrpcService(new TextEncoder().encode('authz'))).toBeUndefined()
    expect(upstreamOfGrpcService(of())).toBeUndefined()
  })
})
