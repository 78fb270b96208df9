import { describe, expect, it } from 'vitest'
import { bytesToText } from '../../proxy-wasm/memory/byte-string.ts'
import type { RecordedExchange } from './exchange.ts'
import { readHar } from './har.ts'
import { readCallouts, readJsonLines } from './json-lines.ts'
import { requestOf } from './request-of.ts'

const line = (value: object): ReturnType<typeof readJsonLines> =>
  readJsonLines('t', JSON.stringify(value))

describe('a line of traffic', () => {
  it('may say no more than where it goes', () => {
    const { exchanges, problems } = line({ url: 'https://shop.example/a?b=1' })
    expect(problems).toEqual([])
    expect(exchanges).toMatchObject([
      { place: 't:1', method: 'GET', url: 'https://shop.example/a?b=1', headers: [] },
    ])
  })

  it('may have its host in a header, which is what counts', () => {
    const headers = { Host: 'shop.example:8080' }
    expect(line({ url: '/a', headers }).exchanges[0]?.url).toBe('http://shop.example:8080/a')
    const { exchanges } = line({ url: 'http://10.0.0.1/a', headers: { host: 'shop.example' } })
    expect(exchanges[0]?.url).toBe('http://shop.example/a')
  })

  it('may have headers with several values, as object or pairs, in UTF-8', () => {
    const pairs = [
      ['x-a', '1'],
      ['x-a', '2'],
      ['x-name', 'é'],
    ]
    const expected = [
      ['x-a', '1'],
      ['x-a', '2'],
      ['x-name', '\u00c3\u00a9'],
    ]
    const url = 'http://a/'
    expect(line({ url, headers: pairs }).exchanges[0]?.headers).toEqual(expected)
    const object = { 'X-A': ['1', '2'], 'x-name': 'é' }
    expect(line({ url, headers: object }).exchanges[0]?.headers).toEqual(expected)
  })

  it('has its answer without the coding that the bytes once had', () => {
    const response = {
      status: 200,
      headers: { 'content-encoding': 'gzip', 'content-length': '9', etag: 'x' },
      body: { base64: btoa('plain') },
    }
    const answer = line({ url: 'http://a/', response }).exchanges[0]?.answer
    expect(answer?.headers).toEqual([['etag', 'x']])
    expect(bytesToText(answer?.body ?? new Uint8Array())).toBe('plain')
  })

  it.each<[object, string]>([
    [{}, 'url: expected a text'],
    [{ url: 'ftp://a/' }, 'url: expected an http or https URL, or a path'],
    [{ url: 'http://a/', method: 'GET /' }, 'method: expected a method, as GET'],
    [
      { url: 'http://a/', headers: { 'x y': '1' } },
      'headers["x y"]: expected a header that HTTP can carry',
    ],
    [{ url: 'http://a/', headers: { x: 1 } }, 'headers.x: expected a text'],
    [{ url: 'http://a/', body: 7 }, 'body: expected an object'],
    [{ url: 'http://a/', body: { base64: '%' } }, 'body.base64: expected base64'],
    [
      { url: 'http://a/', time: 'soon' },
      'time: expected a date as 2026-01-31T12:00:00Z, or milliseconds',
    ],
    [
      { url: 'http://a/', response: { status: 101 } },
      'response.status: expected a status from 200 to 599',
    ],
    [
      { url: 'http://a/', callouts: [{ upstream: 'a' }] },
      'callouts[0]: expected one of response and failure',
    ],
  ])('%j is refused', (value, message) => {
    const { exchanges, problems } = line(value)
    expect([exchanges, problems]).toEqual([[], [{ line: 1, message }]])
  })

  it('that answers callouts is read alone, too', () => {
    const text = '{"upstream":"a","failure":"timeout"}\n{"upstream":"a","failure":"never"}\n'
    expect(readCallouts(text)).toMatchObject({
      exchanges: [{ upstream: 'a', answer: { failure: 'timeout' } }],
      problems: [{ line: 2, message: 'failure: expected one of connect, timeout, reset' }],
    })
  })
})

describe('a HAR', () => {
  const entry = (request: object, response: object = { status: 200, headers: [] }): object => ({
    request: { method: 'GET', url: 'http://a/', headers: [], ...request },
    response,
  })
  const har = (...entries: object[]): ReturnType<typeof readHar> =>
    readHar('h', { log: { entries } })

  it('has entries that were never answered, or no request for a gateway', () => {
    const { exchanges, problems, leftOut } = har(
      entry({}, { status: 0 }),
      entry({ url: 'ws://a/' }),
      entry({ url: 'http://a/x#part' }),
    )
    expect(problems).toEqual([])
    expect(exchanges.map(({ url, answer }) => [url, answer?.status])).toEqual([
      ['http://a/', undefined],
      ['http://a/x', 200],
    ])
    expect([...leftOut]).toEqual([['ws: URLs', 1]])
  })

  it('tells every entry that is wrong, with its place in the document', () => {
    const { exchanges, problems } = har(entry({ url: 7 }), entry({}), entry({}, { status: 'ok' }))
    expect(exchanges).toHaveLength(1)
    expect(problems).toEqual([
      { path: ['log', 'entries', 0, 'request', 'url'], message: expect.stringContaining('a text') },
      {
        path: ['log', 'entries', 2, 'response', 'status'],
        message: expect.stringContaining('a status'),
      },
    ])
  })

  it.each([null, [], { log: 7 }, { log: { entries: {} } }])('is not %j', (document) => {
    expect(readHar('h', document).problems).toHaveLength(1)
  })
})

describe('a recorded request', () => {
  it('has the length that its body has', () => {
    const { exchanges } = line({
      url: 'http://a/',
      method: 'post',
      headers: { 'content-length': '99', host: 'a' },
      body: 'abc',
    })
    const request = requestOf(exchanges[0] as RecordedExchange) as Request
    expect([request.method, request.headers.get('content-length')]).toEqual(['POST', '3'])
    expect(request.headers.has('host')).toBe(false)
  })

  it('that Fetch does not have is told', () => {
    const { exchanges } = line({ url: 'http://a/', method: 'CONNECT' })
    expect(requestOf(exchanges[0] as RecordedExchange)).toEqual(expect.stringContaining('CONNECT'))
  })
})
