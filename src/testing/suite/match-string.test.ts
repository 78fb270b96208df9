/** String matchers and chunking plans. */
import { describe, expect, it } from 'vitest'
import { textToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import type { StringMatcher } from '../format/read-suite.ts'
import { chunkBody } from './chunk-body.ts'
import { matchString } from './match-string.ts'

const NOTHING: StringMatcher = {
  invert: undefined,
  exact: undefined,
  regex: undefined,
  file: undefined,
  at: { line: 1, column: 1 },
}

function match(matcher: Partial<StringMatcher>, ...found: string[]): Promise<string | undefined> {
  const readFile = async (): Promise<Uint8Array<ArrayBuffer>> => textToBytes('from a file')
  return matchString({ ...NOTHING, ...matcher }, found, 'log', readFile)
}

describe('a string matcher', () => {
  it('matches if one of all does', async () => {
    expect(await match({ exact: 'b' }, 'a', 'b')).toBeUndefined()
    expect(await match({ exact: 'b' }, 'a', 'bb')).toBe('log: expected "b", found "a", "bb"')
    expect(await match({ exact: 'b' })).toBe('log: expected "b", there is none')
  })

  it('matches the whole text with a regular expression', async () => {
    expect(await match({ regex: 'a.c' }, 'abc')).toBeUndefined()
    expect(await match({ regex: 'b' }, 'abc')).toBe('log: expected a match of /b/, found "abc"')
    expect(await match({ regex: '.*' }, 'a\nb')).toContain('expected')
    expect(await match({ regex: '(?s).*' }, 'a\nb')).toBeUndefined()
    expect(await match({ regex: '[é]' }, '\xc3\xa9')).toBeUndefined()
    expect(await match({ regex: '(a+)+b' }, 'a'.repeat(5000))).toContain('expected')
  })

  it('matches a file', async () => {
    expect(await match({ file: 'x.txt' }, 'from a file')).toBeUndefined()
    expect(await match({ file: 'x.txt' }, 'else')).toBe(
      'log: expected "from a file" (x.txt), found "else"',
    )
  })

  it('is turned around', async () => {
    expect(await match({ invert: true, exact: 'b' }, 'a')).toBeUndefined()
    expect(await match({ invert: true, exact: 'b' })).toBeUndefined()
    expect(await match({ invert: true, regex: 'b+' }, 'a', 'bb')).toBe(
      'log: a match of /b+/ was not expected',
    )
  })

  it('shows no more than can be read', async () => {
    const message = await match({ exact: 'x' }, ...Array.from({ length: 9 }, () => 'y'.repeat(999)))
    expect(message).toContain('… and 4 more'.slice(1).trim())
    expect(message?.length).toBeLessThan(1500)
  })
})

describe('a chunking plan', () => {
  const body = textToBytes('abcdefg')
  const texts = (plan: { chunks?: number; size?: number }, bytes = body): string[] =>
    chunkBody(bytes, { num_chunks: plan.chunks, chunk_size: plan.size }).map((piece) =>
      new TextDecoder().decode(piece),
    )

  it('cuts by number and by size', () => {
    expect(texts({ chunks: 3 })).toEqual(['abc', 'def', 'g'])
    expect(texts({ size: 4 })).toEqual(['abcd', 'efg'])
    expect(texts({ size: 100 })).toEqual(['abcdefg'])
    expect(texts({})).toEqual(['abcdefg'])
    expect(texts({ chunks: 3 }, textToBytes(''))).toEqual([''])
  })
})
