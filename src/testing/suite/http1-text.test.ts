/** HTTP/1 text as the input of header phases. */
import { describe, expect, it } from 'vitest'
import type { Direction } from '../../proxy-wasm/index.ts'
import { parseHttp1 } from './http1-text.ts'

function lines(text: string, direction: Direction = 'request'): unknown {
  const parsed = parseHttp1(text, direction)
  return typeof parsed === 'string' ? parsed : parsed.lines
}

/** Written with a tab where a space is meant. */
const list = (text: string): string[] => text.split(' ').map((part) => part.replace('\t', ' '))

describe('HTTP/1 text', () => {
  it('becomes a request', () => {
    const text = 'GET /my/path?a=1 HTTP/1.1\r\nHost: shop.example\r\nMyHeader:  My Val \r\n\r\n'
    expect(lines(text)).toEqual(
      list(':method GET :path /my/path?a=1 :scheme http :authority shop.example myheader My\tVal'),
    )
  })

  it('takes scheme and authority from a target that has them', () => {
    expect(lines('GET https://a.example:8443 HTTP/1.1\nHost: b.example')).toEqual(
      list(':method GET :path / :scheme https :authority a.example:8443'),
    )
  })

  it('becomes a response', () => {
    expect(lines('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n', 'response')).toEqual([
      ':status',
      '200',
      'content-length',
      '3',
    ])
    expect(lines('HTTP/2 204', 'response')).toEqual([':status', '204'])
  })

  it('keeps every line of a name', () => {
    expect(lines('HTTP/1.1 200\nset-cookie: a\nset-cookie: b', 'response')).toEqual([
      ':status',
      '200',
      'set-cookie',
      'a',
      'set-cookie',
      'b',
    ])
  })

  it.each<[string, Direction, string]>([
    ['HTTP/1.1 200 OK', 'request', 'is no request line'],
    ['GET / HTTP/1.1', 'response', 'is no status line'],
    ['', 'request', 'is no request line'],
    ['GET / HTTP/1.1\nnonsense', 'request', '"nonsense" is no header line'],
    ['GET / HTTP/1.1\r\n\r\nbody', 'request', 'there is a body'],
  ])('refuses %j as a %s', (text, direction, reason) => {
    expect(lines(text, direction)).toContain(reason)
  })
})
