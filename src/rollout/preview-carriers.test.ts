import { describe, expect, it } from 'vitest'
import { previewCookie, previewTokensOf, withoutPreviewCookie } from './preview-carriers.ts'

const tokensOf = (header: string | null, cookies: string | null): readonly string[] =>
  previewTokensOf({ header, cookies })

describe('preview tokens', () => {
  it('come in a header, in a cookie, or in both, the header first', () => {
    expect(tokensOf(null, null)).toEqual([])
    expect(tokensOf(null, 'a=b; xpostern-preview=c')).toEqual([])
    expect(tokensOf('one', null)).toEqual(['one'])
    expect(tokensOf('one, two', 'a=b; postern-preview=three~four; c=d')).toEqual([
      'one',
      'two',
      'three',
      'four',
    ])
  })

  it('are so many at the most', () => {
    expect(tokensOf('t,'.repeat(1000), null)).toHaveLength(16)
  })

  it('are taken out of the cookies, and nothing else is', () => {
    expect(withoutPreviewCookie('a=b; postern-preview=x; c="d;e"')).toBe('a=b; c="d;e"')
    expect(withoutPreviewCookie('postern-preview=x;a=b;  postern-preview=y')).toBe('a=b')
    expect(withoutPreviewCookie(' postern-preview = x')).toBe('')
    expect(withoutPreviewCookie('postern-previews=x')).toBe('postern-previews=x')
  })

  it('are kept in a cookie that is read back', () => {
    const line = previewCookie(['one', 'two'], 60, true)
    expect(line).toBe('postern-preview=one~two; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure')
    expect(tokensOf(null, line.split(';', 1)[0] ?? '')).toEqual(['one', 'two'])
    expect(previewCookie([], 0, false)).toBe(
      'postern-preview=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    )
  })
})
