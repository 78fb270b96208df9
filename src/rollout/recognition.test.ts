import { describe, expect, it } from 'vitest'
import { PreviewTokens } from './preview-token.ts'
import { Recognition } from './recognition.ts'
import { Mac } from './mac.ts'
import { VerifiedTexts } from './verified-texts.ts'
import type { Visitor } from './visitor.ts'

const SECRET = 'a secret of this test'
const NOW = Date.parse('2026-03-01T12:00:00Z')
const preview = { rollout: 'shop.pricing', side: 'candidate' } as const
const token = (by = SECRET): Promise<string> => new PreviewTokens(by).issue(preview, NOW, 60_000)

const asked = (
  headers: Record<string, string>,
  { by = new Recognition(SECRET), cookies = ['till'], now = NOW } = {},
): ReturnType<Recognition['visitor']> => by.visitor(new Headers(headers), cookies, now)

describe('a request', () => {
  it('without a token is nobody where no keys are given out', () => {
    expect(asked({ cookie: 'a=b' }, { cookies: [] })).toBeUndefined()
  })

  it('is waited for once: whoever comes again is known', async () => {
    const by = new Recognition(SECRET)
    const headers = { 'x-postern-preview': await token() }
    const first = asked(headers, { by })
    expect(first).toBeInstanceOf(Promise)
    expect((await first)?.sideOf('shop.pricing')).toBe('candidate')
    const again = asked(headers, { by }) as Visitor
    expect(again.sideOf('shop.pricing')).toBe('candidate')
    expect(again.sideOf('shop.other')).toBeUndefined()
  })

  it('is known no longer than its token is good', async () => {
    const by = new Recognition(SECRET)
    const headers = { 'x-postern-preview': await token() }
    await asked(headers, { by })
    const late = asked(headers, { by, now: NOW + 60_000 }) as Visitor
    expect([late.isPreview, late.sentTokens]).toEqual([false, true])
  })

  it('has the key it was given, or one new key, however often it is asked for', async () => {
    const by = new Recognition(SECRET)
    const first = asked({}, { by }) as Visitor
    expect(first.given).toBeUndefined()
    const key = first.keyIn('till')
    expect(first.keyIn('till')).toBe(key)
    const [line = ''] = await by.cookiesOf(first.given ?? new Map(), false)
    const cookie = line.split(';', 1)[0] ?? ''
    const again = asked({ cookie }, { by }) as Visitor
    expect([again.keyIn('till'), again.given]).toEqual([key, undefined])
    const elsewhere = await asked({ cookie }, { by: new Recognition('another secret of it') })
    expect(elsewhere?.keyIn('till')).not.toBe(key)
  })
})

describe('texts that were verified', () => {
  it('are bounded in number, and not pushed out by what is made up', async () => {
    const mac = new Mac(SECRET, 'a test')
    const texts = new VerifiedTexts(mac)
    const first = await mac.sign('first')
    expect(await texts.open(first)).toBe('first')
    for (let i = 0; i < 50; i += 1) expect(await texts.open(`${i}.made-up`)).toBeUndefined()
    expect([texts.open(first), texts.size]).toEqual(['first', 1])
    for (let i = 0; i < 2_000; i += 1) await texts.sign(`${i}`)
    expect(texts.size).toBe(2_000)
    expect(texts.open(first)).toBeInstanceOf(Promise)
  })

  it('are not looked at when they are longer than any', () => {
    expect(new VerifiedTexts(new Mac(SECRET, 'a test')).open('x'.repeat(601))).toBeUndefined()
  })
})
