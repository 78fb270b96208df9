import { describe, expect, it } from 'vitest'
import {
  headerMapFrom,
  requestHeaderMap,
  responseHeaderMap,
  splitUrl,
  toHeadersInit,
} from './fetch-headers.ts'
import { HeaderMap } from './header-map.ts'

const none = (name: string): never => {
  throw new Error(`${name} was dropped`)
}

describe('headers from Fetch', () => {
  it('have the pseudo-headers of a request in front', () => {
    const request = new Request('https://a.example:8443/p?q=1', {
      method: 'DELETE',
      headers: { 'X-A': '1' },
    })
    expect(requestHeaderMap(request).lines).toEqual([
      ':authority',
      'a.example:8443',
      ':path',
      '/p?q=1',
      ':method',
      'DELETE',
      ':scheme',
      'https',
      'x-a',
      '1',
    ])
  })

  it('have the status of a response in front, and each cookie on a line', () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['vary', 'x'],
      ['vary', 'y'],
    ])
    expect(responseHeaderMap(new Response(null, { status: 204, headers })).lines).toEqual([
      ':status',
      '204',
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'vary',
      'x, y',
    ])
  })

  it('leave behind what speaks of one connection, but for an upgrade', () => {
    const headers = new Headers({
      connection: 'upgrade',
      upgrade: 'websocket',
      host: 'a.example',
      'keep-alive': '5',
      'transfer-encoding': 'chunked',
      'x-a': '1',
    })
    expect(headerMapFrom([], headers).lines).toEqual(['x-a', '1'])
    const kept = headerMapFrom([], headers, true)
    expect([kept.get('upgrade'), kept.get('connection'), kept.has('host')]).toEqual([
      'websocket',
      'upgrade',
      false,
    ])
  })
})

describe('headers for Fetch', () => {
  it('leave pseudo-headers out and join lines of one name', () => {
    const lines = [
      ':path',
      '/',
      'a',
      '1',
      'a',
      '2',
      'cookie',
      'x=1',
      'cookie',
      'y=2',
      '',
      'nameless',
    ]
    expect(toHeadersInit(new HeaderMap(lines), none)).toEqual({ a: '1, 2', cookie: 'x=1; y=2' })
  })

  it('keep cookies apart', () => {
    const lines = ['set-cookie', 'a=1', 'x', '1', 'set-cookie', 'b=2']
    const headers = new Headers(toHeadersInit(new HeaderMap(lines), none))
    expect([headers.getSetCookie(), headers.get('x')]).toEqual([['a=1', 'b=2'], '1'])
  })

  it.each([
    ['bad name', '1'],
    ['x', 'a\nb'],
    ['x', 'a\rb'],
    ['x', 'a\0b'],
    ['n\u00e9', '1'],
  ])('drop %j: %j and keep the rest', (name, value) => {
    const dropped: string[] = []
    const init = toHeadersInit(
      new HeaderMap([name, value, 'y', '2', 'set-cookie', 'c=1']),
      (it) => {
        dropped.push(it)
      },
    )
    expect(dropped).toEqual([name])
    expect([...new Headers(init)]).toEqual([
      ['set-cookie', 'c=1'],
      ['y', '2'],
    ])
  })

  it('may be called like members of every object', () => {
    const lines = ['constructor', '1', 'constructor', '2', 'valueof', '3', '__proto__', '4']
    const headers = new Headers(toHeadersInit(new HeaderMap(lines), none))
    const values = ['constructor', 'valueof', '__proto__'].map((name) => headers.get(name))
    expect(values).toEqual(['1, 2', '3', '4'])
  })

  it('carry bytes above ASCII', () => {
    const headers = new Headers(toHeadersInit(new HeaderMap(['x', '\u00ff\u0080']), none))
    expect(headers.get('x')).toBe('\u00ff\u0080')
  })
})

describe('splitUrl', () => {
  it.each([
    ['http://a.example/', 'http', 'a.example', '/'],
    ['http://a.example', 'http', 'a.example', '/'],
    ['https://a.example:81/p/q?x=/y', 'https', 'a.example:81', '/p/q?x=/y'],
    ['http://a.example?x=1', 'http', 'a.example', '/?x=1'],
    ['http://[::1]:8080/x', 'http', '[::1]:8080', '/x'],
  ])('%s', (url, scheme, authority, path) => {
    expect(splitUrl(url)).toEqual({ scheme, authority, path })
  })
})
