import { describe, expect, it } from 'vitest'
import { bytesToText, textToBytes } from '../memory/byte-string.ts'
import { HeaderMap } from './header-map.ts'
import { emptyReply, isGrpc, type LocalReply, prepareLocalReply, textReply } from './local-reply.ts'

const reply = (fields: Partial<LocalReply>): LocalReply => ({ ...emptyReply(200, ''), ...fields })
const lines = (fields: Partial<LocalReply>, grpc = false, head = false): readonly string[] =>
  prepareLocalReply(reply(fields), grpc, head).headers.lines

describe('prepareLocalReply', () => {
  it('puts the status in front, then what was given, then length and type', () => {
    const body = textToBytes('four')
    expect(lines({ status: 418, headers: ['X-A', '1'], body })).toEqual([
      ':status',
      '418',
      'x-a',
      '1',
      'content-length',
      '4',
      'content-type',
      'text/plain',
    ])
  })

  it('takes no pseudo-headers', () => {
    expect(lines({ headers: [':status', '500', ':path', '/', 'x', '1'] })).toEqual([
      ':status',
      '200',
      'x',
      '1',
    ])
  })

  it('keeps a length for HEAD and leaves the body out', () => {
    const { headers, body } = prepareLocalReply(textReply(200, 'abc', ''), false, true)
    expect([headers.get('content-length'), body.length]).toEqual(['3', 0])
  })

  it.each([204, 205, 304])('has no body with %i', (status) => {
    const { headers, body } = prepareLocalReply(textReply(status, 'abc', ''), false, false)
    expect([headers.has('content-length'), headers.has('content-type'), body.length]).toEqual([
      false,
      false,
      0,
    ])
  })

  it.each([
    [400, undefined, '13'],
    [401, undefined, '16'],
    [404, undefined, '12'],
    [418, undefined, '2'],
    [503, undefined, '14'],
    [503, 0, '0'],
    [200, 7, '7'],
  ])('answers gRPC %i with status %s as %s', (status, grpcStatus, expected) => {
    const { headers, body } = prepareLocalReply(reply({ status, grpcStatus }), true, false)
    expect([headers.get(':status'), headers.get('grpc-status'), body.length]).toEqual([
      '200',
      expected,
      0,
    ])
  })

  it('percent-encodes what gRPC asks for', () => {
    const headers = lines({ body: textToBytes('50% é\n') }, true)
    expect(headers[headers.indexOf('grpc-message') + 1]).toBe('50%25 %C3%A9%0A')
  })

  it('has a text to give', () => {
    expect(bytesToText(textReply(413, 'Too Large', 'why').body)).toBe('Too Large')
  })
})

describe('isGrpc', () => {
  it.each([
    ['application/grpc', true],
    ['application/grpc+json', true],
    ['application/grpc;charset=utf-8', true],
    ['application/grpc-web', false],
    ['application/grpcx', false],
    ['text/plain', false],
  ])('%s: %s', (type, expected) => {
    expect(isGrpc(new HeaderMap(['content-type', type]))).toBe(expected)
  })

  it('is false without a type or a request', () => {
    expect([isGrpc(new HeaderMap()), isGrpc(undefined)]).toEqual([false, false])
  })
})
