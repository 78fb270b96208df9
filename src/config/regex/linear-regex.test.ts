/** The engine against RE2's syntax: cases by hand, and any pattern at all against another RE2. */
import * as fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { LinearRegex } from './linear-regex.ts'

describe('a pattern covers the whole text', () => {
  it.each([
    ['/shop/[0-9]+', '/shop/12', true],
    ['/shop/[0-9]+', '/shop/12/x', false],
    ['/shop', '/a/shop', false],
    ['/(a|b|)/x', '//x', true],
    ['/(a|b)*', '/abba', true],
    ['^/x$', '/x', true],
    ['/v[12](/.*)?', '/v2', true],
    ['/v[12](/.*)?', '/v2/a/b', true],
    ['/v[12](/.*)?', '/v22', false],
    ['.*', 'a\nb', false],
    ['(?s).*', 'a\nb', true],
    ['(?i)/Shop', '/sHOP', true],
    ['(?i:a)b', 'AB', false],
    ['(?i)k', '\u212a', true],
    ['a{2,3}', 'aaa', true],
    ['a{2,3}', 'aaaa', false],
    ['a{,3}', 'a{,3}', true],
    ['x{2}y', 'xxy', true],
    ['\\Q.*\\E', '.*', true],
    ['\\Qab\\E+', 'abbb', true],
    ['[]a]+', ']a', true],
    ['[^]a]', 'b', true],
    ['[a-]+', 'a-', true],
    ['[[:alpha:]_]+', 'aZ_', true],
    ['[[:^digit:]]', '1', false],
    ['[^\\W\\d]+', 'ab_', true],
    ['\\pL+', 'äß', true],
    ['\\p{Greek}', 'λ', true],
    ['\\P{^Lu}', 'A', true],
    ['\\x41\\x{1F600}\\101', 'A😀A', true],
    ['.', '😀', true],
    ['..', '😀', false],
    ['a\\b.*', 'a b', true],
    ['a\\b.*', 'ab', false],
    ['a\\B.', 'ab', true],
    ['(?m)a$\\n^b', 'a\nb', true],
    ['a$\\n^b', 'a\nb', false],
    ['(?P<id>a)(?<other>b)(?:c)', 'abc', true],
    ['a*?b+?c??', 'aabb', true],
    ['', '', true],
    ['', 'a', false],
    ['()*', '', true],
    ['(a*)*b', 'aab', true],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(new LinearRegex(pattern).matches(text)).toBe(expected)
    expect(RE2JS.compile(pattern).matches(text)).toBe(expected)
  })
})

describe('a pattern is refused', () => {
  it.each([
    ['(?=a)', 'look-around is not part of RE2, at character 3'],
    ['(?<!a)b', 'look-around'],
    ['(a)\\1', 'references back'],
    ['a**', 'a repetition is repeated'],
    ['a{2}{3}', 'a repetition is repeated'],
    ['*a', 'nothing to repeat'],
    ['a|{2}', 'nothing to repeat'],
    ['(a', 'expected ")"'],
    ['a)', 'a ")" too many'],
    ['[a', 'expected "]"'],
    ['[z-a]', 'the wrong way round'],
    ['[a-\\d]', 'not part of RE2'],
    ['[[:what:]]', 'there is no class [:what:]'],
    ['[[:^what:]]', 'there is no class [:^what:]'],
    // anything may stand where a name should be
    ['[[::]', 'there is no class [::]'],
    ['[[:-:]]', 'there is no class [:-:]'],
    ['[[:]a:]', 'there is no class [:]a:]'],
    ['[b[:\n:]', 'there is no class [:\n:]'],
    ['[[:constructor:]]', 'there is no class [:constructor:]'],
    ['a{1001}', 'more than 1000 repetitions'],
    ['a{3,2}', 'the wrong way round'],
    ['\\p{Klingon}', 'not known here'],
    ['\\Z', 'not part of RE2'],
    ['(?z)', 'expected flags'],
    ['(?P<a>x)(?P<a>y)', 'two groups are called a'],
    ['\\x{110000}', 'no such character'],
    ['((a{100}){10}){10}', 'repeats more than 1000 times'],
    ['((){32}){32}', 'repeats more than 1000 times'],
    ['((a{30,})*){34,}', 'repeats more than 1000 times'],
    ['(abc){500}', 'more than 1000 steps'],
    [`(${'()'.repeat(30)}){1000}`, 'repeats too much'],
    ['('.repeat(200) + ')'.repeat(200), 'nested too deeply'],
    ['\\', 'not part of RE2'],
  ])('%j', (pattern, message) => expect(() => new LinearRegex(pattern)).toThrow(message))
})

describe('what only looks like a class with a name', () => {
  it.each([
    ['[[:]', ':', true],
    ['[[:]+', '[:[', true],
    ['[[:a]b', ':b', true],
    ['[^[:]', ':', false],
    ['[[:]]', ':]', true],
  ])('%j is a class of its characters', (pattern, text, expected) => {
    expect(new LinearRegex(pattern).matches(text)).toBe(expected)
  })
})

/** Patterns over few letters, so that texts often match. */
const patterns = fc.letrec<{ either: string; piece: string; atom: string }>((tie) => ({
  either: fc
    .array(fc.array(tie('piece'), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((branches) => branches.map((pieces) => pieces.join('')).join('|')),
  piece: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?'))
    .map(([atom, times]) => atom + times),
  atom: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'pattern', depthSize: 'small' },
    fc.constantFrom('a', 'b', 'A', '.', ' ', '\\n', '[ab]', '[^a]', '[a-c]', '[^\\s\\d]'),
    fc.constantFrom('^', '$', '\\b', '\\B', '\\A', '\\z', '\\w', '\\W', '\\d', '\\S', '\\pL', 'k'),
    fc.constantFrom('[[:upper:]]', '\\x61', '\\.', '\u212a', 'ß', '[\\W]', '[^\\w]', '\\PL'),
    tie('either').map((inner) => `(${inner})`),
    tie('either').map((inner) => `(?:${inner})`),
    tie('either').map((inner) => `(?i:${inner})`),
    tie('either').map((inner) => `(?ms:${inner})`),
  ),
}))
const texts = fc.string({
  unit: fc.constantFrom('a', 'a', 'b', 'A', 'B', ' ', '\n', '1', '.', 'ß', '\u1e9e', 'K', '\u212a'),
  maxLength: 8,
})

describe('any pattern', { timeout: 60_000 }, () => {
  it('matches what another RE2 matches', () => {
    fc.assert(
      fc.property(
        patterns.either,
        fc.array(texts, { minLength: 1, maxLength: 8 }),
        (pattern, all) => {
          const other = compiled(pattern)
          fc.pre(other !== undefined)
          const own = ownOf(pattern)
          fc.pre(own !== undefined)
          for (const text of all)
            expect([text, own?.matches(text)]).toEqual([text, other?.matches(text)])
        },
      ),
      { numRuns: 400 },
    )
  })

  it('of any characters is refused wherever another RE2 refuses it', () => {
    const unit = fc.constantFrom(...'ab()[]{}|*+?^$.\\-,:^1230ipLQEzbBdDwWsSxPM<>=!')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), texts, (pattern, text) => {
        // RE2 looks for the end of [:name:] behind "[:"; the other takes this for all of one
        fc.pre(!pattern.includes('[:]'))
        let own: LinearRegex
        try {
          own = new LinearRegex(pattern)
        } catch {
          return
        }
        expect(compiled(pattern)?.matches(text)).toBe(own.matches(text))
      }),
      { numRuns: 20_000 },
    )
  })
})

/** undefined where it is too large, the one thing that may be refused of what RE2 takes. */
function ownOf(pattern: string): LinearRegex | undefined {
  try {
    return new LinearRegex(pattern)
  } catch (error) {
    if (error instanceof Error && /more than 1000 steps/.test(error.message)) return undefined
    throw error
  }
}

/** undefined where the other refuses it. */
function compiled(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern)
  } catch {
    return undefined
  }
}

describe('no pattern is slow', { timeout: 60_000 }, () => {
  const long = 'a'.repeat(8_000)
  it.each([
    '(a+)+b',
    '(a|a)*b',
    '(a|aa)+$b',
    '(.*)*(.*)*(.*)*x',
    '(a*)*(a*)*(a*)*b',
    '(?:a?){300}a{300}b',
    '(a|b|ab)*c',
    '(.*a){30}b',
    '.*a.{200}b',
  ])('%s looks at each character a bounded number of times', (pattern) => {
    const regex = new LinearRegex(pattern)
    expect(regex.matches(long)).toBe(false)
    expect(regex.matches(`${long}\u{1f600}`)).toBe(false)
  })

  it('and none keeps more than it may, whatever texts come', () => {
    const regex = new LinearRegex('(.*a.{12}|.*b.{11})c?')
    const random = fc.sample(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 400 }), {
      numRuns: 300,
      seed: 1,
    })
    const other = RE2JS.compile('(.*a.{12}|.*b.{11})c?')
    for (const text of random) expect(regex.matches(text)).toBe(other.matches(text))
    expect(regex.kept).toBeLessThan(25_000)
  })
})
