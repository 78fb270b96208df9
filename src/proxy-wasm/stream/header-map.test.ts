import { describe, expect, it } from 'vitest'
import { HeaderMap } from './header-map.ts'

const map = (): HeaderMap => new HeaderMap(['a', '1', 'b', '2', 'a', '3'])

describe('HeaderMap', () => {
  it('keeps lines in order and duplicates apart', () => {
    expect(map().lines).toEqual(['a', '1', 'b', '2', 'a', '3'])
    expect([map().size, map().byteSize]).toEqual([3, 6])
  })

  it('gets the first value, or all', () => {
    expect([map().get('a'), map().get('c'), map().has('b'), map().has('c')]).toEqual([
      '1',
      undefined,
      true,
      false,
    ])
    expect([map().getAll('a'), map().getAll('c')]).toEqual([['1', '3'], []])
  })

  it('tells an empty value from none', () => {
    const headers = new HeaderMap(['x', ''])
    expect([headers.get('x'), headers.has('x')]).toEqual(['', true])
  })

  it('adds at the end', () => {
    const headers = map()
    headers.add('a', '4')
    expect(headers.lines.slice(-2)).toEqual(['a', '4'])
  })

  it('replaces the first line of a name in its place and removes the others', () => {
    const headers = map()
    headers.replace('a', 'x')
    headers.replace('c', 'y')
    expect(headers.lines).toEqual(['a', 'x', 'b', '2', 'c', 'y'])
  })

  it('removes all lines of a name', () => {
    const headers = map()
    headers.remove('a')
    expect(headers.lines).toEqual(['b', '2'])
    headers.remove('b')
    expect([headers.lines, headers.size]).toEqual([[], 0])
  })

  it('replaces everything, names in lower case and values as they are', () => {
    const headers = map()
    headers.setAll(['X-A', 'V', ':Path', '/P'])
    expect(headers.lines).toEqual(['x-a', 'V', ':path', '/P'])
  })

  it('knows whether it was changed', () => {
    const changes: ((headers: HeaderMap) => void)[] = [
      (headers) => headers.add('c', '1'),
      (headers) => headers.replace('a', '1'),
      (headers) => headers.remove('a'),
      (headers) => headers.setAll([]),
    ]
    for (const change of changes) {
      const headers = map()
      expect(headers.edited).toBe(false)
      change(headers)
      expect(headers.edited).toBe(true)
    }
    const headers = map()
    headers.remove('not there')
    expect(headers.edited).toBe(false)
  })

  it('clones into a map of its own', () => {
    const headers = map()
    const clone = headers.clone()
    clone.add('c', '1')
    expect([headers.size, clone.size]).toEqual([3, 4])
  })
})
