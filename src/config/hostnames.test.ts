/** The hosts that a route and a listener have in common. */
import { expect, it } from 'vitest'
import { commonHostnames } from './hostnames.ts'

it.each([
  [['a.test'], undefined, ['a.test']],
  [[], undefined, []],
  [[], '*.test', ['*.test']],
  [['a.test'], 'a.test', ['a.test']],
  [['a.test'], 'b.test', undefined],
  [['a.test', 'x.b.test', 'b.other'], '*.test', ['a.test', 'x.b.test']],
  [['test'], '*.test', undefined],
  [['*.test'], 'a.test', ['a.test']],
  [['*.test'], 'test', undefined],
  [['*.b.test'], '*.test', ['*.b.test']],
  [['*.test'], '*.b.test', ['*.b.test']],
  [['*.test', 'x.b.test'], '*.b.test', ['*.b.test', 'x.b.test']],
  [['*.a.test'], '*.b.test', undefined],
  [['a.contest'], '*.test', undefined],
])('route %j and listener %s have %j', (route, listener, expected) => {
  expect(commonHostnames(route, listener)).toEqual(expected)
})
