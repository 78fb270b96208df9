/** Paths that are replaced in whole or in front. */
import { describe, expect, it } from 'vitest'
import { editPath } from './path-edit.ts'

describe('replacing the prefix', () => {
  it.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo', '/foo', '/xyz/', '/xyz/'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/', '/foo', '/xyz/', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo/bar?a=/foo', '/foo', '/xyz', '/xyz/bar?a=/foo'],
    ['/foo?a', '/foo', '', '/?a'],
    ['/a/b', '/', '/xyz', '/xyz/a/b'],
    ['/', '/', '/xyz', '/xyz/'],
    // what a plugin made of the path is not covered any more
    ['/elsewhere', '/foo', '/xyz', '/elsewhere'],
    ['/foobar', '/foo', '/xyz', '/foobar'],
  ])('%s without %s and with %j is %s', (path, prefix, value, expected) => {
    expect(editPath({ type: 'prefix', value }, path, prefix)).toBe(expected)
  })
})

describe('replacing the whole path', () => {
  it.each([
    ['/foo/bar', '/new', '/new'],
    ['/foo/bar?a=1', '/new', '/new?a=1'],
    ['/foo', '', '/'],
  ])('%s by %j is %s', (path, value, expected) => {
    expect(editPath({ type: 'full', value }, path, '/foo')).toBe(expected)
  })
})
