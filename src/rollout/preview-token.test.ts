import { describe, expect, it } from 'vitest'
import { issuedCookie, IssuedKeys } from './issued-key.ts'
import { MAX_PREVIEW_MS, PreviewTokens } from './preview-token.ts'

const SECRET = 'a secret of this test'
const NOW = Date.parse('2026-03-01T12:00:00Z')
const preview = { rollout: 'shop.pricing', side: 'candidate' } as const
const tokens = new PreviewTokens(SECRET)

describe('a preview token', () => {
  it.each(['stable', 'candidate'] as const)('forces %s of its rollout', async (side) => {
    const token = await tokens.issue({ ...preview, side }, NOW, 60_000)
    expect(await tokens.read(token, NOW + 59_999)).toEqual({
      ...preview,
      side,
      until: NOW + 60_000,
    })
  })

  it('is over when its time is', async () => {
    const token = await tokens.issue(preview, NOW, 60_000)
    expect(await tokens.read(token, NOW + 60_000)).toBeUndefined()
  })

  it('is worth nothing under another secret', async () => {
    const token = await tokens.issue(preview, NOW, 60_000)
    expect(await new PreviewTokens('another secret of it').read(token, NOW)).toBeUndefined()
  })

  it('is worth nothing when any character of it is another', async () => {
    const token = await tokens.issue({ ...preview, side: 'stable' }, NOW, 60_000)
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'a' ? 'b' : 'a'
      const changed = token.slice(0, at) + other + token.slice(at + 1)
      expect(await tokens.read(changed, NOW)).toBeUndefined()
    }
    for (const wrong of ['', '.', 'a', token.slice(1), `${token}a`, token.slice(0, -1)]) {
      expect(await tokens.read(wrong, NOW)).toBeUndefined()
    }
  })

  it('is not made for longer than a day, nor for no time', () => {
    for (const lifetime of [0, -1, Number.NaN, MAX_PREVIEW_MS + 1]) {
      expect(() => tokens.issue(preview, NOW, lifetime)).toThrow(RangeError)
    }
  })

  it('is not made with a secret that can be guessed', () => {
    expect(() => new PreviewTokens('short')).toThrow(RangeError)
  })
})

describe('a key that Postern gives out', () => {
  const keys = new IssuedKeys(SECRET)

  it('is read back, and is another one each time', async () => {
    const [one, other] = [keys.newKey(), keys.newKey()]
    expect(await keys.read(await keys.sign(one))).toBe(one)
    expect(one).not.toBe(other)
  })

  it('cannot be made up, nor be made of a preview token', async () => {
    const value = await keys.sign(keys.newKey())
    expect(await keys.read(`x${value}`)).toBeUndefined()
    expect(await keys.read(await tokens.issue(preview, NOW, 1000))).toBeUndefined()
  })

  it('goes back over https alone where it came over https', () => {
    expect(issuedCookie('till', 'a.b', true)).toMatch(/^till=a\.b; .*; Secure$/)
    expect(issuedCookie('till', 'a.b', false)).not.toMatch(/Secure/)
  })

  it('fits into a cookie as it is', async () => {
    expect(await keys.sign(keys.newKey())).toMatch(/^[\w.-]+$/)
  })
})
